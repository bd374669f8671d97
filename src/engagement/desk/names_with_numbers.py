"""Names on the command line that hold a phone number: never shown, never given to a new file.

Telecoms name an export by the sender's number. What such a name says is masked wherever it would be printed: on the screen, in
the log, in an error.
"""

import argparse
import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from engagement.foundation.errors import UsageError
from engagement.foundation.run_report import RUN_ID

MASK = "[number]"
_FEWEST_DIGITS = 7
# Arguments that name a file or folder to be made.
_NEW = frozenset(
    ("chart", "folder", "new_data_root", "new_folder", "output", "profile_cpu", "profile_memory", "to_file")
)


@contextlib.contextmanager
def hide_numbers_in_names(given: argparse.Namespace) -> Iterator[None]:
    """Mask the numbers in names of the paths given, in all that is printed and logged meanwhile.

    Raises
    ------
    UsageError
        A new file or folder would get such a name.
    """
    # Few names have so many digits, and looking closer imports the configuration.
    paths = [(name, path) for name, path in _paths(given) if any(map(_has_many_digits, path.parts))]
    numbers = _find_numbers(path for _, path in paths) if paths else []
    if not numbers:
        yield
        return
    for name, path in paths:
        if name in _NEW and not path.exists():
            refuse_number_in_name(path)

    def hide(text: str) -> str:
        for number in numbers:
            text = text.replace(number, MASK)
        return text

    with contextlib.ExitStack() as stack:
        stack.enter_context(_hide_in_log(hide))
        stack.enter_context(contextlib.redirect_stdout(_HidingStream(sys.stdout, hide)))
        stack.enter_context(contextlib.redirect_stderr(_HidingStream(sys.stderr, hide)))
        yield


def refuse_number_in_name(path: Path) -> None:
    """Refuse a new file or folder whose name holds a phone number.

    Raises
    ------
    UsageError
        It does.
    """
    if _find_numbers([Path(path.name)]):
        raise UsageError(
            f"{path.parent}: the name of a new file or folder there holds a phone number or looks like it, so it is not shown; "
            "expected a name without one, because names get into logs and archives. Choose another name."
        )


def _paths(given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    for name, value in vars(given).items():
        values: Iterable[Any] = value if isinstance(value, list) else [value]
        yield from ((name, one) for one in values if isinstance(one, Path))


def _has_many_digits(part: str) -> bool:
    return sum(map(str.isdigit, _without_run_id(part))) >= _FEWEST_DIGITS


def _without_run_id(part: str) -> str:
    # Its time is no number, and the commit in it may have digits enough.
    return re.sub(RUN_ID, "", part)


def _find_numbers(paths: Iterable[Path]) -> list[str]:
    """Find the numbers in paths, the longest first, so that none is masked in part."""
    from engagement.configuration.numbers_in_names import find_numbers

    parts = {_without_run_id(part) for path in paths for part in path.parts}
    return sorted({number for part in parts for number in find_numbers(part)}, key=len, reverse=True)


@contextlib.contextmanager
def _hide_in_log(hide: Callable[[str], str]) -> Iterator[None]:
    make = logging.getLogRecordFactory()

    def make_hidden(*args: Any, **keywords: Any) -> logging.LogRecord:
        record = make(*args, **keywords)
        record.msg, record.args = hide(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(make_hidden)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


class _HidingStream:
    """A stream that shows no numbers; all else is the stream's own."""

    def __init__(self, stream: TextIO, hide: Callable[[str], str]) -> None:
        self._stream = stream
        self._hide = hide

    def write(self, text: str) -> int:
        """Write a text without the numbers."""
        self._stream.write(self._hide(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines without the numbers."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
