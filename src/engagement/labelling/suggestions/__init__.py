"""Suggest labels that coders' own labels teach; they never count as labels."""
