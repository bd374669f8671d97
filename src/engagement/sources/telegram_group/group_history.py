"""Read all exports of a group together: the newest edit of each message, and those that are gone.

Exports overlap. Of a message that stands in several the latest edit counts. A message is gone if an export lacks it that ends later
than each that has it, and that has messages from before and after it. The text stays in the files: only numbers are kept here, so
that a large history fits into little memory.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engagement.foundation.errors import InputError
from engagement.sources.submissions.submission import UnreadableSubmission
from engagement.sources.telegram_group.export_files import ExportFile, open_export
from engagement.sources.telegram_group.export_stream import DamagedExportError, ExportStream
from engagement.sources.telegram_group.messages import (
    FORMER_SHIFT,
    ExportedMessage,
    LeftOutMessage,
    MessageReader,
    NoTimeZoneError,
    UnreadableMessageError,
)
from engagement.sources.telegram_group.model import TelegramGroupSource

_WORD = re.compile("[a-z_]+")
_GROUPS = frozenset({"private_group", "private_supergroup", "public_supergroup"})


class Stretch(NamedTuple):
    """The messages of an export, from the first to the last; a later `rank` is a later export."""

    first: int
    last: int
    rank: tuple[int, int, str]


class _Version(NamedTuple):
    edited: int
    export: int
    digest: int
    # The latest export that has the message, in whatever version.
    seen_in: int


class GroupHistory:
    """The messages of all exports of a group, each by its number."""

    def __init__(self, source: TelegramGroupSource, files: list[ExportFile]):
        self._source = source
        self._files = files
        self._reader = MessageReader(source.zone, source.bot_ids)
        self._versions: dict[int, _Version] = {}
        self._stretches: list[Stretch] = []
        self.left_out: Counter[LeftOutMessage] = Counter()
        # By place, as a file can be read twice.
        self._unreadable: dict[str, UnreadableSubmission] = {}
        self._unreadable_keys: set[str] = set()
        self.received = 0
        for export, file in enumerate(files):
            self._read_in(export, file)
        self._remove_gone()

    def kept(self) -> Iterator[tuple[int, int]]:
        """Give the number and the digest of each message that is a participant's."""
        return ((number, version.digest) for number, version in self._versions.items() if version.digest)

    @property
    def unreadable(self) -> list[UnreadableSubmission]:
        """The messages that can't be used, in the order of the files."""
        return list(self._unreadable.values())

    def key(self, number: int) -> str:
        """Name a message: numbers run in each group anew."""
        return f"{self._source.group_number}:{number}"

    def find_gone(self, held: Iterable[str]) -> list[str]:
        """Find the keys of messages that are gone, or count no more. Those that no export covers stay."""
        kept = {self.key(number) for number, _ in self.kept()}
        return [
            key
            for key in held
            if key not in kept and key not in self._unreadable_keys and self._is_known_or_covered(key)
        ]

    def _is_known_or_covered(self, key: str) -> bool:
        group, _, number = key.partition(":")
        if group != str(self._source.group_number):
            # The group of the source was changed.
            return True
        return any(stretch.first <= int(number) <= stretch.last for stretch in self._stretches)

    def messages(self, wanted: dict[int, int]) -> Iterator[ExportedMessage]:
        """Read wanted messages, digests by number, each in its newest version and once."""
        by_export = Counter(self._versions[number].export for number in wanted)
        for export in sorted(by_export):
            for message in self._read(self._files[export]):
                number = message.number
                if wanted.get(number) == message.digest() and self._versions[number].export == export:
                    del wanted[number]
                    yield message

    def _read_in(self, export: int, file: ExportFile) -> None:
        found: dict[int, tuple[int, int]] = {}
        latest_sent = latest_edited = 0
        for message in self._read(file):
            self.received += 1
            latest_sent = max(latest_sent, message.sent)
            latest_edited = max(latest_edited, message.edited)
            found[message.number] = max(found.get(message.number, (0, 0)), (message.edited, message.digest()))
            if message.left_out is not None and message.number not in self._versions:
                self.left_out[message.left_out] += 1
        if not found:
            self._stretches.append(Stretch(1, 0, (0, 0, file.name)))
            return
        rank = (latest_sent, latest_edited, file.name)
        self._stretches.append(Stretch(min(found), max(found), rank))
        for number, (edited, digest) in found.items():
            known = self._versions.get(number)
            if known is None:
                self._versions[number] = _Version(edited, export, digest, export)
                continue
            is_later = rank > self._stretches[known.seen_in].rank
            seen_in = export if is_later else known.seen_in
            if (edited, rank) > (known.edited, self._stretches[known.export].rank):
                known = _Version(edited, export, digest, seen_in)
            self._versions[number] = known._replace(seen_in=seen_in)

    def _remove_gone(self) -> None:
        if len(self._stretches) < 2:
            return
        gone = [
            number
            for number, version in self._versions.items()
            if any(
                stretch.first <= number <= stretch.last and stretch.rank > self._stretches[version.seen_in].rank
                for stretch in self._stretches
            )
        ]
        for number in gone:
            del self._versions[number]

    def _read(self, file: ExportFile) -> Iterator[ExportedMessage]:
        with open_export(file) as content:
            stream = ExportStream(content)
            position = 0
            try:
                shift = self._shift(file, stream.header())
                for position, row in enumerate(stream.messages(), 1):
                    try:
                        message = self._reader.read(row)
                    except NoTimeZoneError:
                        raise InputError(
                            f"{file.name}, message {position}: only a local time, as in exports of old versions; expected date_unixtime. "
                            "Add the TimeZone of the computer that made the export to the source."
                        ) from None
                    except UnreadableMessageError as error:
                        self._set_aside(f"{file.name}, message {position}", row, shift, str(error))
                        continue
                    yield message if not shift else message._replace(number=message.number - shift)
            except DamagedExportError as error:
                raise InputError(
                    f"{file.name}, behind message {position}: {error}. Nothing of it was taken. Export the group again, in the format "
                    "'Machine-readable JSON', or copy the file again."
                ) from None

    def _set_aside(self, place: str, row: object, shift: int, reason: str) -> None:
        number = row.get("id") if isinstance(row, dict) else None
        key = self.key(number - shift) if isinstance(number, int) else place
        self._unreadable[place] = UnreadableSubmission(key, place, reason)
        self._unreadable_keys.add(key)

    def _shift(self, file: ExportFile, header: dict[str, object]) -> int:
        """Check of which group an export is; return what to take from its messages' numbers."""
        kind, group = header.get("type"), header.get("id")
        if kind not in _GROUPS:
            # What is no word of Telegram's could be anything, even somebody's number.
            shown = kind if isinstance(kind, str) and _WORD.fullmatch(kind) else None
            raise InputError(
                f"{file.name}: an export of a chat of the type {shown!r}; expected one of a group. Check ExportURLs."
            )
        if group == self._source.group_number:
            return 0
        if group is not None and group == self._source.former_group_number:
            return FORMER_SHIFT
        raise InputError(
            f"{file.name}: an export of group {group if isinstance(group, int) else None}; expected {self._source.group_number}. "
            "Check ExportURLs. If it is the same group from before it became a supergroup, add this number as FormerGroupID."
        )
