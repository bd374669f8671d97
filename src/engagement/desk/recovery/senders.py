"""Uids of the senders in exports. To compare, nobody new gets one."""

from collections.abc import Collection, Iterable, Sequence

from engagement.foundation.errors import ConfigurationError
from engagement.services.uuid_tables.protocol import UuidExchange
from engagement.sources.submissions.respondents import Participants
from engagement.sources.submissions.submission import Respondent

_MOST_PARTICIPANTS = 30


class Senders:
    """Exchanges senders for uids, with the project's uuid table."""

    def __init__(self, table: UuidExchange):
        self._table = table

    def find(self, senders: Sequence[Respondent | str]) -> list[str]:
        """Return the uid of each sender, or another name for one whom the table does not know."""
        return self._exchange(senders, _LookingTable(self._table))

    def get(self, senders: Sequence[Respondent | str]) -> list[str]:
        """Return the uid of each sender; new ones get one."""
        return self._exchange(senders, self._table)

    def _exchange(self, senders: Sequence[Respondent | str], table: UuidExchange) -> list[str]:
        uids = Participants(table).uuids(_numbers_of(senders))
        return [sender if isinstance(sender, str) else uids[sender] for sender in senders]


def _numbers_of(senders: Iterable[Respondent | str]) -> Iterable[Respondent]:
    return (sender for sender in senders if not isinstance(sender, str))


class _LookingTable:
    """A uuid table in which nothing is created: who is not there is somebody new each."""

    def __init__(self, table: UuidExchange):
        self._table = table
        self._new: dict[str, str] = {}

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        found = self._table.find(ids)
        for one in ids:
            if one not in found:
                found[one] = self._new.setdefault(one, f"without a uid {len(self._new) + 1}")
        return found

    def find(self, ids: Collection[str]) -> dict[str, str]:
        return self._table.find(ids)

    def knows_any(self, participants: Sequence[str]) -> bool:
        return self._table.knows_any(participants)

    @property
    def has_gaps(self) -> bool:
        return self._table.has_gaps

    def close(self) -> None:
        """Leave the table open to whom it belongs."""


def refuse_other_table(table: UuidExchange, name: str, participants: Collection[str]) -> None:
    """Refuse a uuid table that knows none of the data root's participants: all would seem missing.

    Raises
    ------
    ConfigurationError
        It knows none of them.
    """
    sample = sorted(participants)[:_MOST_PARTICIPANTS]
    if sample and not table.knows_any(sample):
        raise ConfigurationError(
            f"uuid table {name!r}: it knows none of {len(sample)} participants in Raw Data; expected the table that they got their "
            "uids from. Check PhoneNumberUuidTable and the data root."
        )
