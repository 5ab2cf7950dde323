"""The store's gRPC methods. Each is one use case: load, verb, save, reply."""
