"""Coda in a folder: the embedded twin of Coda V2's Firestore database.

    <directory>/coda/<segment>.json                 the messages of a segment: <dataset>, <dataset>_2, …
    <directory>/coda/<segment>.code_schemes.json    array of code schemes
    <directory>/coda/<segment>.users.json           array of e-mail addresses
    <directory>/coda/<segment>.metrics.json         how far the coding is

A segment exists once its messages file does. The other three files are written first, so the next process overwrites
whatever a killed one left behind. A lock on `.lock` in the folder protects all work.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engagement.foundation.errors import InputError
from engagement.foundation.files import explain_os_errors, make_directory, read_json, write_json
from engagement.services.coda.copies import join_labels
from engagement.services.coda.dataset_errors import DatasetError
from engagement.services.coda.documents import id_of, name_taken, usable_of
from engagement.services.coda.downloads import Download
from engagement.services.coda.folder_downloads import read_changes, read_everything
from engagement.services.coda.format import (
    SEGMENT_SIZE,
    CodeSchemeDocument,
    MessageDocument,
    find_highest_number,
    find_newest_update,
    find_problems_of,
    is_code_scheme,
    name_segment,
    read_message_documents,
    write_time,
)
from engagement.services.coda.labels import find_new_labels
from engagement.services.coda.metrics import count_metrics

_REMEDY = "Repair the file, or restore the embedded Coda folder."


def read_clock() -> datetime:
    """Return the current time, used to stamp writes."""
    return datetime.now(UTC)


class FolderCoda:
    """Coda in an embedded directory."""

    documents_read = 0

    def __init__(self, directory: Path, clock: Callable[[], datetime] = read_clock) -> None:
        self._folder = directory / "coda"
        self._clock = clock
        self.instance = "embedded-" + hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]

    def has_dataset(self, dataset: str) -> bool:
        """Tell whether the dataset exists, even without messages."""
        return self._messages_path(dataset).exists()

    def download(self, dataset: str, since: datetime | None = None) -> Download:
        """Read all messages, or what changed since; see CodaDatabase."""
        with self._lock(fcntl.LOCK_SH):
            segments = [(segment, self._messages_path(segment)) for segment in self._segments(dataset)]
            if since is not None:
                return read_changes(segments, since, _REMEDY)
            whole = read_everything(segments, _REMEDY)
        # The clock may be set back, but no change is stamped before the newest.
        return replace(whole, moment=find_newest_update(whole.messages))

    def read_messages(self, dataset: str, updated_since: datetime | None = None) -> list[MessageDocument]:
        """Read all usable messages, or those updated since a given time, as of one moment."""
        return self.download(dataset, updated_since).messages

    def read_code_schemes(self, dataset: str) -> list[CodeSchemeDocument]:
        """Read the code schemes for labelling the dataset's next messages."""
        with self._lock(fcntl.LOCK_SH):
            segments = self._segments(dataset)
            return self._read_code_schemes(segments[-1]) if segments else []

    def read_code_schemes_of_all_segments(self, dataset: str) -> list[list[CodeSchemeDocument]]:
        """Read the code schemes of each segment; see CodaDatabase."""
        with self._lock(fcntl.LOCK_SH):
            return [self._read_code_schemes(segment) for segment in self._segments(dataset)]

    def read_users(self, dataset: str) -> list[str]:
        """Read the users who may label the dataset's next messages."""
        with self._lock(fcntl.LOCK_SH):
            segments = self._segments(dataset)
            return self._read_users(segments[-1]) if segments else []

    def create_dataset(self, dataset: str, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]) -> None:
        """Create an empty dataset, unless it exists.

        Raises
        ------
        ServiceError
            Another dataset already uses its name, or the name of its second segment: their messages would get mixed up.
        """
        with self._lock(fcntl.LOCK_EX):
            if self.has_dataset(dataset):
                return
            stem, _, number = dataset.rpartition("_")
            second = name_segment(dataset, 2)
            if number.isdecimal() and self.has_dataset(stem):
                raise name_taken(dataset, stem)
            if self.has_dataset(second):
                raise name_taken(second, dataset)
            self._write_segment(dataset, [], users, code_schemes)

    def add_messages(self, dataset: str, messages: Sequence[MessageDocument], known_count: int | None = None) -> int:
        """Add the messages that the dataset lacks; see CodaDatabase."""
        with self._lock(fcntl.LOCK_EX):
            segments = self._segments(dataset)
            if not segments:
                raise DatasetError(f"Coda folder: no dataset {dataset!r}; expected it to exist. Create it first.")
            contents = {segment: self._read_segment(segment) for segment in segments}
            present = usable_of(message for content in contents.values() for message in content)
            known = {id_of(message) for content in contents.values() for message in content}
            new = [message for message in messages if message["MessageID"] not in known]
            stamp = self._stamp(present)
            first_number = find_highest_number(present) + 1
            numbered = [
                {**message, "SequenceNumber": number, "LastUpdated": stamp}
                for number, message in enumerate(new, start=first_number)
            ]
            self._fill_segments(dataset, segments, contents[segments[-1]], numbered)
            return len(numbered)

    def save_labels(self, dataset: str, messages: Sequence[MessageDocument]) -> None:
        """Replace messages' labels, as people do on Coda's page; simulated coders use this.

        Only uses MessageID and Labels of `messages`. The next incremental download includes those whose labels change.
        """
        labels = {message["MessageID"]: message["Labels"] for message in messages}
        self.replace_labels(dataset, labels, lambda _: True)

    def replace_labels(
        self, dataset: str, labels: Mapping[str, Sequence[Mapping[str, Any]]], may_replace: Callable[[Any], bool]
    ) -> int:
        """Set the labels of messages that may be replaced, all in one step; see CodaDatabase."""
        with self._lock(fcntl.LOCK_EX):
            contents = {segment: self._read_segment(segment) for segment in self._segments(dataset)}
            stamp = self._stamp(usable_of(message for content in contents.values() for message in content))
            replaced = 0
            for segment, content in contents.items():
                found = [find_new_labels(item, labels, may_replace) for item in content]
                if count := sum(new is not None for new in found):
                    labelled = [
                        item if new is None else {**item, "Labels": new, "LastUpdated": stamp}
                        for item, new in zip(content, found, strict=True)
                    ]
                    self._write_segment(segment, labelled, self._read_users(segment), self._read_code_schemes(segment))
                    replaced += count
            return replaced

    def join_copies(self, dataset: str, copies: Mapping[str, Sequence[str]]) -> None:
        """Leave one copy of each of these messages; see CodaDatabase."""
        with self._lock(fcntl.LOCK_EX):
            contents = {segment: self._read_segment(segment) for segment in self._segments(dataset)}
            everything = [document for content in contents.values() for document in content]
            stamp = self._stamp(usable_of(everything))
            joined = {
                name: join_labels([item for item in everything if id_of(item) == name and not find_problems_of(item)])
                for name in copies
            }
            # First the segments that keep a copy: after a kill, the labels are there.
            for segment, content in contents.items():
                kept = [
                    {**item, "Labels": joined[name], "LastUpdated": stamp}
                    if (name := id_of(item)) is not None and copies.get(name, ("",))[0] == segment
                    else item
                    for item in content
                    if copies.get(id_of(item) or "", (segment,))[0] == segment
                ]
                if kept != content:
                    self._write_segment(segment, kept, self._read_users(segment), self._read_code_schemes(segment))

    def remove_messages(self, dataset: str, message_ids: Collection[str]) -> None:
        """Remove messages; see CodaDatabase."""
        with self._lock(fcntl.LOCK_EX):
            for segment in self._segments(dataset):
                content = self._read_segment(segment)
                kept = [item for item in content if id_of(item) not in message_ids]
                if kept != content:
                    self._write_segment(segment, kept, self._read_users(segment), self._read_code_schemes(segment))

    def read_users_of_all_segments(self, dataset: str) -> list[list[str]]:
        """Read each segment's users, in segment order."""
        with self._lock(fcntl.LOCK_SH):
            return [self._read_users(segment) for segment in self._segments(dataset)]

    def set_up_segment(
        self, dataset: str, number: int, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]
    ) -> None:
        """Add users to a segment, and set code schemes in it; see CodaDatabase."""
        segment = name_segment(dataset, number)
        with self._lock(fcntl.LOCK_EX):
            schemes = {scheme["SchemeID"]: scheme for scheme in self._read_code_schemes(segment)}
            schemes.update((scheme["SchemeID"], scheme) for scheme in code_schemes)
            write_json(self._path(segment, "users"), list(dict.fromkeys([*self._read_users(segment), *users])))
            write_json(self._path(segment, "code_schemes"), list(schemes.values()))

    def _fill_segments(
        self, dataset: str, segments: list[str], last: list[MessageDocument], new: list[MessageDocument]
    ) -> None:
        """Write new messages to the last segment until it is full, then to new segments."""
        segment, content, count = segments[-1], last, len(segments)
        users, code_schemes = self._read_users(segment), self._read_code_schemes(segment)
        while new:
            room = max(0, SEGMENT_SIZE - len(content))
            if room:
                self._write_segment(segment, content + new[:room], users, code_schemes)
            new = new[room:]
            count += 1
            segment, content = name_segment(dataset, count), []

    def _write_segment(
        self,
        segment: str,
        messages: list[MessageDocument],
        users: Sequence[str],
        code_schemes: Sequence[CodeSchemeDocument],
    ) -> None:
        write_json(self._path(segment, "users"), list(users))
        write_json(self._path(segment, "code_schemes"), list(code_schemes))
        # Metrics before messages: if we are killed in between, there are still messages to add, so the count is
        # redone.
        write_json(self._path(segment, "metrics"), count_metrics(messages, code_schemes))
        write_json(self._messages_path(segment), messages)

    def _stamp(self, present: list[MessageDocument]) -> str:
        """Return the time of a change; never earlier than a time that a reader may already have seen."""
        now = self._clock()
        return write_time(max(now, find_newest_update(present) or now))

    def _segments(self, dataset: str) -> list[str]:
        segments: list[str] = []
        while self._messages_path(segment := name_segment(dataset, len(segments) + 1)).exists():
            segments.append(segment)
        return segments

    def _read_segment(self, segment: str) -> list[Any]:
        """Read a segment's documents, those that somebody broke included: they stay as they are."""
        return read_message_documents(self._messages_path(segment), _REMEDY)

    def _read_users(self, segment: str) -> list[str]:
        return self._read_list(segment, "users", lambda user: isinstance(user, str), "e-mail addresses")

    def _read_code_schemes(self, segment: str) -> list[CodeSchemeDocument]:
        return self._read_list(segment, "code_schemes", is_code_scheme, "code schemes")

    def _read_list(self, segment: str, name: str, is_item: Callable[[Any], bool], what: str) -> list[Any]:
        path = self._path(segment, name)
        if not path.exists():
            return []
        items = read_json(path, what=f"a JSON array of {what}")
        if not isinstance(items, list) or not all(map(is_item, items)):
            raise InputError(f"{path}: not {what}; expected a JSON array of {what}. {_REMEDY}")
        return items

    def _messages_path(self, segment: str) -> Path:
        return self._folder / f"{segment}.json"

    def _path(self, segment: str, what: str) -> Path:
        return self._folder / f"{segment}.{what}.json"

    @contextlib.contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        """Hold the folder's lock; the operating system releases it when the process dies."""
        make_directory(self._folder)
        path = self._folder / ".lock"
        with explain_os_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)
