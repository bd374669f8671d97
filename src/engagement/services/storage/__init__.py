"""Files at gs:// and file:// addresses: the protocol, the embedded twin, and Cloud Storage."""
