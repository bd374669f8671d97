"""Values -> labels: automatic and manual labels, wrong-scheme moves, imputation."""
