"""The steps of stage 3 in their order, for one participant and for one partition of them."""
