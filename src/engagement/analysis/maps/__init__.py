"""Choropleth maps."""
