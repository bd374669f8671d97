"""KoboToolbox's REST API v2: a form, its submissions, and what it refuses."""
