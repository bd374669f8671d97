"""Reading and writing files so that a file that exists is complete: every open() for writing is here.

A new version is written beside the old one as `<name>.partial`, flushed to the disk and then moved into place. A process
that is killed leaves the old version, and perhaps a `.partial` that the next run writes over.
"""

import contextlib
import csv
import ctypes
import errno
import fcntl
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

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal (full disk, no permission) into a MachineError that names `path`."""
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
    """Open the next version of a UTF-8 text file, with `\\n` line ends; it is moved into place when the block ends well."""
    # The text wrapper is flushed and detached before the bytes below it are synchronised and moved.
    with open_bytes_for_writing(path) as file, _text(file) as text:
        yield text


@contextlib.contextmanager
def open_bytes_for_writing(path: Path) -> Iterator[IO[bytes]]:
    """Open the next version of a binary file; it is moved into place when the block ends well, else removed."""
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
    """Open a file in a directory that is being built, which nobody reads before it is complete, to write behind what is there."""
    with explain_os_errors(path), path.open("ab") as file:
        yield file


def begin_to_write(file: IO[bytes]) -> None:
    """Let the disk begin to write what was written to a big file, so that there is little to wait for in the end."""
    file.flush()
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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
    """Make a directory and those above it, if they are not there; returns `path`."""
    with explain_os_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def hold_directory(path: Path) -> Iterator[None]:
    """Make a directory if it is missing, and wait until no other process is in such a block for it.

    For directories that two pipelines may share: both would write to the same `.partial`.
    """
    make_directory(path)
    with explain_os_errors(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with explain_os_errors(path):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_text(
    path: Path,
    missing: type[PipelineError] = UsageError,
    what: str = "file",
    remedy: str = "Check the file and its permissions.",
) -> str:
    """Read a UTF-8 file; its line ends stay as they are. `remedy` says what to do about one that can't be read.

    Raises
    ------
    `missing`
        The file does not exist or can't be read; `what` says what was looked for.
    """
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise missing(f"{path}: no such file; expected {what}. Check the path.") from None
    except (OSError, ValueError) as error:
        # A path with NUL in it is a ValueError, as text in another encoding is.
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise missing(f"{path}: {what} could not be read: {reason}. {remedy}") from None


def read_json(
    path: Path,
    invalid: type[PipelineError] = InputError,
    what: str = "a JSON file",
    remedy: str | None = None,
) -> Any:
    """Read a JSON document. `remedy` says what to do about a damaged one.

    Raises
    ------
    `invalid`
        There is no such file, or its text is not JSON: named by line and column.
    """
    text = read_text(path, invalid, what, *filter(None, [remedy]))
    remedy = remedy or "Mend the file and run this again."
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise invalid(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}; expected {what}. {remedy}"
        ) from None
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits; or lists within lists without end.
        what_is_it = "lists within lists without end" if isinstance(error, RecursionError) else "a number without end"
        raise invalid(f"{path}: {what_is_it}; expected {what}. {remedy}") from None


def write_json(path: Path, document: Any, indent: int | None = 2) -> None:
    """Write a JSON document with sorted keys, ASCII-escaped, and a final newline."""
    with open_for_writing(path) as file:
        json.dump(document, file, indent=indent, sort_keys=True)
        file.write("\n")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], quote_all: bool = False) -> None:
    """Write a table that is safe to open in a spreadsheet, with `\\n` line ends, quoting where it is needed, or everywhere.

    Cells that a spreadsheet would run get an apostrophe, but for numbers. What people wrote is to be guarded before, numbers included.
    """
    with open_for_writing(path) as file:
        for row in itertools.chain([header], rows):
            try:
                cells = guard_line(row)
            except TypeError:
                # Looking at the kind of each cell would take as long as all the rest.
                cells = guard_line(["" if cell is None else str(cell) for cell in row])
            file.write(encode_line(cells, quote_all))


@contextlib.contextmanager
def reading_csv(path: Path) -> Iterator[Iterator[list[str]]]:
    """The lines of a CSV file as cells, the header first."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            yield read_lines(file)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected a table. Run the stage that writes it again.") from None
    except (csv.Error, UnicodeDecodeError):
        raise InputError(f"{path}: not a table; expected CSV in UTF-8. Run the stage that writes it again.") from None


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory to `target`, which is made."""
    _copy_tree(source, target, _copy)


def link_tree(source: Path, target: Path) -> None:
    """Make `target` a copy of the directory `source` whose files are the same ones (hard links), or copies where links are refused."""
    _copy_tree(source, target, _link_or_copy)


def _copy_tree(source: Path, target: Path, copy: Callable[[str, str], str]) -> None:
    with explain_os_errors(target):
        shutil.copytree(source, target, copy_function=copy, symlinks=True)


def _copy(source: str, target: str) -> str:
    # Here, because shutil would go on with the next file, and tell in the end of a list of them.
    with explain_os_errors(Path(target)):
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copy(source, target)
    return target


@contextlib.contextmanager
def replace_folder(current: Path) -> Iterator[Path]:
    """Give an empty folder to build the next version of `current` in; it takes its place when the block ends well, else it is removed.

    It stands beside `current`, as `<name>.partial`. Whenever this is killed, one whole version is there, at the latest after the
    next call has cleared up.
    """
    building, aside = (current.with_name(current.name + ending) for ending in (".partial", ".old"))
    with explain_os_errors(current):
        _clear_up(current, building, aside)
    try:
        yield make_directory(building)
        with explain_os_errors(current):
            _swap_in(building, current, aside)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _clear_up(current: Path, building: Path, aside: Path) -> None:
    """Complete a replacement that was killed, or remove what it left."""
    # The old folder is only moved aside once the new one is complete.
    if not current.exists() and aside.exists():
        (building if building.exists() else aside).rename(current)
    for left_over in (aside, building):
        if left_over.exists():
            shutil.rmtree(left_over)


def _swap_in(building: Path, current: Path, aside: Path) -> None:
    """Exchange the two in one step where the file system can do that; elsewhere the old folder is moved aside first."""
    if not current.exists():
        building.rename(current)
    elif _exchange(building, current):
        shutil.rmtree(building)
    else:
        current.rename(aside)
        building.rename(current)
        shutil.rmtree(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two paths in one step; False where the kernel or the file system can't."""
    # The C library is loaded already; looking for its file would start two programs.
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    done = library.renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(number, os.strerror(number), str(second))
