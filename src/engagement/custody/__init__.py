"""What is kept of a data root."""
