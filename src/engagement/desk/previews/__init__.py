"""Previews of a changed configuration's effects."""
