"""What differs between two seasons, runs or projects."""
