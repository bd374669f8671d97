"""Reuse the last run's results: the only room that looks back."""
