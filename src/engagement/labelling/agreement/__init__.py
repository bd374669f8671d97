"""Inter-coder reliability: agreement and disagreement between people who coded the same messages."""
