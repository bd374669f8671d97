"""Counts and shares, as tables."""
