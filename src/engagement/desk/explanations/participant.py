"""Read one participant's results of stage 3: message records, the folded record, and their cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engagement.configuration import (
    CodingConfiguration,
    CodingPlan,
    PipelineConfiguration,
    Project,
)
from engagement.configuration.field_names import UID_FIELD
from engagement.configuration.participant_ids import find_strict_id_problem, split_participant_id
from engagement.desk.explanations.traced_records import find_records
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import reading_csv
from engagement.pipeline.coding.codings import make_coding
from engagement.pipeline.coding.labels import Labels, UnknownCodesError, read_traced_labels
from engagement.pipeline.messages.message import SHOW_PIPELINE_KEY
from engagement.pipeline.outputs.analysis_files import analysis_folder, individuals_path, read_column
from engagement.pipeline.outputs.group_columns import GroupColumns
from engagement.pipeline.outputs.rows import WITHDRAWN, AnalysisRows
from engagement.provenance import Change, Metadata, TracedData

_MOST_NEAREST = 3


@dataclass(frozen=True)
class TracedRow:
    """A row of messages.csv or individuals.csv with its record."""

    record: TracedData
    labels: Mapping[str, Labels]
    cells: Mapping[str, str]

    @property
    def values(self) -> Mapping[str, Any]:
        """The record's current values."""
        return self.record.values

    @cached_property
    def history(self) -> Sequence[tuple[str, Change]]:
        """List every value that each key ever had, oldest first."""
        return self.record.history()


@dataclass(frozen=True)
class ExplainedParticipant:
    """A participant who did not withdraw. `messages` are in time order, like their rows in messages.csv."""

    uid: str
    messages: tuple[TracedRow, ...]
    individual: TracedRow

    @property
    def made(self) -> Metadata:
        """Return who ran stage 3, and when."""
        return self.individual.history[-1][1].metadata


def check_header(project: Project, data_root: Path) -> list[str]:
    """Read the columns of messages.csv and individuals.csv.

    Raises
    ------
    InputError
        There are no coded tables, or they were made with another configuration.
    """
    path = data_root / "Outputs" / "messages.csv"
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; expected what stage 3 writes in mode 'all-stages'. Run it, then this again."
        )
    with reading_csv(path) as lines:
        found = next(lines, [])
    # Whether somebody is in a listening group, its files say, and where a message came from, messages_index.csv: nothing to explain.
    groups = [group.column for group in project.configuration.listening_groups]
    origins = [str(column) for column in project.configuration.origin_columns]
    expected = AnalysisRows(project.coding_plans.all, groups=GroupColumns(groups), origin_names=origins).header
    if found != expected:
        differing = [f"no column {name!r}" for name in expected if name not in found]
        differing += [f"a column {name!r} that it does not have" for name in found if name not in expected]
        shown = ", ".join(differing[:3]) + (", …" if len(differing) > 3 else "") or "the columns in another order"
        raise InputError(
            f"{path}: {shown}; expected the columns of the configuration {project.path}. "
            "Name the configuration that Outputs/ were made with, or run stage 3 (generate outputs) and this again."
        )
    return found[: len(found) - len(groups) - len(origins)]


