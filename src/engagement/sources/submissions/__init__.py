"""Shared house of every source that is not RapidPro: submissions -> lines of Raw Data."""
