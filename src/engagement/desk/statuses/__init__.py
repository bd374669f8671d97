"""How projects are: the last runs of data roots, as a screen, a table, JSON or a page.

Standard library only, but for the page: this also runs on a machine's own Python when engine and environment are gone.
"""
