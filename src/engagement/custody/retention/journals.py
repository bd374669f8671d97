"""The journal of a removal: what goes, until a receipt says that it went.

It is written first and dropped last, so that a removal that was killed can be completed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.foundation.errors import InputError
from engagement.foundation.files import explain_os_errors, make_directory, read_json, write_json

_VERSION = 1
_REMEDY = "Remove the file, and run this again: only the receipt of what was removed already is then incomplete."


def retention_folder(data_root: Path) -> Path:
    """Name the folder of journals and receipts in a data root; it need not exist."""
    return data_root / "Runs" / "retention"


@dataclass(frozen=True)
class RemovalJournal:
    """A journal on the disk; `wanted` are the types of what has to be in it, by name."""

    path: Path
    wanted: Mapping[str, type]

    def exists(self) -> bool:
        """Check if a removal was begun and not completed."""
        return self.path.exists()

    def read(self) -> dict[str, Any] | None:
        """Read what is being removed; None if nothing is.

        Raises
        ------
        InputError
            It is damaged, or of another version.
        """
        if not self.exists():
            return None
        document = read_json(self.path, remedy=_REMEDY)
        if (
            not isinstance(document, dict)
            or document.get("Version") != _VERSION
            or not all(isinstance(document.get(name), kind) for name, kind in self.wanted.items())
        ):
            raise InputError(f"{self.path}: no journal of a removal of version {_VERSION}; expected one. {_REMEDY}")
        return document

    def write(self, document: Mapping[str, Any]) -> None:
        """Write what is being removed."""
        make_directory(self.path.parent)
        write_json(self.path, {"Version": _VERSION, **document})

    def drop(self) -> None:
        """Remove the journal: the removal is complete."""
        with explain_os_errors(self.path):
            self.path.unlink(missing_ok=True)
