"""What does every process need to start, be seen, be healthy and stop? Nothing of a domain."""
