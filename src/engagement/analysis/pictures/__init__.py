"""Tools for drawing charts and maps."""
