"""Inter-coder reliability: how far people who coded the same messages agree, and where they do not."""
