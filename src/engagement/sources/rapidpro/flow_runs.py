"""Runs of one flow: taken in as they arrive, each once in its newest version, written as one file."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from engagement.foundation.errors import count_of
from engagement.foundation.microseconds import count_microseconds
from engagement.services.rapidpro.client import Run
from engagement.sources.encoded_lines import SHA_TAIL
from engagement.sources.fetched_flows import FetchedFlow, count_lines
from engagement.sources.held_back import NOTHING, HeldBack
from engagement.sources.manifest import RawDataWriter
from engagement.sources.rapidpro.de_identify import ContactIdentity
from engagement.sources.rapidpro.line_texts import LineResult, LineTexts, complete, first_to_look_up, lacks_texts
from engagement.sources.rapidpro.run_lines import RunLines
from engagement.sources.rapidpro.state.run_store import HeldRun, KeptRun, RunStore

_LISTED_CONTACTS = 100
_encode = msgspec.json.encode
decode_run = msgspec.json.Decoder(Run).decode
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counts:
    """Counts of the runs that arrived, by outcome."""

    new: int = 0
    changed: int = 0
    known: int = 0
    waiting: int = 0


class FlowRuns:
    """A flow of the configuration. `file` is where its runs are written.

    `are_texts_looked_up`: answers that come without their whole texts are marked for `whole_texts` to complete.
    """

    def __init__(
        self,
        uuid: str,
        name: str,
        store: RunStore,
        lines: RunLines,
        file: Path,
        held_back: HeldBack = NOTHING,
    ):
        self.uuid = uuid
        self.name = name
        self.id = store.flow_id(uuid, name)
        self._store = store
        self._lines = lines
        self._texts = LineTexts(name)
        self._file = file
        self._held_back = held_back
        self.counts = Counts()
        self.are_texts_looked_up = False

    @property
    def has_new_waiting(self) -> bool:
        """Check if runs arrived with unknown contacts."""
        return self.counts.waiting > 0

    def take(self, runs: Sequence[Run], is_archived: bool = False) -> None:
        """Keep the runs that are new, or newer than those held, but for those that are left out.

        Call it within a transaction.
        """
        if self._held_back:
            runs = [run for run in runs if not is_held_back(self._held_back, run)]
        newest = _newest_versions(runs)
        held = self._store.held(self.id, newest)
        participants = self._store.participants({run.contact.uuid for run in newest.values()})
        wanted: list[tuple[Run, int | str, ContactIdentity]] = []
        waiting: list[KeptRun] = []
        for run in newest.values():
            run_id = run.uuid if run.id is None else run.id
            if held and run.uuid in held:
                if held[run.uuid].version >= (count_microseconds(run.modified_on), is_archived):
                    continue
                run_id = held[run.uuid].run_id
            who = participants.get(run.contact.uuid)
            if who is None:
                waiting.append(_keep(run, run_id, _encode(run), is_archived))
            else:
                wanted.append((run, run_id, who))
        lines = self._keep_lines(wanted, held, is_archived)
        changed = sum(line.uuid in held for line in lines) if held else 0
        self._store.keep_waiting(self.id, waiting)
        self.counts = Counts(
            new=self.counts.new + len(lines) - changed,
            changed=self.counts.changed + changed,
            known=self.counts.known + len(newest) - len(lines) - len(waiting),
            waiting=self.counts.waiting + len(waiting),
        )

    def _keep_lines(
        self, runs: Sequence[tuple[Run, int | str, ContactIdentity]], held: Mapping[str, HeldRun], is_archived: bool
    ) -> list[KeptRun]:
        """Make lines of runs, and keep those that differ from the held ones; returns these."""
        of_interest: list[str] = []
        if held:
            of_interest = [run.uuid for run, _, _ in runs if run.uuid in held and (is_archived or lacks_texts(run))]
        before = self._store.lines_of(self.id, of_interest) if of_interest else {}
        texts_from: Mapping[str, int | None] = {}
        if before or self.are_texts_looked_up:
            texts_from = self._complete_texts([run for run, _, _ in runs], held, before, is_archived)
        lines = [
            _keep(run, run_id, line, is_archived, texts_from.get(run.uuid))
            for (run, run_id, _), line in zip(runs, self._lines.make(runs), strict=True)
        ]
        if before:
            same = {line.uuid for line in lines if line.uuid in before and _is_same_data(line.text, before[line.uuid])}
            self._store.keep_as_they_are(self.id, [line for line in lines if line.uuid in same])
            lines = [line for line in lines if line.uuid not in same]
        self._store.keep_lines(self.id, lines)
        return lines

    def _complete_texts(
        self, runs: Iterable[Run], held: Mapping[str, HeldRun], before: Mapping[str, bytes], is_archived: bool
    ) -> dict[str, int | None]:
        """Put known texts into runs that came without; returns the time from which to look up others."""
        texts_from: dict[str, int | None] = {}
        for run in runs:
            known: dict[str, LineResult] = {}
            if run.uuid in before and lacks_texts(run):
                known = self._texts.read(before[run.uuid])
                complete(run, known)
            pending = held[run.uuid].texts_from if run.uuid in held else None
            texts_from[run.uuid] = self._first_to_look_up(run, is_archived, known, pending)
        return texts_from

    def resolve_waiting(self) -> None:
        """Make lines of the runs whose contacts have become known."""
        with self._store.transaction():
            for batch in self._store.ready(self.id):
                runs = [(decode_run(kept.text), kept.run_id, who) for kept, who in batch]
                lines = [
                    kept._replace(text=line, texts_from=self._first_to_look_up(run, kept.is_archived))
                    for (kept, _), (run, _, _), line in zip(batch, runs, self._lines.make(runs), strict=True)
                ]
                self._store.keep_lines(self.id, lines)
                self.counts = replace(self.counts, new=self.counts.new + len(lines))

    def _first_to_look_up(
        self, run: Run, is_archived: bool, known: Mapping[str, LineResult] | None = None, from_known: int | None = None
    ) -> int | None:
        if is_archived or not self.are_texts_looked_up:
            return None
        return first_to_look_up(run, known or {}, from_known)

    def render_again(self) -> None:
        """Remake the lines that a changed configuration affects, e.g. new test contacts."""
        rendering = self._lines.rendering()
        before = self._store.rendering(self.id)
        if before == rendering:
            return
        changed = 0
        with self._store.transaction():
            for batch in self._store.batches(self.id) if before is not None else ():
                participants = self._store.participants({kept.contact for kept in batch})
                made = [
                    kept._replace(text=self._lines.make_again(kept.text, kept.contact, participants[kept.contact]))
                    for kept in batch
                ]
                different = [new for new, old in zip(made, batch, strict=True) if new.text != old.text]
                self._store.keep_lines(self.id, different)
                changed += len(different)
            self._store.keep_rendering(self.id, rendering)
        if before is not None:
            _logger.info("Flow %r: the configuration changed; %s rewritten", self.name, count_of(changed, "run"))

    def report(self, newly_gone: Collection[str]) -> None:
        """Log the arrivals, and name the contacts that runs wait for; those that are gone are named once."""
        found = self._store.contacts_waited_for(self.id)
        waited_for = [(contact, runs) for contact, runs, is_gone in found if not is_gone or contact in newly_gone]
        gone = [runs for contact, runs, is_gone in found if is_gone and contact not in newly_gone]
        waiting = sum(runs for _, runs in waited_for)
        _logger.info(
            "Flow %r: %s held: %d new, %d changed, %d came again as they were; %d left out without a contact",
            self.name,
            count_of(self._store.count(self.id), "run"),
            self.counts.new,
            self.counts.changed,
            self.counts.known,
            waiting + sum(gone),
        )
        if gone:
            _logger.info(
                "Flow %r: left out for good: %s of %s that RapidPro has no more",
                self.name,
                count_of(sum(gone), "run"),
                count_of(len(gone), "contact"),
            )
        if waited_for:
            named = ", ".join(contact for contact, _ in waited_for[:_LISTED_CONTACTS])
            more = len(waited_for) - _LISTED_CONTACTS
            _logger.warning(
                "Flow %r: %s left out until their contact is in the contacts with a URN: %s%s",
                self.name,
                count_of(waiting, "run"),
                named,
                f" and {more} more" if more > 0 else "",
            )

    def hand_over(self) -> FetchedFlow:
        """Return the flow, ready to write."""
        written = self._written()
        runs_before = written if written is not None else count_lines(self._file)
        return FetchedFlow(self.name, self._file, self._store.count(self.id), runs_before, self._write)

    def _written(self) -> int | None:
        """Count the file's runs if it was written from exactly the lines held; else None."""
        written = self._store.written(self.id)
        if written is None or not self._file.exists():
            return None
        runs, size, at = written
        status = self._file.stat()
        return runs if (status.st_size, status.st_mtime_ns) == (size, at) else None

    def _write(self, writer: RawDataWriter) -> None:
        if self._written() is not None:
            _logger.info("Flow %r: unchanged", self.name)
            return
        runs = self._store.count(self.id)
        writer.write(self._file, self._store.lines(self.id))
        status = self._file.stat()
        with self._store.transaction():
            self._store.keep_written(self.id, runs, status.st_size, status.st_mtime_ns)
        _logger.info("Flow %r: %s written", self.name, count_of(runs, "run"))


