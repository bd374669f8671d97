"""Configuration and services -> raw runs on disk, de-identified at the door; one source type a module."""
