"""The CSV tables in packages' `data/` folders: part of the program, read on first use and cached."""

import csv
import functools
import io
from importlib import resources


@functools.cache
def read_table(package: str, name: str) -> tuple[dict[str, str], ...]:
    """Read `data/<name>.csv` of a package, one dictionary a row."""
    text = (resources.files(package) / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text, newline="")))
