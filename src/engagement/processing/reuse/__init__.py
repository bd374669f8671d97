"""Reuse of the last run's results: the one place that looks back."""
