"""Records of participants and of their raw runs, and the runs' places on disk."""
