"""Remove messages that are over age from the files of a data root."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from engagement.custody.retention.texts import raw_files
from engagement.foundation.files import explain_os_errors
from engagement.labelling.datasets.adjudications import remove_decisions
from engagement.labelling.datasets.removal import remove_messages
from engagement.provenance import read_traced_data
from engagement.sources.manifest import RawDataWriter
from engagement.sources.message_cut import LineAges
from engagement.sources.rapidpro.state.removal import remove_old_runs
from engagement.sources.state_databases import look_into_state
from engagement.sources.submissions.removal import remove_old_submissions


def remove_from_files(
    data_root: Path,
    datasets: Iterable[tuple[str, frozenset[str]]],
    decided: Mapping[str, frozenset[str]],
    ages: LineAges,
) -> None:
    """Remove texts from the files of Coda, then the lines of Raw Data, then what the fetch holds.

    `datasets` are those with the ids of messages to remove, `decided` those of the first coders alone. Raw Data comes before the
    state of the fetch: of a state with far fewer runs than Raw Data the next fetch would say that they were lost.
    """
    for dataset, own in decided.items():
        remove_decisions(data_root, dataset, own)
    for dataset, own in datasets:
        remove_messages(data_root, dataset, own)
    remove_notes(data_root)
    _remove_lines(data_root, ages)
    for path in sorted((data_root / "State" / "fetch").glob("*.sqlite")):
        tables = _tables_of(path)
        if "submissions" in tables:
            remove_old_submissions(path, ages)
        elif "runs" in tables:
            remove_old_runs(path, ages)


def remove_notes(data_root: Path) -> None:
    """Remove what stages keep of all people.

    That is digests of lines and of texts, what was learnt from labelled texts, and which messages have odd labels. The next
    run is a full one, and learns again from those that are left.
    """
    for name in ("outputs", "suggestions", "known_project"):
        folder = data_root / "State" / name
        with explain_os_errors(folder):
            if folder.exists():
                shutil.rmtree(folder)


def _remove_lines(data_root: Path, ages: LineAges) -> None:
    files = raw_files(data_root)
    writer = RawDataWriter(data_root / "Raw Data")
    for path in files:
        kept = [not ages.removes(record.values) for record in read_traced_data(path)]
        if not all(kept):
            writer.write(path, _read_kept(path, kept))
    if files:
        # Also after a kill: the manifest then still names two versions.
        writer.finish(files)


def _read_kept(path: Path, kept: list[bool]) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line, is_kept in zip(file, kept, strict=True) if is_kept)


def _tables_of(path: Path) -> set[str]:
    with look_into_state(path) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
