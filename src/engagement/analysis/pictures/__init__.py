"""What charts and maps are drawn with."""
