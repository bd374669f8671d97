"""Take over an earlier pipeline's data root: raw runs, verified, and labels.

The old one is only read. The new one appears whole, or not at all.
"""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.configuration.participant_ids import split_participant_id
from engagement.desk.project_import.old_data.dataset_files import DatasetFiles, find_dataset_files, read_dataset_files
from engagement.desk.project_import.old_data.old_phone_numbers import (
    NumberedParticipantError,
    NumberKind,
    hide_numbers_in_quotes,
    leave_out_numbers_of_message,
    read_clean_run,
)
from engagement.foundation.errors import InputError, UsageError, count_of, listing
from engagement.foundation.files import make_directory, open_bytes_for_writing, write_json
from engagement.foundation.replaced_folders import replace_folder
from engagement.labelling.datasets.datasets import coded_file
from engagement.provenance import ChainError
from engagement.sources.manifest import RawDataWriter

RAW_DATA = "Raw Data"
CODED_FILES = "Coded Coda Files"
_PIECE_BYTES = 1 << 20
_JSONPICKLE = b'"py/object"'


@dataclass
class TakenData:
    """What was taken over. `folder` is where it is while it is not yet in its place."""

    folder: Path
    runs: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    masked: Counter[NumberKind] = field(default_factory=Counter)
    participants: set[str] = field(default_factory=set)
    prefixes: Counter[str] = field(default_factory=Counter)
    renamed: dict[str, str] = field(default_factory=dict)
    left: list[Path] = field(default_factory=list)
    datasets: DatasetFiles | None = None


def refuse_places(old: Path, new: Path, others: Sequence[Path]) -> None:
    """Refuse a new data root that exists, or is in `old` or one of `others`.

    Raises
    ------
    UsageError
        With what is wrong, before anything is read.
    """
    if not (old / RAW_DATA).is_dir():
        raise UsageError(
            f"{old}: no folder '{RAW_DATA}'; expected the data root of the earlier pipeline, which has one. Check --data-root."
        )
    if new.exists() or new.is_symlink():
        raise UsageError(
            f"{new}: it exists; expected a new data root, which the import creates whole. Name another, or move it away."
        )
    for other in (old, *others):
        first, second = new.resolve(), other.resolve()
        # A folder that appears whole would replace what is in it.
        if first.is_relative_to(second) or second.is_relative_to(first):
            raise UsageError(
                f"{new}: one of it and {other} is in the other; expected two separate folders. Name another."
            )


@contextlib.contextmanager
def take_over_data_root(
    old: Path, new: Path, configuration: PipelineConfiguration, datasets: Sequence[str], local_names: Mapping[str, str]
) -> Iterator[TakenData]:
    """Copy what the project reads of an old data root; `new` appears when the block ends.

    `datasets` are the names in Coda of the datasets to take over; `local_names` maps old names of their files, without their
    ending, to these.

    Raises
    ------
    InputError
        With the first fault of every raw file, or every damaged Coda file. Nothing is left behind.
    """
    with replace_folder(new) as folder:
        taken = TakenData(folder)
        _take_raw_data(old / RAW_DATA, configuration, taken)
        if (old / CODED_FILES).is_dir():
            taken.datasets = find_dataset_files(old / CODED_FILES, datasets, local_names)
            _take_datasets(taken.datasets, folder, taken.masked)
        yield taken


def _take_raw_data(old: Path, configuration: PipelineConfiguration, taken: TakenData) -> None:
    flows = (*configuration.activation_flows, *configuration.survey_flows)
    sources = _find_files(old, flows)
    taken.missing = [flow for flow in flows if flow not in sources]
    if not sources:
        raise InputError(
            f"{old}: no file of any of the project's {count_of(len(flows), 'flow')}, like {flows[0] + '.jsonl'!r}; expected the "
            "raw data of this project. Check --data-root and --pipeline."
            if flows
            else f"{old}: the project has no flows; expected some. Nothing was taken over."
        )
    read_keys = frozenset(remapping.rapid_pro_key for remapping in configuration.rapid_pro_key_remappings)
    writer = RawDataWriter(make_directory(taken.folder / RAW_DATA))
    problems: list[str] = []
    for flow, source in sources.items():
        try:
            runs = _Runs(source, configuration.participant_prefix, read_keys, taken)
            writer.write(writer.folder / f"{flow}.jsonl", runs.read())
            taken.runs[flow] = runs.count
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError(
            f"{listing(problems)}\nNothing was taken over. Restore the files from a backup, or leave --data-root out and let stage 2 "
            "fetch the runs again."
        )
    writer.finish(writer.folder / f"{flow}.jsonl" for flow in sources)
    taken.renamed = {source.stem: flow for flow, source in sources.items() if source.stem != flow}
    used = set(sources.values())
    taken.left = sorted(path for path in old.rglob("*") if path.is_file() and path not in used)


def _find_files(old: Path, flows: Sequence[str]) -> dict[str, Path]:
    """Find the flows' files; earlier pipelines cut names of a bucket's files at the first dot."""
    found = {}
    for flow in flows:
        cut = flow.partition(".")[0]
        for name in (flow, *([cut] if cut and cut not in flows else [])):
            if (old / f"{name}.jsonl").is_file():
                found[flow] = old / f"{name}.jsonl"
                break
    return found


class _Runs:
    """The runs of one old file, verified and without phone numbers; `count` after `read`."""

    def __init__(self, path: Path, prefix: str, read_keys: Collection[str], taken: TakenData) -> None:
        self._path, self._prefix, self._read_keys, self._taken = path, prefix, read_keys, taken
        self.count = 0

    def read(self) -> Iterator[bytes]:
        """Yield pieces of whole lines."""
        lines: list[bytes] = []
        size = 0
        try:
            with self._path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    lines.append(self._clean(number, line))
                    size += len(lines[-1])
                    if size >= _PIECE_BYTES:
                        yield b"".join(lines)
                        lines, size = [], 0
        except OSError as error:
            raise InputError(f"{self._path}: could not be read: {error.strerror}; expected raw runs.") from None
        yield b"".join(lines)

    def _clean(self, number: int, line: bytes) -> bytes:
        try:
            clean, participant = read_clean_run(line, self._prefix, self._taken.masked, self._read_keys)
        except (ChainError, NumberedParticipantError) as error:
            what = str(error)
            if isinstance(error, ChainError) and _JSONPICKLE in line:
                what = (
                    "written with jsonpickle, as in 2018, so that no hash can be verified; expected a list of updates"
                )
            raise InputError(f"{self._path}, line {number}: {hide_numbers_in_quotes(what)}.") from None
        except UnicodeDecodeError:
            raise InputError(f"{self._path}, line {number}: it is not UTF-8 text; expected UTF-8.") from None
        if participant not in self._taken.participants:
            self._taken.participants.add(participant)
            self._taken.prefixes[split_participant_id(participant, self._prefix)[0]] += 1
        self.count += 1
        return clean


def _take_datasets(files: DatasetFiles, folder: Path, masked: Counter[NumberKind]) -> None:
    messages = read_dataset_files(files)
    make_directory(folder / CODED_FILES)
    for dataset, paths in files.by_dataset.items():
        target = coded_file(folder, dataset)
        before = masked.total()
        for message in messages[dataset]:
            leave_out_numbers_of_message(message, masked)
        if len(paths) == 1 and masked.total() == before:
            with open_bytes_for_writing(target) as file:
                file.write(paths[0].read_bytes())
        else:
            write_json(target, messages[dataset])
