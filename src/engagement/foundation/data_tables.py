"""The CSV tables in the `data/` folders of packages: they are part of the program, read when first needed and kept."""

import csv
import functools
import io
from importlib import resources


@functools.cache
def read_table(package: str, name: str) -> tuple[dict[str, str], ...]:
    """Read `data/<name>.csv` of a package, one dictionary a row."""
    text = (resources.files(package) / "data" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text, newline="")))
