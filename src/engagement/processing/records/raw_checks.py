"""Check the raw files against the manifest that stage 2 left beside them."""

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.sources.manifest import MANIFEST, FileVersion, digest_file, read_manifest

_DIGITS_SHOWN = 12


class RawCheck:
    """The files to check. After `take`, `verified` are the versions of files that agree, by name."""

    def __init__(self, paths: Iterable[Path], verified: Mapping[str, FileVersion]) -> None:
        """`verified` are the versions of files unchanged since they last agreed: these are not read again."""
        paths = list(paths)
        self._folder = paths[0].parent if paths else Path()
        self._expected = read_manifest(self._folder) if paths else {}
        named = [path for path in paths if path.name in self._expected]
        self._to_read = [path for path in named if verified.get(path.name) not in self._expected[path.name]]
        self.verified = {path.name: verified[path.name] for path in named if path not in self._to_read}
        self.tasks: list[Callable[[], FileVersion]] = [functools.partial(digest_file, path) for path in self._to_read]

    def take(self, found: Iterable[FileVersion]) -> None:
        """Take the tasks' findings.

        Raises
        ------
        InputError
            Lists every file that is not as stage 2 wrote it.
        """
        problems = []
        for path, version in zip(self._to_read, found, strict=True):
            expected = self._expected[path.name]
            if version in expected:
                self.verified[path.name] = version
            else:
                problems.append(
                    f"{path}: {version.lines} lines with SHA-256 {version.sha256[:_DIGITS_SHOWN]}…; expected "
                    f"{' or '.join(map(_describe, expected))}, as stage 2 wrote it. A line was "
                    "changed, removed, doubled or moved. Move the file away and run stage 2, which writes it again; if the "
                    f"change is meant, remove {self._folder / MANIFEST}."
                )
        if problems:
            raise InputError("\n".join(problems))


def _describe(version: FileVersion) -> str:
    return f"{version.lines} lines with SHA-256 {version.sha256[:_DIGITS_SHOWN]}…"
