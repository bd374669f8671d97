"""Charts as images."""
