"""Code schemes for people: made from spreadsheets, compared by version, printed as a code book."""
