"""The gate before Drive: phone numbers, participants who withdrew, rare combinations of answers."""
