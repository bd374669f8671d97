"""What leaves the machine, and the gate before it."""
