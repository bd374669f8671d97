"""Code schemes of an engagement-database project, which are in folders below code_schemes/."""

import json
from pathlib import Path
from typing import Final

from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.scheme_files import SchemeFile

_FOLDER: Final = "code_schemes"


class SchemeFolder:
    """The code schemes that were asked for, each read once; one without a file is noted."""

    def __init__(self, root: Path, migration: Migration) -> None:
        self._folder = (root / _FOLDER).resolve()
        self._migration = migration
        self._found: dict[str, SchemeFile] = {}

    def find(self, path: str | None, used_by: str) -> SchemeFile | None:
        """Find a scheme by its path below code_schemes/; None, with a line to decide, if it can't be read."""
        if path is None:
            self._migration.to_decide(
                used_by, "its code scheme can't be read from the file, so this coding was left out."
            )
            return None
        if path not in self._found:
            scheme = self._read(path, used_by)
            if scheme is None:
                return None
            self._found[path] = scheme
        return self._found[path]

    def all(self) -> list[SchemeFile]:
        """Return the schemes that were read, in the order in which they were asked for."""
        return list(self._found.values())

    def _read(self, path: str, used_by: str) -> SchemeFile | None:
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            self._ask(path, used_by, "there is no such file")
            return None
        try:
            content = file.read_bytes()
            document = json.loads(content.decode("utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            self._ask(path, used_by, "the file is not JSON")
            return None
        codes = document.get("Codes") if isinstance(document, dict) else None
        if not isinstance(codes, list) or not all(isinstance(code, dict) for code in codes):
            self._ask(path, used_by, "the file has no list 'Codes'")
            return None
        return SchemeFile(path, f"{_FOLDER}/{path}", content, document)

    def _ask(self, path: str, used_by: str, what: str) -> None:
        self._migration.to_decide(
            f"{_FOLDER}/{path}", f"{what}, so the coding of {used_by} was left out. Get it from Coda and import again."
        )
