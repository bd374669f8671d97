"""What was handed over or removed, from the records of a data root."""
