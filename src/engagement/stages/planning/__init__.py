"""What a run of the pipeline would do, found out without doing any of it."""
