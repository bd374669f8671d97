"""Private folders that are removed at their end, also when a signal ends the process."""

import contextlib
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from engagement.foundation.files import explain_os_errors

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Make a private folder, removed when the block ends, even by SIGTERM, SIGHUP or Ctrl-C."""
    # An ignored signal stays ignored, like SIGHUP under nohup.
    heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _leave) for number in heeded}
    try:
        with explain_os_errors(folder):
            folder.mkdir(mode=0o700)
        yield folder
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_IGN)
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def remove_scratch(folder: Path) -> bool:
    """Remove what a killed process left; tell whether there was anything."""
    if not folder.exists():
        return False
    with explain_os_errors(folder):
        shutil.rmtree(folder)
    return True


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
