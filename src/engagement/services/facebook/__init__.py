"""Facebook's Graph API, as far as the comments of a page need it."""
