"""Google Drive: its protocol, the embedded twin in a folder, and the real client."""
