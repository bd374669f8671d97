"""Datasets in Coda: files, new messages, and downloads."""
