"""Files at gs:// and file:// addresses: the protocol, the embedded twin in a folder, and Google Cloud Storage."""
