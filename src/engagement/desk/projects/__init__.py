"""A new project's configuration, proposed from the flows that ask its questions."""
