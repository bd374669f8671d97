"""Engagement pipeline: answers to interactive radio shows, from RapidPro to tables, charts and maps."""
