"""Configuration of a Telegram group whose messages come from exports."""

from collections.abc import Iterator, Sequence
from typing import Literal, Self
from zoneinfo import ZoneInfo

from engagement.configuration.model import key
from engagement.configuration.plan_checks import find_repeated
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource, RawDataSource, ResultKeys
from engagement.configuration.value_types import FlowName, StorageUrl, TimeZone

# The name that a message's answer has in the raw data: "Message (Text) - listeners_telegram".
FIELD = "Message"
_LARGEST_ID = 2**52


class TelegramGroupSource(RawDataSource):
    """Messages of one group, from exports of Telegram's desktop client."""

    flow_keys = ("FlowName", "")
    result_keys = ResultKeys.ITS_OWN_FLOWS
    uses_uuid_table = True
    read_by_fetch_alone = frozenset({"group_id", "former_group_id", "export_urls", "time_zone", "bot_ids"})

    source_type: Literal["TelegramGroup"] = key("SourceType", "'TelegramGroup'", "TelegramGroup")
    flow_name: FlowName = key(
        "FlowName", "what the group is called here: in keys of the raw data and in Raw Data/", "listeners_telegram"
    )
    group_id: int = key(
        "GroupID",
        "the group's number: 'id' at the beginning of an export; with or without the -100 that bots see before it",
        1589865544,
        ge=-_LARGEST_ID,
        le=_LARGEST_ID,
    )
    former_group_id: int | None = key(
        "FormerGroupID",
        "number of the basic group that it was before it became a supergroup, where exports of that are among the others",
        4213377,
        None,
        ge=-_LARGEST_ID,
        le=_LARGEST_ID,
    )
    export_urls: tuple[StorageUrl, ...] = key(
        "ExportURLs",
        "exports in the format 'Machine-readable JSON': files, and folders on this machine with files or folders of such",
        ["file:///exports/listeners"],
        min_length=1,
    )
    time_zone: TimeZone | None = key(
        "TimeZone",
        "time zone of the computer that made the exports, where it was an old client that wrote local times alone",
        "Africa/Nairobi",
        None,
    )
    bot_ids: tuple[int, ...] = key(
        "BotIDs", "numbers of the bots in the group, whose messages are left out", [987654321], ()
    )

    @property
    def activation_flow_names(self) -> tuple[str, ...]:
        """Name of the group's messages."""
        return (self.flow_name,)

    @property
    def survey_flow_name(self) -> None:
        """No flow is about participants."""
        return None

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """None: a group is not asked question by question."""
        return ()

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone of local times."""
        return ZoneInfo(self.time_zone) if self.time_zone is not None else None

    @property
    def group_number(self) -> int:
        """The group's number as in exports."""
        return _bare(self.group_id)

    @property
    def former_group_number(self) -> int | None:
        """The former group's number as in exports."""
        return None if self.former_group_id is None else _bare(self.former_group_id)

    def placed_flows(self) -> Iterator[tuple[str, str]]:
        """Its flow, with its place in the source."""
        yield "FlowName", self.flow_name

    def placed_results(self) -> Iterator[tuple[str, str, str]]:
        """The messages' text."""
        yield "FlowName", self.flow_name, FIELD

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find groups that are configured twice: each message would be two."""
        numbers = [(f"{at}.GroupID", str(source.group_number)) for at, source in sources]
        numbers += [
            (f"{at}.FormerGroupID", str(source.former_group_number))
            for at, source in sources
            if source.former_group_id is not None
        ]
        yield from find_repeated(numbers, "group's number")


def _bare(number: int) -> int:
    """Return a group's number without what bots see before it.

    >>> _bare(-1001589865544), _bare(-4213377), _bare(1589865544)
    (1589865544, 4213377, 1589865544)
    """
    digits = str(abs(number))
    return int(digits[3:] if number < 0 and digits.startswith("100") and len(digits) > 12 else digits)
