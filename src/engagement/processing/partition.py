"""Process one partition of the participants: read their raw runs, process them, write part files."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engagement.configuration import CodingPlans
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.foundation.errors import InputError
from engagement.foundation.microseconds import count_microseconds
from engagement.foundation.partitions import hash_uid
from engagement.pipeline.coding.plan_coder import is_noise
from engagement.pipeline.messages.message import Message
from engagement.pipeline.outputs.analysis_parts import AnalysisPart
from engagement.pipeline.outputs.coda_files import CodaTexts
from engagement.pipeline.outputs.icr import IcrSample
from engagement.pipeline.outputs.index_rows import MESSAGES_INDEX, IndexLine, IndexRows, write_times
from engagement.pipeline.outputs.origin_columns import OriginColumns, Origins, fold_origins
from engagement.pipeline.outputs.parts import (
    INDIVIDUALS_TRACED_DATA,
    MESSAGES_TRACED_DATA,
    open_part,
    part_path,
    write_rows,
)
from engagement.pipeline.outputs.rows import AnalysisRows, Answers, ProductionRows, find_changed_answers
from engagement.processing.processor import Processor
from engagement.processing.records.participant_notes import Records, TextUses
from engagement.processing.records.participants import Participant
from engagement.processing.records.raw_runs import RunPlaces, Runs
from engagement.processing.summary import Summary

# The parts of the two tables for the analysis.
ANALYSIS_MESSAGES, ANALYSIS_INDIVIDUALS = "analysis_messages", "analysis_individuals"


def process_partition(processor: Processor, places: RunPlaces, scratch: Path, count: int, number: int) -> Summary:
    """Process the participants of partition `number` of `count`; leave its part files in `scratch`.

    Bad input is not raised but returned in the summary, so that all partitions' problems are reported at once.
    """
    summary = Summary()
    try:
        _Outputs(processor, summary).write(places.read(count, number, summary.errors), scratch, number)
    except InputError as error:
        summary.errors.append(error)
    return summary


class _Outputs:
    """The part files of one partition."""

    def __init__(self, processor: Processor, summary: Summary) -> None:
        self._processor = processor
        self._summary = summary
        self._plans = processor.project.coding_plans
        guards = processor.project.configuration.guard_formulas
        self._message_rows, self._individual_rows = (
            AnalysisRows(self._plans.all, guards, processor.groups, processor.origin_names) for _ in range(2)
        )
        self._production_rows = ProductionRows(self._plans.all)
        self._index_rows = _make_index_rows(processor)
        self._origins = _make_origin_columns(processor)
        self._texts = {
            plan.raw_field: TextUses(number, plan, processor.datasets.get(plan.raw_field))
            for number, plan in enumerate(self._plans.all)
            if plan.coda_filename is not None or plan.icr_filename is not None
        }
        self._written = _WrittenTexts(self._plans, self._texts, summary)
        self._records = Records(tuple(self._texts.values()), self._plans.rqa)
        # The sort key of rows (time in microseconds, uid, dataset, run id, text), the message's line in production.csv, its line in
        # messages.csv, if any, its line in the index, if any, and the start of its participant's hash.
        self._messages: list[tuple[int, str, str, str, str, str, str, IndexLine | None, int]] = []
        self._individuals: list[tuple[str, str, int]] = []

    def write(self, participants: Iterable[tuple[str, Runs]], scratch: Path, number: int) -> None:
        """Process the participants, in the order of their hashed uids, and write everything."""
        with (
            open_part(part_path(scratch, MESSAGES_TRACED_DATA, number)) as messages_file,
            open_part(part_path(scratch, INDIVIDUALS_TRACED_DATA, number)) as individuals_file,
            self._open_analysis_part(scratch, ANALYSIS_MESSAGES, number) as analysis_messages,
            self._open_analysis_part(scratch, ANALYSIS_INDIVIDUALS, number) as analysis_individuals,
        ):
            last_message: Answers | None = None
            last_individual: Answers | None = None
            for uid, runs in participants:
                hashed, number_of_runs = int(hash_uid(uid)[:16], 16), len(runs.activation) + len(runs.survey)
                self._summary.runs += number_of_runs
                self._note_keys(runs)
                participant = self._processor.process(uid, runs)
                self._count(hashed, participant)
                self._collect_texts(participant)
                messages_bytes = individual_bytes = 0
                individual = participant.individual
                if individual is not None:
                    origins: Origins = ()
                    found = []
                    for message in participant.messages:
                        if self._origins is not None:
                            origins = self._origins.of_message(message)
                            found.append(origins)
                        answers = Answers(message.texts, message.codings)
                        changed = find_changed_answers(last_message, answers)
                        last_message = answers
                        line = self._message_rows.make_next_line(uid, answers, changed, origins)
                        self._collect(uid, message, line, changed, hashed)
                        analysis_messages.add_message(uid, message, changed, origins)
                        messages_bytes += messages_file.write(message.record.encode_line())
                    answers = Answers(individual.texts, individual.codings)
                    changed = find_changed_answers(last_individual, answers)
                    last_individual = answers
                    folded = fold_origins(found)
                    line = self._individual_rows.make_next_line(uid, answers, changed, folded)
                    self._individuals.append((uid, line, hashed))
                    analysis_individuals.add_individual(uid, individual.texts, individual.codings, changed, folded)
                    individual_bytes = individuals_file.write(individual.record.encode_line())
                elif not participant.has_withdrawn:
                    # Before coding.
                    for message in participant.messages:
                        self._collect(uid, message, "", range(len(message.texts)), hashed)
                self._records.add(hashed, number_of_runs, participant, messages_bytes, individual_bytes)
        for sample in self._summary.samples.values():
            sample.trim()
        self._write_rows(scratch, number)
        self._records.write(scratch, number)

    def _open_analysis_part(self, scratch: Path, name: str, number: int) -> AnalysisPart:
        are_messages = name == ANALYSIS_MESSAGES
        path, processor = part_path(scratch, name, number), self._processor
        return AnalysisPart(path, self._plans.all, are_messages, processor.groups, processor.origin_names)

    def _write_rows(self, scratch: Path, number: int) -> None:
        self._messages.sort()
        production, messages, individuals = (
            part_path(scratch, name, number) for name in ("production", "messages", "individuals")
        )
        write_rows(production, ((row[0], row[5], row[8]) for row in self._messages))
        write_rows(messages, ((row[0], row[6], row[8]) for row in self._messages if row[6]))
        if self._index_rows is not None:
            self._write_index(part_path(scratch, MESSAGES_INDEX, number))
        write_rows(individuals, ((0, line, hashed) for _, line, hashed in sorted(self._individuals)))

    def _write_index(self, path: Path) -> None:
        found = [(row[0], row[7], row[8]) for row in self._messages if row[7] is not None]
        times = write_times(
            [microseconds for microseconds, *_ in found], self._processor.project.configuration.time_zone
        )
        write_rows(
            path,
            (
                (microseconds, f"{piece.uid},{time},{piece.own}{piece.shared}", hashed)
                for (microseconds, piece, hashed), time in zip(found, times, strict=True)
            ),
        )

    def _note_keys(self, runs: Runs) -> None:
        keys = self._summary.keys
        for run in (*runs.activation, *runs.survey):
            if not keys.issuperset(run.values):
                keys.update(run.values)

    def _count(self, hashed: int, participant: Participant) -> None:
        summary = self._summary
        summary.participants += 1
        summary.messages += len(participant.messages) + participant.dropped.total()
        summary.kept += len(participant.messages)
        summary.sent.update(participant.sent)
        # Most participants have none of these, and counting nothing takes as long as counting something.
        if participant.dropped:
            summary.dropped.update(participant.dropped)
        if participant.lost:
            summary.losses.extend((hashed, name, times) for name, times in participant.lost.items())
        if participant.contradictions:
            summary.contradictions.update(participant.contradictions)
        summary.fold_problems.extend(participant.problems)
        if participant.messages:
            if participant.has_withdrawn:
                summary.withdrawn_participants += 1
                summary.withdrawn_messages += len(participant.messages)
            else:
                summary.individuals += 1

    def _collect(self, uid: str, message: Message, line: str, changed: Sequence[int], hashed: int) -> None:
        time, plan, run_id = message.time, message.plan, message.run_id
        microseconds = 0 if time is None else count_microseconds(time)
        dataset = "" if plan is None else plan.coda_dataset or plan.raw_field
        production = self._production_rows.make_next_line(uid, message.texts, changed)
        index = None
        if line and self._index_rows is not None:
            index = self._index_rows.make_next_line(uid, message, run_id, changed)
        self._messages.append((microseconds, uid, dataset, run_id, message.text or "", production, line, index, hashed))

    def _collect_texts(self, participant: Participant) -> None:
        is_staying = not participant.has_withdrawn
        self._written.collect(participant.messages, is_staying)
        if is_staying:
            for message in participant.messages:
                self._collect_sample(message)

    def _collect_sample(self, message: Message) -> None:
        plan, text, run_id = message.plan, message.text, message.run_id
        if plan is None or plan.icr_filename is None or text is None:
            return
        if not is_noise(text, self._processor.project.configuration.noise_minimum_length):
            identity = None
            if not run_id:
                values = message.record.values
                identity = f"{values[PARTICIPANT_KEY]}/{values.get(str(plan.time_field))}/{text}"
            sample = self._summary.samples.setdefault(plan.raw_field, IcrSample())
            key = sample.add(text, run_id, plan.raw_field, identity)
            self._texts[plan.raw_field].sample(text, key)


def _make_index_rows(processor: Processor) -> IndexRows | None:
    configuration, plans = processor.project.configuration, processor.project.coding_plans
    if not configuration.messages_index:
        return None
    return IndexRows(configuration, plans.all, len(plans.rqa), processor.datasets)


def _make_origin_columns(processor: Processor) -> OriginColumns | None:
    return OriginColumns(processor.project.configuration) if processor.origin_names else None


class _WrittenTexts:
    """Collects participants' texts under the plans that have datasets in Coda."""

    def __init__(self, plans: CodingPlans, uses: Mapping[str, TextUses], summary: Summary) -> None:
        self._first_survey = len(plans.rqa)
        self._episodes, self._surveys = (
            [
                (number, str(plan.time_field), uses[plan.raw_field])
                for number, plan in numbered
                if plan.coda_filename is not None
            ]
            for numbered in (enumerate(plans.rqa), enumerate(plans.survey, self._first_survey))
        )
        self._survey_times = [time_field for _, time_field, _ in self._surveys]
        self._found = [
            (uses, summary.texts.setdefault(uses.plan.raw_field, CodaTexts()))
            for _, _, uses in (*self._episodes, *self._surveys)
        ]

    def collect(self, messages: Sequence[Message], is_staying: bool) -> None:
        """Add the texts of one participant's messages."""
        last = None
        for message in messages:
            texts, values = message.texts, message.record.values
            for number, time_field, uses in self._episodes:
                text = texts[number]
                if text:
                    uses.write(text, values.get(time_field))
            # An answer that messages share was written once.
            answers = texts[self._first_survey :], tuple(map(values.get, self._survey_times))
            if answers != last:
                last = answers
                for number, time_field, uses in self._surveys:
                    text = texts[number]
                    if text:
                        uses.write(text, values.get(time_field))
        for uses, found in self._found:
            for text, first in uses.first_written.items():
                found.add(text, first, is_staying)
