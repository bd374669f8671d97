"""Find a project's raw runs by participant: index each line's place, and read a participant's lines.

Raw files are in no order. A first pass finds the participant of every line; the places are then sorted by the participants' hashes,
so that each partition is one stretch of them and reads only its own lines. A digest of each line shows the next run whether it
changed.
"""

import functools
import hashlib
import heapq
import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy

from engagement.configuration import Project
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.foundation.errors import InputError, listing
from engagement.foundation.hashes import are_among
from engagement.foundation.partitions import hash_uid
from engagement.foundation.record_files import make_packer, read_records, release_memory, write_records
from engagement.pipeline.outputs.parts import open_part
from engagement.processing.records.raw_checks import RawCheck
from engagement.processing.records.raw_files import RawFiles, unreadable
from engagement.provenance import TracedData, decode

_find_participants = re.compile(rb'"' + PARTICIPANT_KEY.encode() + rb'": ?"([^"\\]*)"').findall
_BYTES_OF_A_STRETCH = 32 * 2**20
_BYTES_AT_A_TIME = 2**18
_RECORDS_AT_A_TIME = 2**16
# The start of the participant's hash, the number of the file, and the line's place in it.
PLACE = numpy.dtype([("hash", "<u8"), ("file", "<u2"), ("offset", "<u8"), ("length", "<u4")])
_pack_place = make_packer(PLACE)
# Runs tasks, given the files that they read and a folder to work in; yields their results in order.
RunTasks = Callable[[Sequence[Callable[[], Any]], Sequence[Path], Path], Iterator[Any]]
# The start of a line's own hash.
DIGEST = numpy.dtype("<u8")


