"""CSV files of recovered messages."""
