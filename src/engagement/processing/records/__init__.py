"""Raw runs, and where they are on disk."""
