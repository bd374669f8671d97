"""TracedData files in a bucket."""
