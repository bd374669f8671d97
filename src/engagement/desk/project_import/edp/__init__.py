"""Projects of the Engagement Data Pipeline: a PIPELINE_CONFIGURATION in Python, 2021 to 2025."""
