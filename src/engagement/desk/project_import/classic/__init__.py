"""Classic projects: JSON configurations with coding plans in Python, 2018 to 2021."""
