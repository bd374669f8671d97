"""Retention: what is older than the configuration keeps goes, and a receipt stays."""