@dataclass(frozen=True)
class Flows:
    """The raw data files of a project, in the order of its sources."""

    activation: tuple[Path, ...]
    survey: tuple[Path, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths of all files."""
        return (*self.activation, *self.survey)


@dataclass
class Runs:
    """The raw runs of one participant, in the order of the flows and then of their files."""

    activation: list[TracedData] = field(default_factory=list)
    survey: list[TracedData] = field(default_factory=list)


@dataclass(frozen=True)
class RunPlaces:
    """Places of all participants' lines, in the order of their hashes, and of lines that name nobody.

    `size` is the number of bytes in the lines; `firsts` has the id that counts for each linked one.
    """

    flows: Flows
    places: numpy.ndarray
    nameless: tuple[tuple[int, int, int], ...]
    size: int
    firsts: Mapping[str, str] = field(default_factory=dict)

    def read(self, count: int, number: int, errors: list[InputError]) -> Iterator[tuple[str, Runs]]:
        """Read the participants of partition `number` of `count`, in the order of their hashed uids.

        Adds an error for each file with a line that can't be read. Only the first partition reports lines that name no
        participant.
        """
        with RawFiles(self.flows.paths, errors) as files:
            if number == 0:
                for place in self.nameless:
                    files.read_nameless(*place)
            # The partition is the highest 32 bits of the hash times `count`, divided by 2**32.
            bounds = [(-(-(part << 32) // count)) << 32 for part in (number, number + 1)]
            # numpy would copy all the hashes to search for one.
            start, end = (bisect_left(self.places["hash"], bound, key=int) for bound in bounds)
            waiting: dict[str, Runs] = {}
            last = None
            places = self.places[start:end].tolist()
            release_memory(self.places)
            for hashed, file, offset, length in places:
                if hashed != last:
                    yield from _in_order(waiting)
                    waiting, last = {}, hashed
                run = files.read_named(file, offset, length)
                if run is not None:
                    uid = run.values[PARTICIPANT_KEY]
                    if self.firsts:
                        uid = self.firsts.get(uid, uid)
                    runs = waiting.get(uid)
                    if runs is None:
                        runs = waiting[uid] = Runs()
                    (runs.activation if file < len(self.flows.activation) else runs.survey).append(run)
            yield from _in_order(waiting)

    def of(self, hashes: numpy.ndarray) -> "RunPlaces":
        """Select the places of some participants, given their hashes in order."""
        places = self.places[are_among(self.places["hash"], hashes)]
        return replace(self, places=places, size=_count_bytes(places))


def _count_bytes(places: numpy.ndarray) -> int:
    return int(places["length"].sum(dtype=numpy.int64))


def _in_order(participants: dict[str, Runs]) -> Iterator[tuple[str, Runs]]:
    # Two hashes with the same start are all but impossible, but if they occur the rest of the hash decides.
    return iter(sorted(participants.items(), key=lambda item: hash_uid(item[0])))


@dataclass(frozen=True)
class LineLocations:
    """Places of lines, in the order of participants' hashes and then of files; and their digests."""

    places: numpy.ndarray
    digests: numpy.ndarray

    def of_file(self, number: int) -> "LineLocations":
        """Select the lines of one file."""
        are_there = self.places["file"] == number
        return LineLocations(self.places[are_there], self.digests[are_there])

    def has_runs(self, uid: str) -> bool:
        """Tell whether any of the lines belong to a participant."""
        hashed = int(hash_uid(uid)[:16], 16)
        # numpy would copy all the hashes to search for one.
        place = bisect_left(self.places["hash"], hashed, key=int)
        return place < len(self.places) and int(self.places["hash"][place]) == hashed

    def count_runs(self, flows: Flows) -> dict[str, int]:
        """Count the runs of each flow, by its name."""
        counts = numpy.bincount(self.places["file"], minlength=len(flows.paths)).tolist()
        return {path.stem: count for path, count in zip(flows.paths, counts, strict=True)}


def find_flows(project: Project, data_root: Path) -> Flows:
    """Find the raw data files of a project.

    Raises
    ------
    InputError
        Lists every flow whose file is missing.
    """
    folder, configuration = data_root / "Raw Data", project.configuration
    flows = Flows(
        tuple(folder / f"{name}.jsonl" for name in configuration.activation_flows),
        tuple(folder / f"{name}.jsonl" for name in configuration.survey_flows),
    )
    missing = [str(path.name) for path in flows.paths if not path.is_file()]
    if missing:
        problems = listing(
            [f"no {name!r}; expected the runs of flow {name.removesuffix('.jsonl')!r}" for name in missing]
        )
        raise InputError(f"{folder}: {problems}\nFetch the raw data (stage 2) and run this again.")
    return flows


def find_runs(
    flows: Flows, run_tasks: RunTasks, known: Mapping[int, LineLocations], folder: Path, check: RawCheck | None = None
) -> tuple[RunPlaces, numpy.ndarray]:
    """Index every line of the raw files.

    `run_tasks` gets the tasks, the files that they read, and `folder`.

    Files whose lines are `known`, by file number, are skipped. Returns the places, and the digest of each line in the same order.
    Both arrays are files in `folder`, not in memory: they alone grow with the number of runs.

    Raises
    ------
    InputError
        A file can't be read, or does not match `check`.
    """
    stretches = [
        (number, path, start)
        for number, path in enumerate(flows.paths)
        if number not in known
        for start in range(0, path.stat().st_size, _BYTES_OF_A_STRETCH)
    ]
    # A file's hash can't be computed in parts, so start with it.
    checks = [] if check is None else check.tasks
    tasks: list[Callable[[], Any]] = [*checks, *(functools.partial(_look, *stretch) for stretch in stretches)]
    found = iter(run_tasks(tasks, flows.paths, folder))
    if check is not None:
        check.take(itertools.islice(found, len(checks)))
    numbered = ((stretch[0], *several) for stretch, several in zip(stretches, found, strict=True))
    nobody: list[tuple[int, int, int]] = []
    others = ((number, lines, nobody) for number, lines in sorted(known.items()))
    nameless: list[tuple[int, int, int]] = []
    size = 0
    with open_part(folder / "places.unsorted") as places_file, open_part(folder / "digests.unsorted") as digests_file:
        for _, lines, without_name in heapq.merge(numbered, others, key=itemgetter(0)):
            write_records(places_file, lines.places)
            write_records(digests_file, lines.digests)
            nameless += without_name
            size += _count_bytes(lines.places)
    unsorted = read_records(folder / "places.unsorted", PLACE)
    # The lines are already in the order of the files, and stay so for each participant.
    order = numpy.argsort(unsorted["hash"], kind="stable")
    places, digests = (_sort(folder, name, kind, order) for name, kind in (("places", PLACE), ("digests", DIGEST)))
    return RunPlaces(flows, places, tuple(nameless), size), digests


def _sort(folder: Path, name: str, kind: numpy.dtype, order: numpy.ndarray) -> numpy.ndarray:
    """Sort an array from one file into another."""
    path = folder / f"{name}.unsorted"
    unsorted = read_records(path, kind)
    with open_part(folder / f"{name}.array") as file:
        for start in range(0, len(order), _RECORDS_AT_A_TIME):
            write_records(file, unsorted[order[start : start + _RECORDS_AT_A_TIME]])
    path.unlink()
    return read_records(folder / f"{name}.array", kind)


def _look(number: int, path: Path, start: int) -> tuple[LineLocations, list[tuple[int, int, int]]]:
    """List the lines that begin in a stretch of a file, and the places of those that name no participant."""
    places: list[bytes] = []
    digests: list[bytes] = []
    nameless: list[tuple[int, int, int]] = []
    try:
        with path.open("rb", buffering=_BYTES_AT_A_TIME) as file:
            if start > 0:
                # The line that reaches into the stretch belongs to the one before.
                file.seek(start - 1)
                file.readline()
            offset = file.tell()
            end = start + _BYTES_OF_A_STRETCH
            while offset < end and (line := file.readline()):
                uid = _find_uid(line)
                if uid is None or not line.endswith(b"\n"):
                    nameless.append((number, offset, len(line)))
                else:
                    hashed = int.from_bytes(hashlib.sha256(uid).digest()[:8])
                    places.append(_pack_place(hashed, number, offset, len(line)))
                    digests.append(hashlib.sha256(line).digest()[:8])
                offset += len(line)
    except OSError as error:
        raise unreadable(path, error) from None
    return LineLocations(
        numpy.frombuffer(b"".join(places), PLACE), numpy.frombuffer(b"".join(digests), DIGEST)
    ), nameless


def _find_uid(line: bytes) -> bytes | None:
    """Find the participant of a raw line, avoiding decoding where possible; None for an unreadable line."""
    found: list[bytes] = _find_participants(line)
    if len(found) == 1:
        return found[0]
    try:
        uid = decode(line).values.get(PARTICIPANT_KEY)
    except ValueError:
        return None
    return uid.encode("utf-8", "surrogatepass") if isinstance(uid, str) else None
