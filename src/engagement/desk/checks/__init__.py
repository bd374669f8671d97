"""What can be known of a project before a run: what is wrong, what is odd, and what the services say."""
