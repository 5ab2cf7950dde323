"""What the store does on its own: admit, relay, sweep, number."""
