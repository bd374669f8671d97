"""Find the old Coda files of the imported plans, whole or in segments."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.foundation.errors import InputError, UsageError, listing
from engagement.services.coda.format import MessageDocument, read_message_file

_SEGMENT = re.compile(r"(?P<dataset>.+)_[2-9]|(?P<long>.+)_[1-9]\d+")
_REMEDY = "Download it from Coda again."


@dataclass(frozen=True)
class DatasetFiles:
    """Files of each plan's dataset, first segment first; datasets without; files of no plan."""

    by_dataset: Mapping[str, Sequence[Path]]
    without_file: Sequence[str]
    unread: Sequence[Path]


def find_dataset_files(folder: Path, datasets: Sequence[str], local_names: Mapping[str, str]) -> DatasetFiles:
    """Find the datasets' files in a folder of Coda downloads, by name.

    `local_names` maps the old name of a file, without its ending, to the dataset's name in Coda. A file has today's name,
    an old name, or the end of a dataset's name behind `_`, if that fits one dataset alone.

    Raises
    ------
    UsageError
        There is no such folder.
    InputError
        A name contains a phone number.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such directory; expected the datasets' files from Coda. Check the path.")
    paths = sorted(path for path in folder.glob("*.json") if path.is_file())
    if any(holds_phone_number(path.stem) for path in paths):
        raise InputError(
            f"{folder}: names of files hold phone numbers, which are not shown; expected names of datasets. Rename or remove "
            "the files."
        )
    found: dict[str, list[Path]] = {dataset: [] for dataset in datasets}
    left = [path for path in paths if not _take(found, path.stem, path)]
    left = [path for path in left if not _take(found, local_names.get(path.stem, ""), path, only_empty=True)]
    left = [path for path in left if not _take(found, _find_by_end(path.stem, datasets), path, only_empty=True)]
    by_stem = {several[0].stem: dataset for dataset, several in found.items() if several}
    segments = [(path, by_stem.get(_dataset_of_segment(path.stem), "")) for path in left]
    unread = [path for path, dataset in segments if not _take(found, dataset, path)]
    return DatasetFiles(
        {dataset: sorted(several, key=_segment_order) for dataset, several in found.items() if several},
        [dataset for dataset in found if not found[dataset]],
        unread,
    )


def read_dataset_files(files: DatasetFiles) -> dict[str, list[MessageDocument]]:
    """Read the messages of each dataset; one in two segments comes once, from the first.

    Raises
    ------
    InputError
        With every file that is damaged.
    """
    messages: dict[str, list[MessageDocument]] = {}
    problems: list[str] = []
    for dataset, paths in files.by_dataset.items():
        by_id: dict[str, MessageDocument] = {}
        for path in paths:
            try:
                for message in read_message_file(path, _REMEDY):
                    by_id.setdefault(message["MessageID"], message)
            except InputError as error:
                problems.append(str(error))
        messages[dataset] = list(by_id.values())
    if problems:
        raise InputError(problems[0] if len(problems) == 1 else listing(problems))
    return messages


def _take(found: dict[str, list[Path]], dataset: str, path: Path, only_empty: bool = False) -> bool:
    if dataset not in found or (only_empty and found[dataset]):
        return False
    found[dataset].append(path)
    return True


def _find_by_end(stem: str, datasets: Sequence[str]) -> str:
    fitting = [dataset for dataset in datasets if dataset.endswith(f"_{stem}")]
    return fitting[0] if len(fitting) == 1 else ""


def _dataset_of_segment(stem: str) -> str:
    match = _SEGMENT.fullmatch(stem)
    return "" if match is None else match["dataset"] or match["long"]


def _segment_order(path: Path) -> tuple[int, int]:
    match = _SEGMENT.fullmatch(path.stem)
    return (0, 0) if match is None else (1, int(path.stem.rpartition("_")[2]))
