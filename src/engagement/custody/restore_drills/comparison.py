"""Compare outputs that stage 3 made from a restored archive with those in the archive, byte for byte.

Only who ran stage 3 and when may differ, in the provenance; hashes of chains do not cover either.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.files import digest_file
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS
from engagement.provenance.reading import read_traced_data

_WHO_AND_WHEN = re.compile(rb'("Timestamp": |"User": )"[^"\\]*"')


def compare_outputs(archived: Path, made: Path) -> list[str]:
    """Say which files differ, and from which line on; stage 5's are not compared."""
    before, after = _files_in(archived), _files_in(made)
    differences = [f"{name} is only in the archive" for name in sorted(before - after)]
    differences += [f"{name} is not in the archive" for name in sorted(after - before)]
    for name in sorted(before & after):
        line = _find_difference(archived / name, made / name)
        if line is not None:
            differences.append(f"{name} differs from line {line} on")
    return differences


def verify_chains(outputs: Path) -> None:
    """Verify the chains of the traced data in a folder of outputs.

    Raises
    ------
    InputError
        A line does not verify.
    """
    for path in sorted(outputs.glob("*.jsonl")):
        for _ in read_traced_data(path):
            pass


def _files_in(folder: Path) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if path.parts[0] != AUTOMATED_ANALYSIS}


def _find_difference(one: Path, other: Path) -> int | None:
    """Return the first line in which two files differ, from 1; None if they are the same."""
    if digest_file(one) == digest_file(other):
        return None
    pairs = itertools.zip_longest(_lines_of(one), _lines_of(other))
    return next((number for number, (left, right) in enumerate(pairs, 1) if left != right), None)


def _lines_of(path: Path) -> Iterator[bytes]:
    is_provenance = path.suffix == ".jsonl"
    with path.open("rb") as file:
        for line in file:
            yield _WHO_AND_WHEN.sub(rb'\1""', line) if is_provenance else line
