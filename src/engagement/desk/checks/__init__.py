"""Checks of a project before a run: errors, oddities, and the answers of the services."""
