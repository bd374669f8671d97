"""Places of files with phone numbers, and of those without: never a data root or another file."""

from collections.abc import Sequence
from pathlib import Path

from engagement.desk.names_with_numbers import refuse_number_in_name
from engagement.foundation.errors import UsageError

# Two of these make a data root; other folders may have one by chance.
_FOLDERS = (
    "Raw Data",
    "State",
    "Coded Coda Files",
    "Outputs",
    "Contacts",
    "Forgotten",
    "Hand-overs",
    "Traced Data",
    "Adjudications",
)
# A container may see nothing else of a data root.
_OWN_FOLDERS = frozenset(("Raw Data", "Coded Coda Files", "Hand-overs", "Adjudications"))
_KINDS = (".csv", ".tsv", ".txt", ".xlsx")


def choose_outputs(files: Sequence[Path], output: Path | None) -> list[Path]:
    """Name the new file of each file, and check that all can be read and made.

    Raises
    ------
    UsageError
        A file is not there or lies in a data root, or a new one would; or there is something in its place.
    """
    if output is not None and len(files) > 1:
        raise UsageError(f"--output: names one file for {len(files)}; expected one file to read. Leave it out.")
    outputs = [output or path.with_name(f"{path.stem}_deidentified.csv") for path in files]
    for path in files:
        check_file(path)
    for number, path in enumerate(outputs):
        refuse_data_root(path)
        refuse_number_in_name(path)
        if path.exists() or path.is_symlink():
            raise UsageError(
                f"{path}: exists already; expected no such file. Remove it, or choose another name with --output."
            )
        if path in outputs[:number]:
            raise UsageError(
                f"{path}: two files would be written to it; expected one each. De-identify them one by one."
            )
        if not path.parent.is_dir():
            raise UsageError(
                f"{path.parent}: no such folder; expected one for the new file. Make it, or change --output."
            )
    return outputs


def check_file(path: Path) -> None:
    """Refuse what is no table with phone numbers, or lies in a data root."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected a table with phone numbers. Check the path.")
    if path.suffix.lower() not in _KINDS:
        raise UsageError(
            f"{path}: a file of type {path.suffix!r}; expected {', '.join(_KINDS)}. Save it as one of these."
        )
    refuse_data_root(path)


def refuse_data_root(path: Path) -> None:
    """Refuse a path in a data root."""
    place = path.parent.resolve()
    for folder in (place, *place.parents):
        if folder.name in _OWN_FOLDERS or sum((folder / name).is_dir() for name in _FOLDERS) > 1:
            raise UsageError(
                f"{path}: in a data root, {folder}; expected a place outside, as no phone number may get into it or its archives. "
                "Move the file, or choose another place with --output."
            )
