"""Figures for print, with their data beside them."""
