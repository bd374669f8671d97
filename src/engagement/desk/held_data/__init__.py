"""Everything that a data root holds of one person: found, shown to them, and removed."""
