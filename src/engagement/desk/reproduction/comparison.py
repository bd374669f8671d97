"""Compare the outputs of a run with those that were made again, file by file."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.files import digest_file
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS

# What a record keeps of the run that processed it: its time, its user, and the hashes that cover both.
_OF_THE_RUN = re.compile(rb'"(?:Timestamp|User|SHA)": "[^"]*"')


@dataclass(frozen=True)
class OutputsComparison:
    """Names of output files; those in `only_times` differ in nothing but who processed a record when."""

    same: tuple[str, ...]
    only_times: tuple[str, ...]
    different: tuple[str, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    @property
    def are_same(self) -> bool:
        """True if all files have the same bytes."""
        return not (self.only_times or self.has_differences)

    @property
    def has_differences(self) -> bool:
        """True if any file differs in more than times."""
        return bool(self.different or self.only_before or self.only_after)


def compare_outputs(before: Path, after: Path) -> OutputsComparison:
    """Compare two folders of outputs, but for the automated analysis, which stage 5 makes from these."""
    old, new = set(_names(before)), set(_names(after))
    same, only_times, different = [], [], []
    for name in sorted(old & new):
        if digest_file(before / name) == digest_file(after / name):
            same.append(name)
        elif _digest_without_times(before / name) == _digest_without_times(after / name):
            only_times.append(name)
        else:
            different.append(name)
    return OutputsComparison(
        tuple(same), tuple(only_times), tuple(different), tuple(sorted(old - new)), tuple(sorted(new - old))
    )


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        # The remains of a run that was killed are not outputs.
        if path.is_file() and name.parts[0].removesuffix(".partial") != AUTOMATED_ANALYSIS:
            yield name.as_posix()


def _digest_without_times(path: Path) -> str:
    digest = hashlib.sha256()
    if path.suffix not in (".json", ".jsonl"):
        return digest_file(path)
    with path.open("rb") as file:
        for line in file:
            digest.update(_OF_THE_RUN.sub(b"", line))
    return digest.hexdigest()
