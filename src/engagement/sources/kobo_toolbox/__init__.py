"""Submissions of KoboToolbox forms."""
