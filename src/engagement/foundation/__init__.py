"""The basis for every room: files, errors, processes."""
