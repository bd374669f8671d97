"""Datasets in Coda, and what came back from them."""
