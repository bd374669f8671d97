"""One partition of the participants: their raw runs are read and processed, and what comes out is kept in part files."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engagement.coding.manual import is_noise
from engagement.configuration.cross_checks import PARTICIPANT_KEY
from engagement.errors import InputError, PipelineError
from engagement.files import guard_cell, open_for_writing
from engagement.messages.filters import Dropped
from engagement.messages.message import Message
from engagement.outputs.analysis_parts import AnalysisPart
from engagement.outputs.coda_files import CodaTexts
from engagement.outputs.icr import IcrSample
from engagement.outputs.parts import SortedLine, part_path, write_sorted_lines
from engagement.outputs.rows import AnalysisRows, csv_writer
from engagement.partitions import hash_uid, partition_of
from engagement.processing.participant import Participant, Runs, Steps
from engagement.provenance import decode, read_traced_data

# The parts of the two tables for the analysis.
ANALYSIS_MESSAGES, ANALYSIS_INDIVIDUALS = "analysis_messages", "analysis_individuals"
_PARTICIPANT = re.compile(rb'"' + PARTICIPANT_KEY.encode() + rb'": ?"([^"\\]*)"')


@dataclass(frozen=True)
class Flows:
    """The raw data files of a project, in the order of its sources."""

    activation: tuple[Path, ...]
    survey: tuple[Path, ...]


@dataclass
class Summary:
    """What a partition found, besides its part files. Summaries add up."""

    runs: int = 0
    participants: int = 0
    messages: int = 0
    kept: int = 0
    withdrawn_messages: int = 0
    withdrawn_participants: int = 0
    individuals: int = 0
    contradictions: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[Dropped] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    texts: dict[str, CodaTexts] = field(default_factory=dict)
    samples: dict[str, IcrSample] = field(default_factory=dict)
    fold_problems: list[str] = field(default_factory=list)
    errors: list[PipelineError] = field(default_factory=list)

    def add(self, other: "Summary") -> None:
        """Count in another partition."""
        for name in ("runs", "participants", "messages", "kept", "withdrawn_messages", "withdrawn_participants"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.individuals += other.individuals
        self.contradictions.update(other.contradictions)
        self.dropped.update(other.dropped)
        self.lost.update(other.lost)
        for raw_field, texts in other.texts.items():
            self.texts.setdefault(raw_field, CodaTexts()).merge(texts)
        for raw_field, sample in other.samples.items():
            self.samples.setdefault(raw_field, IcrSample()).merge(sample)
        self.fold_problems.extend(other.fold_problems)
        self.errors.extend(other.errors)


def process_partition(steps: Steps, flows: Flows, scratch: Path, count: int, number: int) -> Summary:
    """Process the participants of partition `number` of `count`; leaves its part files in `scratch`.

    Bad input is not raised but returned in the summary, so that all partitions' problems are told at once.
    """
    summary = Summary()
    try:
        participants = _read_participants(flows, count, number, summary)
        _Outputs(steps, summary).write(participants, scratch, number)
    except InputError as error:
        summary.errors.append(error)
    return summary


def _read_participants(flows: Flows, count: int, number: int, summary: Summary) -> dict[str, Runs]:
    participants: dict[str, Runs] = {}

    def is_ours(line: bytes) -> bool:
        uid = _find_uid(line)
        # A line that can't be read is told by the first partition alone.
        return number == 0 if uid is None else partition_of(uid, count) == number

    for kind, paths in (("activation", flows.activation), ("survey", flows.survey)):
        for path in paths:
            try:
                for line_number, run in enumerate(read_traced_data(path, is_ours), 1):
                    uid = run.values.get(PARTICIPANT_KEY)
                    if not isinstance(uid, str):
                        raise InputError(
                            f"{path}: its record {line_number} of this partition has no {PARTICIPANT_KEY!r}; "
                            "expected one in every run. Fetch it again."
                        )
                    summary.runs += 1
                    getattr(participants.setdefault(uid, Runs()), kind).append(run)
            except InputError as error:
                summary.errors.append(error)
    return participants


def _find_uid(line: bytes) -> str | None:
    """The participant of a raw line, without decoding it where that can be avoided; None for a line that can't be read."""
    found = _PARTICIPANT.findall(line)
    if len(found) == 1:
        return found[0].decode("utf-8", "replace")
    try:
        uid = decode(line).values.get(PARTICIPANT_KEY)
    except ValueError:
        return None
    return uid if isinstance(uid, str) else None


