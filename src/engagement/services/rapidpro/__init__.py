"""The HTTP API of RapidPro, version 2."""
