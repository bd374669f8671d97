"""Back-ups of a data root."""
