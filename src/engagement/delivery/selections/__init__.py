"""Choose participants to write to again, count them, and record each hand-over."""
