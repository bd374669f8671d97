"""Records of participants and of their raw runs, and where these are on disk."""
