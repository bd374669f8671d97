"""Count the coders' labels that a wrong remedy would lose, even while a scheme can't be read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from engagement.configuration.problems import AtStake
from engagement.foundation.errors import InputError
from engagement.labelling.datasets.datasets import coded_file
from engagement.pipeline.coding.labels import counts, newest_by_scheme_id
from engagement.services.coda.format import MessageDocument, read_message_file
from engagement.services.coda.metrics import primary_scheme_id


class LabelsAtStake:
    """The labels in a data root that count, by dataset; the files are read on first use."""

    def __init__(self, data_root: Path) -> None:
        self._data_root = data_root

    def say(self, stake: AtStake) -> str:
        """Return a sentence with the number of messages that have the labels, to add to an error."""
        parts = list(self._count_codes(stake) if stake.code_ids else self._count_messages(stake))
        parts += [f"{path.name} can't be read" for path in self._unreadable]
        what = f"in {stake.dataset!r}" if stake.dataset is not None else f"under {stake.scheme_id!r}"
        return f" Labelled {what}: {'; '.join(parts) or 'no message'}."

    def _count_codes(self, stake: AtStake) -> Iterator[str]:
        for code_id in stake.code_ids:
            for dataset, messages in self._labels.items():
                count = sum((stake.scheme_id, code_id) in labels for labels in messages)
                if count:
                    yield f"{code_id!r} on {count} message(s) of {dataset!r}"

    def _count_messages(self, stake: AtStake) -> Iterator[str]:
        if stake.dataset is not None:
            found = Counter(
                scheme for labels in self._labels.get(stake.dataset, []) for scheme in {scheme for scheme, _ in labels}
            )
            yield from (f"{count} message(s) under {scheme!r}" for scheme, count in sorted(found.items()))
            return
        for dataset, messages in self._labels.items():
            count = sum(any(scheme == stake.scheme_id for scheme, _ in labels) for labels in messages)
            if count:
                yield f"{count} message(s) of {dataset!r}"

    @cached_property
    def _labels(self) -> dict[str, list[set[tuple[str, str]]]]:
        """Labels of each labelled message, by dataset: SchemeID, for a copy also its scheme's, and CodeID."""
        return {
            path.stem: [labels for message in messages if (labels := _labels_of(message["Labels"]))]
            for path, messages in self._files.items()
            if messages is not None
        }

    @property
    def _unreadable(self) -> list[Path]:
        return [path for path, messages in self._files.items() if messages is None]

    @cached_property
    def _files(self) -> dict[Path, list[MessageDocument] | None]:
        paths = sorted(coded_file(self._data_root, "").parent.glob("*.json"))
        return {path: _read(path) for path in paths}


def _read(path: Path) -> list[MessageDocument] | None:
    """Read a file's messages; None for a damaged file, which the comparison of labels reports."""
    try:
        return read_message_file(path, "")
    except InputError:
        return None


def _labels_of(labels: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    newest = newest_by_scheme_id(labels)
    # A scheme's own id can end like that of a copy.
    return {
        (name, label["CodeID"])
        for scheme_id, label in newest.items()
        if counts(label)
        for name in (scheme_id, primary_scheme_id(scheme_id, set()))
    }
