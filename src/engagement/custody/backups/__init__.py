"""Archives of the data root: what goes in, how they are written, verified and restored, and which are removed."""
