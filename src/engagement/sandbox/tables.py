"""The CSV tables in `data/`: invented names and texts, and what is said how often. Read when first needed and kept."""

import csv
import functools
import io
from importlib import resources


@functools.cache
def read_table(name: str) -> tuple[dict[str, str], ...]:
    """Read `data/<name>.csv`, one dictionary a row."""
    text = (resources.files(__package__) / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text, newline="")))
