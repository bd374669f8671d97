"""What stays of the last run: the one place that looks back."""
