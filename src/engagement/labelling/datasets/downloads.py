"""Where the next download of a dataset begins, and what an operator is told of a download.

    State/coda/download_moments.json    of each dataset's coded file: its digest, and the moment of Coda that it shows
    State/coda/labels_read.json         when all datasets were last read, where `Retention.RawTexts` asks

A dataset that nobody touched since that moment has nothing to download. Without the moment, or if the coded file is
another one, say of a back-up, the download begins at the file's newest LastUpdated: everything added or labelled within
a minute of that is read again.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from engagement.foundation.files import hold_directory, make_directory
from engagement.labelling.datasets.datasets import coded_file
from engagement.labelling.datasets.known_messages import read_state, write_state
from engagement.services.coda.downloads import Download
from engagement.services.coda.format import MessageDocument, find_newest_update, parse_time

log = logging.getLogger(__name__)

_MOST_NAMED = 10


def find_start(
    data_root: Path, dataset: str, held: Sequence[MessageDocument], as_written: bool | None = None
) -> datetime | None:
    """Return the start of a download that continues the file of these messages; None: read everything.

    `as_written` is what `is_as_written` found, if it was asked already.
    """
    newest = find_newest_update(held)
    # Messages without LastUpdated only come with a full read.
    if newest is None or not (is_as_written(data_root, dataset) if as_written is None else as_written):
        return newest
    return parse_time(read_state(_moments_file(data_root))["Moments"][dataset]["Moment"])


def is_as_written(data_root: Path, dataset: str) -> bool:
    """Tell whether the coded file is, byte for byte, the one that the last download wrote."""
    moment = read_state(_moments_file(data_root)).get("Moments", {}).get(dataset)
    path = coded_file(data_root, dataset)
    return moment is not None and path.exists() and bool(moment["SHA256"] == _digest(path))


def record_moment(data_root: Path, dataset: str, moment: datetime | None) -> None:
    """Record the moment of Coda that the coded file shows, once the file is there."""
    path = _moments_file(data_root)
    with hold_directory(path.parent):
        moments = read_state(path).get("Moments", {})
        found = None
        if moment is not None:
            found = {"SHA256": _digest(coded_file(data_root, dataset)), "Moment": moment.isoformat()}
        write_state(path, {"Moments": {**moments, dataset: found}})


@contextlib.contextmanager
def renew_digest(data_root: Path, dataset: str) -> Iterator[None]:
    """Keep the moment that the coded file shows, though the block takes messages out of it."""
    path = _moments_file(data_root)
    moments = read_state(path).get("Moments", {})
    found = moments.get(dataset)
    is_known = found is not None and found["SHA256"] == _digest(coded_file(data_root, dataset))
    yield
    if is_known:
        found = {**found, "SHA256": _digest(coded_file(data_root, dataset))}
        write_state(path, {"Moments": {**moments, dataset: found}})


def record_reading(data_root: Path, begun: datetime) -> None:
    """Record that all datasets were read, from this time on."""
    path = _reading_file(data_root)
    make_directory(path.parent)
    write_state(path, {"Begun": begun.isoformat()})


def find_last_reading(data_root: Path) -> datetime | None:
    """Find when all datasets were last read, by the time at which that began; None if nobody knows."""
    try:
        return parse_time(read_state(_reading_file(data_root))["Begun"])
    except (KeyError, TypeError, ValueError):
        # Nobody noted it, or somebody changed the note by hand.
        return None


def warn_of_oddities(dataset: str, download: Download) -> None:
    """Name the documents that are no messages, and the texts that are there twice."""
    for said in download.set_aside[:_MOST_NAMED]:
        path, _, problem = said.partition(": ")
        # Imported here, as it needs the models, and such documents are rare.
        from engagement.configuration.numbers_in_names import holds_phone_number

        # Somebody may have made the document by hand, with any name.
        shown = f"a document of {dataset!r}" if holds_phone_number(path.rpartition("/")[2]) else path
        log.warning(
            "Coda: %s: %s; expected a message. It is set aside, and its labels count for nothing. Correct or delete it "
            "in Coda, then run stage 1 with --full.",
            shown,
            problem,
        )
    if len(download.set_aside) > _MOST_NAMED:
        log.warning("Coda %r: … and %d more set aside", dataset, len(download.set_aside) - _MOST_NAMED)
    if download.copies:
        segments = sorted({segment for names in download.copies.values() for segment in names})
        log.warning(
            "Coda %r: %d message(s) are there twice, in segments %s; expected each once. Kept the copy that a coder "
            "labelled, or labelled last. Run 'engagement coda-mend', which joins their labels, and add messages with "
            "one tool only.",
            dataset,
            len(download.copies),
            ", ".join(map(repr, segments)),
        )


def _moments_file(data_root: Path) -> Path:
    return data_root / "State" / "coda" / "download_moments.json"


def _reading_file(data_root: Path) -> Path:
    return data_root / "State" / "coda" / "labels_read.json"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
