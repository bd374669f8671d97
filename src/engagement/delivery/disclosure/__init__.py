"""The gate before Drive: phone numbers in what people wrote, participants who withdrew, rare combinations of answers."""
