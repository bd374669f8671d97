"""Code schemes as people work with them: made from spreadsheets, compared between versions, printed as a code book."""