def _newest_versions(runs: Sequence[Run]) -> dict[str, Run]:
    """Map runs by their uuids; of several versions of one, the newest."""
    newest = {run.uuid: run for run in runs}
    if len(newest) < len(runs):
        newest = {}
        for run in runs:
            if run.uuid not in newest or run.modified_on > newest[run.uuid].modified_on:
                newest[run.uuid] = run
    return newest


def is_held_back(held_back: HeldBack, run: Run) -> bool:
    """Check if a run is left out: of somebody who was forgotten, or over age with all its answers."""
    answered = (result.time for result in (run.values or {}).values())
    return held_back.holds_back(run.contact.uuid, run.created_on, _texts_of(run), answered)


def _texts_of(run: Run) -> Iterator[str | None]:
    for result in (run.values or {}).values():
        yield result.value
        if result.input is not msgspec.UNSET:
            yield result.input


def _keep(
    run: Run, run_id: int | str, text: bytes, is_archived: bool = False, texts_from: int | None = None
) -> KeptRun:
    return KeptRun(
        run.uuid, run.contact.uuid, count_microseconds(run.modified_on), run_id, text, is_archived, texts_from
    )


def _is_same_data(line: bytes, other: bytes) -> bool:
    # The hash of a line's oldest update comes last; that is the run itself.
    return line[-SHA_TAIL:] == other[-SHA_TAIL:]
