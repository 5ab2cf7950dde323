"""Hand-written stand-ins for parts that have a process of their own."""
