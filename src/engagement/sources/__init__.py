"""Configuration and services -> raw runs on disk, de-identified at the door; a package a source type."""
