"""A source's state: all that it has fetched so far, in State/."""