def find_participant(project: Project, data_root: Path, uid: str) -> ExplainedParticipant:
    """Read a participant's results of stage 3.

    Raises
    ------
    UsageError
        Outputs hold nothing about that uid. The error does not tell if they withdrew.
    InputError
        The traced data can't be read, or holds codes that the configuration lacks.
    """
    outputs = data_root / "Outputs"

    def read(name: str) -> tuple[TracedRow, ...]:
        path = outputs / f"{name}_traced_data.jsonl"
        records = [] if uid == WITHDRAWN else find_records(path, uid)
        return tuple(_make_row(project, uid, record, path) for record in records)

    configuration = project.configuration
    if configuration.filter_test_messages and uid in configuration.test_participant_uuids:
        raise UsageError(
            f"{project.path}: {_show(uid, configuration)} is one of TestParticipantUUIDs; expected a participant whose messages count. Their "
            "messages are left out of everything."
        )
    messages, individuals = read("messages"), read("individuals")
    if not messages and not individuals:
        raise UsageError(
            f"{outputs}: no participant is {_show(uid, configuration)}; expected a uid of individuals.csv, like "
            f"'{configuration.participant_prefix}<uuid>'. Either it is mistyped, or no message of theirs was fetched and kept (test "
            "contacts and participants, runs without an answer to an episode and messages sent outside the project's time are left "
            "out), or they withdrew their consent: nothing is shown about those who did."
            f"{_nearest(data_root, uid, configuration.participant_prefix)}"
        )
    folded = [record_sha for row in individuals for record_sha in row.values.get("folded_from", ())]
    if len(individuals) != 1 or sorted(folded) != sorted(row.record.newest_sha for row in messages):
        raise InputError(
            f"{outputs}: participant {uid!r} has {len(messages)} message(s) and {len(individuals)} individual(s), folded from "
            f"{len(folded)}; expected one, folded from just these messages. The files are of different runs: run stage 3 "
            "(generate outputs) and this again."
        )
    return ExplainedParticipant(uid, messages, individuals[0])


def _show(uid: str, configuration: PipelineConfiguration) -> str:
    """Show a typed uid, but nothing that is no uid: it may be a phone number or a name."""
    problem = find_strict_id_problem(uid, configuration.participant_prefix)
    return repr(uid) if problem is None else f"what was given (not shown, as it {problem})"


def _make_row(project: Project, uid: str, record: TracedData, path: Path) -> TracedRow:
    plans, values, where = project.coding_plans.all, record.values, f"{path}: participant {uid!r}"
    labels = {
        configuration.coded_field: _read_labels(configuration, values.get(configuration.coded_field), where)
        for plan in plans
        for configuration in plan.coding_configurations
    }
    codings = [make_coding(plan, tuple(labels[c.coded_field] for c in plan.coding_configurations)) for plan in plans]
    cells = AnalysisRows(plans).make_cells(uid, [values.get(plan.raw_field) for plan in plans], codings)
    return TracedRow(record, labels, cells)


def _read_labels(configuration: CodingConfiguration, value: Any, where: str) -> Labels:
    try:
        return read_traced_labels(configuration.code_scheme, value)
    except UnknownCodesError as error:
        raise InputError(
            f"{where}, field {configuration.coded_field!r}: code id(s) {', '.join(map(repr, error.code_ids))}; expected codes of "
            f"{configuration.code_scheme_file!r}. Name the configuration that Outputs/ were made with, or run stage 3 "
            "(generate outputs) and this again."
        ) from None


def _nearest(data_root: Path, uid: str, prefix: str) -> str:
    """Name some participants whose uids begin or end like this one; empty if there are none."""
    path = individuals_path(analysis_folder(data_root))
    _, typed = split_participant_id(uid, prefix)
    if not path.exists() or len(typed) < 6:
        return ""
    near = [
        known
        for known in read_column(path, UID_FIELD).cat.categories
        if (rest := split_participant_id(known, prefix)[1])[:6] == typed[:6] or rest[-6:] == typed[-6:]
    ]
    if not near:
        return ""
    return f" Nearest: {', '.join(map(repr, near[:_MOST_NEAREST]))}."


def texts_in_rows(participant: ExplainedParticipant, project: Project) -> list[str]:
    """List the participant's texts that are in their rows."""
    fields = [plan.raw_field for plan in project.coding_plans.all]
    rows = (*participant.messages, participant.individual)
    return list({text for row in rows for field in fields if (text := row.values.get(field)) is not None})


def text_of(row: TracedRow, plan: CodingPlan) -> str | None:
    """Return the text in a row's raw field; None without an answer."""
    text = row.values.get(plan.raw_field)
    return None if text is None else str(text)


def episode_of(row: TracedRow, project: Project) -> CodingPlan | None:
    """Find the plan of the episode that a message answers."""
    return project.coding_plans.rqa_by_raw_field.get(row.values.get(SHOW_PIPELINE_KEY, ""))
