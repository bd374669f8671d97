"""Text -> code value, pure: numbers, gender, yes and no, places, operators; in Somali, Swahili and English."""
