"""What do a provider's answers mean? Pure: no I/O, no clock, no randomness of its own."""
