"""Lines of a source's runs, one after another in a file; the state beside it has their places.

A line is some kilobytes, and a flow has hundreds of thousands: a database would write each twice. Here it is written once, at
the end of the file. The line that it replaces stays in place until the file is rewritten.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from engagement.foundation.errors import MachineError
from engagement.foundation.files import explain_os_errors


class LineLog:
    """A file of lines that grows at its end. Only `size` bytes count: the rest is cut off or overwritten."""

    def __init__(self, path: Path, size: int):
        self.path = path
        self.size = size
        with explain_os_errors(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if os.fstat(self._file).st_size > size:
                os.ftruncate(self._file, size)
        self._is_flushed = True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def append(self, lines: Sequence[bytes]) -> int:
        """Write lines at the end; returns where the first one starts."""
        start = self.size
        waiting = memoryview(b"".join(lines))
        with explain_os_errors(self.path):
            while waiting:
                written = os.pwrite(self._file, waiting, self.size)
                self.size += written
                waiting = waiting[written:]
        self._is_flushed = False
        return start

    def read(self, start: int, length: int) -> bytes:
        """Read the line at a place.

        Raises
        ------
        MachineError
            The file ends before.
        """
        try:
            found = os.pread(self._file, length, start)
        except OSError as error:
            raise MachineError(f"{self.path}: could not be read: {error.strerror}. Check the disk.") from None
        if len(found) != length:
            raise MachineError(
                f"{self.path}: shorter than the state beside it says; expected {length} bytes at {start}. "
                "Remove both files, at the cost of fetching everything again."
            )
        return found

    def flush(self) -> None:
        """Flush the lines to the disk, so that they survive a power cut."""
        if not self._is_flushed:
            with explain_os_errors(self.path):
                os.fsync(self._file)
            self._is_flushed = True

    def is_whole(self) -> bool:
        """Check that the file has everything that counts."""
        return os.fstat(self._file).st_size >= self.size
