"""What does the gateway reach: the store, and object storage."""
