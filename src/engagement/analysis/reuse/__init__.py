"""Keeping what an earlier analysis wrote."""
