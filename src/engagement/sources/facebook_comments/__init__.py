"""Comments on posts of a Facebook page."""
