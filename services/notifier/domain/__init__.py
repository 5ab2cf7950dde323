"""What does an answer, or none, come to? Pure: no I/O, no clock of its own."""
