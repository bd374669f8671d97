"""Plan a run of the pipeline without doing any of it."""
