"""Archives of the data root: contents, writing, verifying, restoring, and removing old ones."""
