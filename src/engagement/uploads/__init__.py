"""What leaves this machine, and where it goes."""
