"""Set unusable rows aside: list them, and ask for them again in every fetch. Refuse too many."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.foundation.errors import count_of
from engagement.services.rapidpro.client import Contact, Page, Run, UnreadableRow
from engagement.sources.rapidpro.state.run_store import RunStore
from engagement.sources.rapidpro.state.set_aside_rows import CONTACTS, UNKNOWN_FLOW, SetAsideRow
from engagement.sources.set_aside_lists import refuse_set_aside, write_set_aside

# One request each, in every fetch, out of the 2,500 an hour that a server allows.
_MOST_ASKED_AGAIN = 250
_NAMED_RUNS = 10

_logger = logging.getLogger(__name__)


class SetAside:
    """Rows that one fetch of a source sets aside. `file` lists them for people."""

    def __init__(self, store: RunStore, where: str, file: Path):
        self._store = store
        self._where = where
        self._file = file
        self._before = {listed.identity for listed in store.set_aside.all()}
        self._new: set[tuple[object, ...]] = set()
        self._received = 0
        self.replaced_characters = 0

    def take(self, flow: int, page: Page[Run] | Page[Contact]) -> None:
        """List a live page's rows that can't be used. Call it within the transaction that keeps the page."""
        self._received += len(page.rows) + len(page.unreadable)
        self.replaced_characters += page.replaced_characters
        if page.unreadable or self._store.set_aside.has_any(flow):
            self._store.set_aside.remove_live(flow, [row.uuid for row in page.rows])
            self._add([SetAsideRow(flow, "", row) for row in page.unreadable])

    def take_archive(
        self, md5: str, flows: Mapping[str, int], received: int, replaced: int, unreadable: Sequence[UnreadableRow]
    ) -> set[int]:
        """List unusable rows of these flows (numbers by uuid) in an archive; returns the flows with some.

        Call it within the transaction that keeps the archive, at its end. A row without a known flow counts for each flow.
        """
        for flow in (UNKNOWN_FLOW, *flows.values()):
            self._store.set_aside.remove_archived(flow, md5)
        self._received += received + len(unreadable)
        self.replaced_characters += replaced
        rows = [SetAsideRow(flows.get(row.flow or "", UNKNOWN_FLOW), md5, row) for row in unreadable]
        self._add(rows)
        found = {row.flow for row in rows}
        return set(flows.values()) if UNKNOWN_FLOW in found else found

    def ask_again[Row: Run | Contact](
        self, flow: int, ask: Callable[[UnreadableRow], Page[Row]], keep: Callable[[Page[Row]], None]
    ) -> None:
        """Ask again for each live row that earlier fetches listed; `keep` keeps and notes the answers."""
        listed = [
            one
            for one in self._store.set_aside.all()
            if (one.flow, one.archive) == (flow, "") and one.identity in self._before
        ]
        for one in listed[:_MOST_ASKED_AGAIN]:
            page = ask(one.row)
            with self._store.transaction():
                # If more than one page of rows share the time, another page may have it.
                if one.row.uuid is not None or page.following is None:
                    self._store.set_aside.remove(one)
                keep(page)

    def report(self, flows: Mapping[int, str]) -> int:
        """Warn of the list, once a flow, and write it for people; returns how many rows it has.

        `flows` are the names of the source's flows by the store's numbers.
        """
        names = {**flows, CONTACTS: "contacts", UNKNOWN_FLOW: "archives"}
        listed = [one for one in self._store.set_aside.all() if one.flow in names]
        for flow in names:
            if of_flow := [one for one in listed if one.flow == flow]:
                self._warn(flow, flows.get(flow), of_flow)
        self._write(listed, names)
        return len(listed)

    def refuse_too_many(self, listed: int, held: int) -> None:
        """Refuse to go on if `listed` is a large share of all rows, or this fetch set many aside.

        Raises
        ------
        ServiceError
            They are more than 1 %.
        """
        for count, of, rows in (
            (len(self._new), self._received, "rows of this fetch"),
            (listed, held + listed, "rows that ever came"),
        ):
            refuse_set_aside(count, of, self._where, self._file, "Ask whoever runs the server what changed", rows)

    def _add(self, rows: Sequence[SetAsideRow]) -> None:
        self._store.set_aside.add(rows)
        self._new |= {row.identity for row in rows} - self._before

    def _warn(self, flow: int, name: str | None, listed: Sequence[SetAsideRow]) -> None:
        what = "contact" if flow == CONTACTS else "run"
        place = f"Flow {name!r}" if name is not None else self._where
        reasons = Counter((one.row.key or "the row", one.row.reason) for one in listed)
        _logger.warning(
            "%s: %s can't be read, and %s set aside until %s can: %s. %s %s%s; all are in %s, and asked for again in every "
            "fetch. Ask whoever runs the server.",
            place,
            count_of(len(listed), what),
            *(("is", "it") if len(listed) == 1 else ("are", "they")),
            "; ".join(f"{key}: {reason} ({count})" for (key, reason), count in reasons.most_common(_NAMED_RUNS)),
            "It is" if len(listed) == 1 else "They are",
            ", ".join(
                one.row.uuid or f"one without a readable uuid {_time_of(one.row)}" for one in listed[:_NAMED_RUNS]
            ),
            f" and {len(listed) - _NAMED_RUNS} more" if len(listed) > _NAMED_RUNS else "",
            self._file,
        )

    def _write(self, listed: Sequence[SetAsideRow], names: Mapping[int, str]) -> None:
        write_set_aside(self._file, (_describe(one, names[one.flow]) for one in listed))


def _describe(one: SetAsideRow, name: str) -> dict[str, Any]:
    at = [None if time is None else time.isoformat() for time in (one.row.after, one.row.before)]
    return {
        "flow": name,
        "uuid": one.row.uuid,
        "modified_from": at[0],
        "modified_to": at[1],
        "archive_md5": one.archive or None,
        "key": one.row.key,
        "reason": one.row.reason,
    }


def _time_of(row: UnreadableRow) -> str:
    if row.before is None:
        return "of an unknown time" if row.after is None else f"modified after {row.after.isoformat()}"
    return f"modified by {row.before.isoformat()}"
