"""Files with phone numbers, as they come from others, and the same files with uids."""
