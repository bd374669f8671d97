"""The steps of stage 3 in order, for one participant and for a partition of them."""
