"""Phone numbers of selected participants, in memory: from RapidPro, others from the uuid table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engagement.configuration.source_types import load_part
from engagement.delivery.selections.people import People
from engagement.foundation.errors import count_of
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_credentials, read_token
from engagement.services.uuid_tables.protocol import open_uuid_table


@dataclass(frozen=True)
class FoundNumbers:
    """The numbers of participants, and how many have none.

    `inactive` have a contact that was blocked, stopped or archived, `gone` none any more; `unknown` have no number that
    anything here can tell; `shared` are numbers that another participant has as well, who is kept.
    """

    by_uid: Mapping[str, str]
    inactive: int = 0
    gone: int = 0
    unknown: int = 0
    shared: int = 0

    def say(self) -> str:
        """Write the counts in words.

        >>> FoundNumbers({}, inactive=2, unknown=1).say()
        '0 numbers; left out 2 blocked, stopped or archived in RapidPro, 1 without a known number'
        """
        told = (
            (self.inactive, "blocked, stopped or archived in RapidPro"),
            (self.gone, "no longer in RapidPro"),
            (self.unknown, "without a known number"),
            (self.shared, "with the number of another"),
        )
        left_out = ", ".join(f"{count:,} {what}" for count, what in told if count)
        return count_of(len(self.by_uid), "number") + (f"; left out {left_out}" if left_out else "")


def find_numbers(people: People, uids: Sequence[str], storage: Storage, policy: RetryPolicy) -> FoundNumbers:
    """Find the number of each participant.

    Who has contacts in RapidPro gets the number that a contact has now; somebody blocked or stopped gets none. The uuid table
    is asked for all others, if it can tell: the embedded one stores no numbers. A person with several ids gets one number.
    """
    contacts: dict[str, set[str]] = {}
    for uid in uids:
        for contact in people.contacts.get(uid, ()):
            contacts.setdefault(contact.workspace, set()).add(contact.uuid)
    numbers: dict[tuple[str, str], str] = {}
    inactive: set[tuple[str, str]] = set()
    gone: set[tuple[str, str]] = set()
    for source in people.project.configuration.raw_data_sources if contacts else ():
        for url in source.token_file_urls if source.tells_numbers else ():
            part = load_part(source.source_type, "contact_numbers")
            workspace, found = part.find_numbers(source, read_token(storage, url), policy, people.data_root, contacts)
            numbers |= {(workspace, contact): number for contact, number in found.numbers.items()}
            inactive |= {(workspace, contact) for contact in found.inactive}
            gone |= {(workspace, contact) for contact in found.gone}
    by_uid: dict[str, str] = {}
    counts = {"inactive": 0, "gone": 0}
    others: list[str] = []
    for uid in uids:
        own = [(contact.workspace, contact.uuid) for contact in people.contacts.get(uid, ())]
        if any(contact in inactive for contact in own):
            counts["inactive"] += 1
        elif own and all(contact in gone for contact in own):
            counts["gone"] += 1
        elif any(contact in numbers for contact in own):
            by_uid[uid] = next(numbers[contact] for contact in own if contact in numbers)
        else:
            others.append(uid)
    told = ask_uuid_table(people, sorted(people.links.all_of(others)), storage, policy)
    shared = people.links.share({uid: [number] for uid, number in told.items()})
    by_uid |= {uid: shared[uid][0] for uid in others if uid in shared}
    kept = _keep_first(by_uid)
    return FoundNumbers(
        kept,
        **counts,
        unknown=sum(uid not in by_uid for uid in others),
        shared=len(by_uid) - len(kept),
    )


def ask_uuid_table(people: People, uids: Sequence[str], storage: Storage, policy: RetryPolicy) -> dict[str, str]:
    """Ask the uuid table for participants' numbers; the embedded one can tell none."""
    if not uids:
        return {}
    configuration = people.project.configuration
    settings = configuration.phone_number_uuid_table
    credentials = read_credentials(storage, settings.firebase_credentials_file_url)
    table = open_uuid_table(credentials, settings.table_name, policy, configuration.participant_prefix)
    try:
        return {uid: f"+{digits}" for uid, digits in (table.find_numbers(uids) or {}).items()}
    finally:
        table.close()


def _keep_first(by_uid: Mapping[str, str]) -> dict[str, str]:
    """Keep each number once, in the order of the ids.

    A file that repeats a number is refused, and one with numbers in their own order looks like spam.
    """
    holders: dict[str, str] = {}
    for uid in sorted(by_uid):
        holders.setdefault(by_uid[uid], uid)
    return {uid: number for number, uid in sorted(holders.items(), key=lambda item: item[1])}
