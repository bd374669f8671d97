"""Reading values of an earlier project's Python from its syntax; nothing is run."""
