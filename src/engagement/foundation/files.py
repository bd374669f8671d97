"""Reading and writing files so that every existing file is complete.

Every open() for writing is here.

A new version is written beside the old one as `<name>.partial`, flushed to disk and moved into place. A killed process
leaves the old version, and perhaps a `.partial` that the next run overwrites.
"""

import contextlib
import csv
import errno
import fcntl
import hashlib
import io
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from engagement.foundation.csv_cells import encode_line, guard_line, read_lines
from engagement.foundation.errors import InputError, MachineError, PipelineError, UsageError
from engagement.foundation.odd_paths import expect_no_pipe


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn an operating system's error (full disk, no permission) into a MachineError that names `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        remedy = (
            "Free some space and run this again"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else "Check that this user may write there and run this again"
        )
        raise MachineError(f"{path}: could not be written: {reason}. Nothing was replaced. {remedy}.") from error


@contextlib.contextmanager
def open_for_writing(path: Path) -> Iterator[IO[str]]:
    """Open the next version of a UTF-8 text file with `\\n` line ends; moved into place on success."""
    # Flush and detach the text wrapper before the bytes below it are synchronised and moved.
    with open_bytes_for_writing(path) as file, _text(file) as text:
        yield text


@contextlib.contextmanager
def open_bytes_for_writing(path: Path) -> Iterator[IO[bytes]]:
    """Open the next version of a binary file; moved into place on success, otherwise removed."""
    partial = path.with_name(path.name + ".partial")
    with explain_os_errors(path):
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def open_to_append(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for appending, in a directory that nobody reads until it is complete."""
    with explain_os_errors(path), path.open("ab") as file:
        yield file


def begin_to_write(file: IO[bytes], start: int = 0) -> None:
    """Start writing a big file's data from a place on to disk, so there is little to wait for at the end.

    What was on the disk before the place stays in memory, for a file that is read back.
    """
    file.flush()
    os.posix_fadvise(file.fileno(), start, 0, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def _text(file: IO[bytes]) -> Iterator[IO[str]]:
    wrapper = io.TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=False)
    try:
        yield wrapper
        wrapper.flush()
    finally:
        with contextlib.suppress(OSError, ValueError):
            wrapper.detach()


def make_directory(path: Path) -> Path:
    """Create a directory and its missing parents; return `path`."""
    with explain_os_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def hold_directory(path: Path, on_wait: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Create a directory if missing, and hold a lock on it against other processes.

    For directories that two pipelines may share: both would write to the same `.partial`. `on_wait` is called if another
    process holds it. A kill leaves nothing behind.
    """
    make_directory(path)
    with explain_os_errors(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with explain_os_errors(path):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def count_line_ends(block: bytes) -> int:
    """Count the line ends in a block of bytes.

    >>> count_line_ends(b"a\\nb\\nc")
    2
    """
    # What bytes.count takes six times as long for.
    return len(block) - len(block.replace(b"\n", b""))


def digest_file(path: Path) -> str:
    """Digest a file's bytes, by SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(
    path: Path,
    missing: type[PipelineError] = UsageError,
    what: str = "file",
    remedy: str = "Check the file and its permissions.",
) -> str:
    """Read a UTF-8 file, keeping its line ends; `remedy` says what to do about an unreadable one.

    Raises
    ------
    `missing`
        The file does not exist or can't be read; the message says that `what` was expected.
    """
    try:
        expect_no_pipe(path)
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise missing(f"{path}: no such file; expected {what}. Check the path.") from None
    except (OSError, ValueError) as error:
        # A NUL in the path raises ValueError, like text in another encoding.
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise missing(f"{path}: {what} could not be read: {reason}. {remedy}") from None


def read_json(
    path: Path,
    invalid: type[PipelineError] = InputError,
    what: str = "a JSON file",
    remedy: str | None = None,
) -> Any:
    """Read a JSON document; `remedy` says what to do about a damaged one.

    Raises
    ------
    `invalid`
        The file does not exist, or is not JSON; the message gives line and column.
    """
    text = read_text(path, invalid, what, *filter(None, [remedy]))
    remedy = remedy or "Correct the file and run this again."
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise invalid(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}; expected {what}. {remedy}"
        ) from None
    except (ValueError, RecursionError) as error:
        # A number with thousands of digits, or endlessly nested lists.
        what_is_it = "lists within lists without end" if isinstance(error, RecursionError) else "a number without end"
        raise invalid(f"{path}: {what_is_it}; expected {what}. {remedy}") from None


def write_json(path: Path, document: Any, indent: int | None = 2) -> None:
    """Write a JSON document with sorted keys, ASCII-escaped, and a final newline."""
    with open_for_writing(path) as file:
        json.dump(document, file, indent=indent, sort_keys=True)
        file.write("\n")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], quote_all: bool = False) -> None:
    """Write a spreadsheet-safe table, with `\\n` line ends, quoting cells if needed, or all.

    Puts an apostrophe before cells that a spreadsheet would run, except numbers. Guard people's texts, including
    numbers, before this.
    """
    with open_for_writing(path) as file:
        for row in itertools.chain([header], rows):
            try:
                cells = guard_line(row)
            except TypeError:
                # Checking each cell's type would take as long as everything else.
                cells = guard_line(["" if cell is None else str(cell) for cell in row])
            file.write(encode_line(cells, quote_all))


@contextlib.contextmanager
def reading_csv(path: Path) -> Iterator[Iterator[list[str]]]:
    """Read the lines of a CSV file as cells, the header first."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            yield read_lines(file)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a table. Run the stage that writes it again.") from None
    except (csv.Error, UnicodeDecodeError):
        raise InputError(f"{path}: not a table; expected CSV in UTF-8. Run the stage that writes it again.") from None


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory to `target`, which is created."""
    _copy_tree(source, target, _copy)


def link_tree(source: Path, target: Path) -> None:
    """Copy a directory as hard links to the same files, or as copies if links are refused."""
    _copy_tree(source, target, _link_or_copy)


def _copy_tree(source: Path, target: Path, copy: Callable[[str, str], str]) -> None:
    with explain_os_errors(target):
        shutil.copytree(source, target, copy_function=copy, symlinks=True)


def _copy(source: str, target: str) -> str:
    # Wrapped here because shutil would continue, and report a list of errors at the end.
    with explain_os_errors(Path(target)):
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copy(source, target)
    return target
