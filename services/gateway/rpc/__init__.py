"""How is the public gRPC API served?"""