class _Outputs:
    """The part files of one partition."""

    def __init__(self, steps: Steps, summary: Summary) -> None:
        self._steps = steps
        self._summary = summary
        self._plans = steps.project.coding_plans
        self._rows = AnalysisRows(self._plans.all)
        self._production_fields = [plan.raw_field for plan in self._plans.all]
        self._messages: list[SortedLine] = []
        self._individuals: list[SortedLine] = []
        self._production: list[SortedLine] = []
        self._line, self._quoted_line = csv_writer(), csv_writer(quote_all=True)

    def write(self, participants: dict[str, Runs], scratch: Path, number: int) -> None:
        """Process the participants in the order of their hashed uids and write everything."""
        ordered = sorted((hash_uid(uid), uid) for uid in participants)
        with (
            open_for_writing(part_path(scratch, "messages_traced_data", number)) as messages_file,
            open_for_writing(part_path(scratch, "individuals_traced_data", number)) as individuals_file,
            AnalysisPart(part_path(scratch, ANALYSIS_MESSAGES, number), self._plans.all, True) as analysis_messages,
            AnalysisPart(
                part_path(scratch, ANALYSIS_INDIVIDUALS, number), self._plans.all, False
            ) as analysis_individuals,
        ):
            for _, uid in ordered:
                # Taken out, so that the runs of those who are done do not stay in memory.
                participant = self._steps.process(uid, participants.pop(uid))
                self._count(participant)
                self._collect(participant)
                if participant.individual is not None:
                    messages_file.writelines(message.record.encode() + "\n" for message in participant.messages)
                    individuals_file.write(participant.individual.record.encode() + "\n")
                    for message in participant.messages:
                        analysis_messages.add_message(uid, message)
                    individual = participant.individual
                    analysis_individuals.add_individual(uid, individual.record.values, individual.labels)
        for sample in self._summary.samples.values():
            sample.trim()
        write_sorted_lines(part_path(scratch, "messages", number), self._messages)
        write_sorted_lines(part_path(scratch, "individuals", number), self._individuals)
        write_sorted_lines(part_path(scratch, "production", number), self._production)

    def _count(self, participant: Participant) -> None:
        summary = self._summary
        summary.participants += 1
        summary.messages += len(participant.messages) + participant.dropped.total()
        summary.kept += len(participant.messages)
        summary.dropped.update(participant.dropped)
        summary.lost.update(participant.lost)
        summary.contradictions.update(participant.contradictions)
        summary.fold_problems.extend(participant.problems)
        if participant.messages:
            if participant.has_withdrawn:
                summary.withdrawn_participants += 1
                summary.withdrawn_messages += len(participant.messages)
            else:
                summary.individuals += 1

    def _collect(self, participant: Participant) -> None:
        for message in participant.messages:
            self._collect_texts(message, is_staying=not participant.has_withdrawn)
        if participant.has_withdrawn:
            return
        uid = participant.uid
        for message in participant.messages:
            values = message.record.values
            key = self._row_key(uid, message)
            cells = ("" if (text := values.get(field)) is None else str(text) for field in self._production_fields)
            self._production.append((key, self._quoted_line([uid, *map(guard_cell, cells)])))
            if self._steps.is_coded:
                self._messages.append((key, self._line(self._rows.make_row(uid, values, message.labels))))
        if participant.individual is not None:
            individual = participant.individual
            row = self._rows.make_row(uid, individual.record.values, individual.labels)
            self._individuals.append(([uid], self._line(row)))

    def _row_key(self, uid: str, message: Message) -> list[int | str]:
        """What rows of messages are ordered by: time in microseconds, uid, dataset, run id, text."""
        time, plan = message.time, message.plan
        microseconds = 0 if time is None else round(time.timestamp() * 1_000_000)
        dataset = "" if plan is None else plan.coda_dataset or plan.raw_field
        return [microseconds, uid, dataset, message.run_id, message.text or ""]

    def _collect_texts(self, message: Message, is_staying: bool) -> None:
        values = message.record.values
        for plan in self._answered_plans(message):
            text, time = values[plan.raw_field], values.get(str(plan.time_field))
            self._summary.texts.setdefault(plan.raw_field, CodaTexts()).add(text, time, is_staying)
        plan, text = message.plan, message.text
        if plan is None or plan.icr_filename is None or text is None or not is_staying:
            return
        if not is_noise(text, self._steps.project.configuration.noise_minimum_length):
            identity = f"{values[PARTICIPANT_KEY]}/{values.get(str(plan.time_field))}/{text}"
            sample = self._summary.samples.setdefault(plan.raw_field, IcrSample())
            sample.add(text, message.run_id, plan.raw_field, identity)

    def _answered_plans(self, message: Message) -> Iterable:
        values = message.record.values
        return (
            plan
            for plan in self._plans.all
            if plan.coda_filename is not None and values.get(plan.raw_field) is not None
        )
