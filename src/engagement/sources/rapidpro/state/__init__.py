"""What a source has fetched so far, in State/."""
