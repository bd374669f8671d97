"""Read single lines of the raw files, and report the first problem of each file."""

import os
from collections.abc import Sequence
from pathlib import Path

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.foundation.errors import InputError
from engagement.provenance import ChainError, TracedData, decode


class RawFiles:
    """The raw files, open for reading single lines."""

    def __init__(self, paths: Sequence[Path], errors: list[InputError]) -> None:
        self._paths = paths
        self._errors = errors
        self._damaged: set[int] = set()
        self._descriptors: list[int] = []

    def __enter__(self) -> "RawFiles":
        for path in self._paths:
            try:
                self._descriptors.append(os.open(path, os.O_RDONLY))
            except OSError as error:
                self.__exit__()
                raise unreadable(path, error) from None
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)

    def read(self, file: int, offset: int, length: int) -> TracedData | None:
        """Read one run; None if the line can't be read."""
        line = os.pread(self._descriptors[file], length, offset)
        try:
            return decode(line)
        except ChainError as error:
            self._report(file, offset, f"{error}. Restore the file or create it again.")
        except UnicodeDecodeError:
            self._report(file, offset, "it is not UTF-8 text. Make the file again.")
        return None

    def read_nameless(self, file: int, offset: int, length: int) -> None:
        """Report the fault in a line that names no participant."""
        if not os.pread(self._descriptors[file], length, offset).endswith(b"\n"):
            self._report(file, offset, "it has no line end; expected a whole file. Make it again.")
        elif self.read(file, offset, length) is not None:
            self._report_nameless(file, offset)

    def read_named(self, file: int, offset: int, length: int) -> TracedData | None:
        """Read a participant's run; None if the line can't be read or names them anywhere but at its top."""
        run = self.read(file, offset, length)
        if run is None or _is_uid(run.values.get(PARTICIPANT_KEY)):
            return run
        self._report_nameless(file, offset)
        return None

    def _report_nameless(self, file: int, offset: int) -> None:
        self._report(file, offset, f"no {PARTICIPANT_KEY!r}; expected one in every run. Fetch it again.")

    def _report(self, file: int, offset: int, problem: str) -> None:
        if file in self._damaged:
            return
        self._damaged.add(file)
        path = self._paths[file]
        with path.open("rb") as lines:
            number = 1
            while (left := offset - lines.tell()) > 0:
                number += lines.read(min(left, 2**20)).count(b"\n")
        self._errors.append(InputError(f"{path}, line {number}: {problem}"))


def _is_uid(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value.encode())
    except UnicodeEncodeError:
        # Half a character, which can't be encoded.
        return False


def unreadable(path: Path, error: OSError) -> InputError:
    """Make the error for a raw file that can't be read."""
    return InputError(f"{path}: could not be read: {error.strerror}; expected a TracedData file. Check the file.")
