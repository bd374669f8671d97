"""Files of phone numbers, as RapidPro takes them, made where somebody asked for one.

They are the only files with numbers. They are for their user alone (mode 0600), never in a data root or a folder that goes into archives, and never replace another
file. All parts are there, or none is: they are written in a hidden folder beside their places, `.<name>.partial`, which is
removed last. If a run was killed before that, the next one with the same name removes what it had placed already.
"""

import errno
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.foundation.errors import UsageError
from engagement.foundation.files import explain_os_errors, hold_directory, write_csv
from engagement.foundation.workbooks import WorkbookSheet, write_workbook
from engagement.services.storage.local_files import local_file

# RapidPro takes so many contacts in one file.
ROWS_A_FILE = 25_000
HEADER = ("URN:Tel", "Name")
# Lists the names that are about to be placed; in the hidden folder.
_NAMES = "names"
_ARCHIVES = "data-*.tar.gz"

_logger = logging.getLogger(__name__)


def check_target(path: Path, data_root: Path, project: Path, configuration: PipelineConfiguration) -> None:
    """Refuse a place where numbers may not lie, or where there is something already.

    Raises
    ------
    UsageError
        The path can't be used; nothing was asked or written.
    """
    if path.suffix != ".xlsx":
        raise UsageError(f"{path}: not the name of a workbook; expected <name>.xlsx. Change it.")
    place = path.parent.resolve() / path.name
    if not place.parent.is_dir():
        raise UsageError(f"{place.parent}: no such folder; expected one for the file. Make it, or change the path.")
    for folder, what in _closed_folders(place, data_root, project, configuration):
        if place.is_relative_to(folder):
            raise UsageError(
                f"{path}: in {what}, {folder}; expected a place outside, as no phone number may get into archives or versions. "
                "Change the path."
            )
    _remove_leftovers(path)
    for scratch in sorted(path.parent.glob(".*.xlsx.partial")):
        _logger.warning(
            "%s: another run is at work, or was killed: then remove this, and what it placed beside it", scratch
        )
    existing = [other for other in _possible(path) if other.exists() or other.is_symlink()]
    if existing:
        raise UsageError(f"{existing[0]}: exists already; expected no such file. Remove it, or choose another name.")


def _closed_folders(
    place: Path, data_root: Path, project: Path, configuration: PipelineConfiguration
) -> Iterator[tuple[Path, str]]:
    yield data_root.resolve(), "the data root"
    yield project.resolve().parent, "the folder of the project"
    prefixes = (configuration.data_archive_upload_url_prefix, configuration.memory_profile_upload_url_prefix)
    for prefix in filter(None, prefixes):
        folder = local_file(f"{prefix}x")
        if folder is not None:
            yield folder.parent.resolve(), "the folder of archives and logs"
    # Archives go where the command line of the pipeline says.
    for folder in place.parents:
        if any(folder.glob(_ARCHIVES)):
            yield folder, "a folder of archives"


def _possible(path: Path) -> list[Path]:
    """List what could be in the way: the file, its parts, and CSVs beside them."""
    names = [path, *sorted(path.parent.glob(f"{_escape(path.stem)}-[0-9]*.xlsx"))]
    return [*names, *(name.with_suffix(".csv") for name in names)]


def _escape(text: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in text)


def write_number_files(path: Path, numbers: Sequence[str], with_csv: bool) -> list[Path]:
    """Write numbers as one workbook, or as parts `-1`, `-2`, … of 25,000 each.

    With `with_csv` each has a CSV beside it. No numbers make no file.
    """
    scratch = _scratch(path)
    _remove_leftovers(path)
    with hold_directory(scratch, lambda: _refuse_other_run(path)):
        placed: list[Path] = []
        try:
            with explain_os_errors(path):
                scratch.chmod(0o700)
            made = _write_parts(path, scratch, list(batched(numbers, ROWS_A_FILE)), with_csv)
            with explain_os_errors(path):
                (scratch / _NAMES).write_text("".join(f"{name.name}\n" for name in made), encoding="utf-8")
                for name in made:
                    name.chmod(0o600)
                    _place(name, path.with_name(name.name))
                    placed.append(path.with_name(name.name))
        except BaseException:
            for name in placed:
                name.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return placed


def _write_parts(path: Path, scratch: Path, parts: Sequence[Sequence[str]], with_csv: bool) -> list[Path]:
    made: list[Path] = []
    for number, part in enumerate(parts, 1):
        name = scratch / (path.name if len(parts) == 1 else f"{path.stem}-{number}.xlsx")
        write_workbook(name, [WorkbookSheet("contacts", HEADER, _rows(part))])
        made.append(name)
        if with_csv:
            made.append(name.with_suffix(".csv"))
            write_csv(made[-1], HEADER, _rows(part), quote_all=True)
    return made


def _scratch(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _refuse_other_run(path: Path) -> None:
    raise UsageError(f"{path}: another run is writing it; expected none. Wait for its end, or choose another name.")


def _remove_leftovers(path: Path) -> None:
    """Remove what a killed run left: its hidden folder, and the files that it had placed."""
    scratch = _scratch(path)
    if not scratch.is_dir() or scratch.is_symlink():
        return
    with hold_directory(scratch, lambda: _refuse_other_run(path)), explain_os_errors(path):
        names = scratch / _NAMES
        for name in names.read_text(encoding="utf-8").split("\n")[:-1] if names.exists() else ():
            own, target = scratch / name, path.with_name(name)
            # Placed by a link it is still here; placed by moving it is not.
            if target.exists() and (not own.exists() or own.samefile(target)):
                target.unlink()
                _logger.warning("%s: removed: a run that was killed had not placed all of the files", target)
        shutil.rmtree(scratch)


def _place(source: Path, target: Path) -> None:
    try:
        # A link never replaces a file that came meanwhile, as moving would.
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        # A memory stick's file system has no links.
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)


def _rows(numbers: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((number, "") for number in numbers)
