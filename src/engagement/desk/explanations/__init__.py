"""Explanations of cells: what stage 3 left of a participant, in plain words and as facts for programs."""
