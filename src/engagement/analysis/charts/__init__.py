"""Charts, as pictures."""
