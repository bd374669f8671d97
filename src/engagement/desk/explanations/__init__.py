"""Explanations of cells, from the results of stage 3, in plain words and as facts for programs."""
