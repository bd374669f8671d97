"""Make an earlier run's outputs again, and compare them."""
