"""What passes between the pipeline and its coders."""
