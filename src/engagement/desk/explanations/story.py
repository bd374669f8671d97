"""Tell the story of a participant or of one column: rows, their cells, and the steps to them."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan, ControlCode, Project
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.configuration.nearest import nearest
from engagement.desk.explanations.answers import AnswerStories
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.codings import CodingStories
from engagement.desk.explanations.folds import tell_of_labels, tell_of_texts
from engagement.desk.explanations.participant import (
    ExplainedParticipant,
    TracedRow,
    check_header,
    episode_of,
    find_participant,
    texts_in_rows,
)
from engagement.desk.explanations.rules import Rules
from engagement.desk.explanations.steps import StepKind, StorySection, StoryStep
from engagement.desk.explanations.wording import Texts, listed, mask, say_messages, say_time, show_fact
from engagement.foundation.csv_cells import guard_cell
from engagement.foundation.errors import UsageError
from engagement.pipeline.coding.imputation import codings_behind
from engagement.pipeline.coding.reasons import Reason
from engagement.pipeline.folding.consent import ConsentCase
from engagement.processing.records.participant_links import load_links

_MESSAGES, _INDIVIDUALS, _PRODUCTION = "messages.csv", "individuals.csv", "production.csv"


@dataclass(frozen=True)
class Story:
    """An explanation of one column, or with `column` None of the participant."""

    uid: str
    column: str | None
    made_at: str | float
    made_by: str
    messages: int
    sections: Sequence[StorySection]

    def document(self) -> dict[str, Any]:
        """The story as JSON values."""
        return {
            "uid": self.uid,
            "column": self.column,
            "outputs": {"made_at": self.made_at, "made_by": self.made_by},
            "messages": self.messages,
            "sections": [section.document() for section in self.sections],
        }


def _find_counting_id(project: Project, uid: str) -> str:
    """Find the id that counts; the kept configuration has no files beside it."""
    folder, names = project.path.parent, project.configuration.linked_participants
    if not all((folder / name).is_file() for name in names):
        return uid
    return load_links(project.configuration, folder).first(uid)


def tell_story(project: Project, data_root: Path, uid: str, column: str | None) -> Story:
    """Read a participant's results of stage 3, and tell their story.

    Raises
    ------
    UsageError
        There is no such column or participant.
    InputError
        The traced data can't be read, or was made with another configuration.
    """
    header = check_header(project, data_root)
    if column is not None and column not in header:
        raise UsageError(
            f"{data_root / 'Outputs'}: no column {mask(column)!r}{nearest(column, header)} Check its name."
        )
    participant = find_participant(project, data_root, uid := _find_counting_id(project, uid))
    teller = _Teller(project, data_root, participant)
    sections = teller.tell_all() if column is None else teller.tell_column(column)
    made = participant.made
    return Story(uid, column, made.timestamp, made.user, len(participant.messages), tuple(sections))


class _Teller:
    """Tells the story of one participant."""

    def __init__(self, project: Project, data_root: Path, participant: ExplainedParticipant) -> None:
        coda = CodaEvidence(data_root, project.coding_plans)
        self._project = project
        self._participant = participant
        self._texts = Texts(texts_in_rows(participant, project))
        rules = Rules(project, coda)
        self._rules = rules
        self._answers = AnswerStories(project, coda, self._texts)
        self._codings = CodingStories(coda, rules)

    def tell_column(self, column: str) -> Iterator[StorySection]:
        """Tell about one column: the messages, then the individual."""
        if column in (UID_FIELD, CONSENT_FIELD):
            step = (
                _tell_of_uid(self._participant)
                if column == UID_FIELD
                else _tell_of_consent(self._rules.consent(self._participant))
            )
            cells = {column: self._participant.individual.cells[column]}
            files = [_MESSAGES, _INDIVIDUALS, *([_PRODUCTION] if column == UID_FIELD else [])]
            yield StorySection("Every row of the participant", files, cells, [step], self._numbers)
            return
        plan = next(plan for plan in self._project.coding_plans.all if column in plan.columns())
        configuration = next((c for c in plan.coding_configurations if column in c.columns()), None)
        if configuration is None:
            yield from self._tell_messages(lambda row: self._steps(row, plan, ()), [column], plan)
            steps = [tell_of_texts(self._participant, plan, self._texts)]
        else:
            told = codings_behind(plan, configuration)
            yield from self._tell_messages(
                lambda row: (*self._steps(row, plan, told), *_tell_of_matrix(row, configuration, column)),
                [column],
                plan,
            )
            steps = [tell_of_labels(self._participant, configuration)]
            steps += _tell_of_matrix(self._individual, configuration, column)
        yield StorySection("The individual", [_INDIVIDUALS], _pick(self._individual, [column]), steps)

    def tell_all(self) -> Iterator[StorySection]:
        """Tell the whole story: each message, the participant's answers about themselves, and the individual."""
        yield StorySection(
            "The participant",
            [_MESSAGES, _INDIVIDUALS, _PRODUCTION],
            {CONSENT_FIELD: self._individual.cells[CONSENT_FIELD]},
            [_tell_of_uid(self._participant), _tell_of_consent(self._rules.consent(self._participant))],
            self._numbers,
        )
        for number, row in enumerate(self._participant.messages, 1):
            yield self._tell_message(number, row)
        silent: list[str] = []
        for plan in self._project.coding_plans.survey:
            if all(self._is_silent(row, plan) for row in self._participant.messages):
                silent.append(plan.raw_field)
                continue
            yield from self._tell_messages(
                functools.partial(self._steps, plan=plan, configurations=plan.coding_configurations),
                list(plan.columns()),
                plan,
            )
        if silent:
            says = f"The participant gave no answer to {listed(silent)}: 'NA' (no answer)."
            yield StorySection(
                "Not answered", [_MESSAGES, _INDIVIDUALS], {}, [StoryStep(StepKind.NO_ANSWER, says, {"fields": silent})]
            )
        yield self._tell_individual()

    def _is_silent(self, row: TracedRow, plan: CodingPlan) -> bool:
        """Check that there never was an answer, and that the codes say nothing else."""
        first, *_ = self._answers.tell(row, plan)
        labels = [label for coding in plan.coding_configurations for label in row.labels[coding.coded_field]]
        is_na = all(label.code.control_code is ControlCode.NA for label in labels)
        return first.kind is StepKind.NO_ANSWER and is_na

    @property
    def _individual(self) -> TracedRow:
        return self._participant.individual

    @property
    def _numbers(self) -> list[int]:
        return list(range(1, len(self._participant.messages) + 1))

    def _steps(
        self, row: TracedRow, plan: CodingPlan, configurations: Sequence[CodingConfiguration]
    ) -> Iterator[StoryStep]:
        yield from self._answers.tell(row, plan)
        for configuration in configurations:
            yield from self._codings.tell_of_cleaner(row, plan, configuration)
        for configuration in configurations:
            yield from self._codings.tell(row, plan, configuration)

    def _tell_messages(
        self, tell: Callable[[TracedRow], Iterable[StoryStep]], columns: Sequence[str], plan: CodingPlan
    ) -> Iterator[StorySection]:
        """Group messages with the same story into sections of messages.csv."""
        groups: list[tuple[list[StoryStep], dict[str, str], list[int]]] = []
        for number, row in enumerate(self._participant.messages, 1):
            steps, cells = list(tell(row)), _pick(row, columns)
            says = [step.says for step in steps]
            known = next((g for g in groups if [step.says for step in g[0]] == says and g[1] == cells), None)
            if known is None:
                groups.append((steps, cells, [number]))
            else:
                known[2].append(number)
        for steps, cells, numbers in groups:
            title = self._title(plan, numbers)
            notes = _tell_of_guard(plan, cells, self._project.configuration.guard_formulas)
            files = [_MESSAGES, _PRODUCTION] if plan.raw_field in columns else [_MESSAGES]
            yield StorySection(title, files, cells, [*steps, *notes], numbers)

    def _title(self, plan: CodingPlan, numbers: Sequence[int]) -> str:
        of_all = f" of {len(self._participant.messages)}"
        if len(numbers) > 1 and len(numbers) == len(self._participant.messages):
            which = f"all {len(numbers)} messages"
        else:
            which = f"{say_messages(numbers)}{of_all if len(self._participant.messages) > 1 else ''}"
        if len(numbers) == 1:
            which += f", {self._say_when(self._participant.messages[numbers[0] - 1])}"
        return f"{plan.raw_field} in {which}"

    def _say_when(self, row: TracedRow) -> str:
        plan = episode_of(row, self._project)
        time = None if plan is None else row.values.get(plan.time_field or "")
        field = "an unknown episode" if plan is None else repr(plan.raw_field)
        return f"an answer to {field} sent on {say_time(time)}"

    def _tell_message(self, number: int, row: TracedRow) -> StorySection:
        steps: list[StoryStep] = []
        cells: dict[str, str] = {}
        for plan in self._project.coding_plans.rqa:
            told = list(self._steps(row, plan, plan.coding_configurations))
            if told[0].kind is not StepKind.NO_ANSWER:
                steps += told
                cells |= _say_cells(row, plan)
        title = f"Message {number} of {len(self._participant.messages)}, {self._say_when(row)}"
        return StorySection(title, [_MESSAGES, _PRODUCTION], cells, steps, [number])

    def _tell_individual(self) -> StorySection:
        steps: list[StoryStep] = []
        cells: dict[str, str] = {}
        for plan in self._project.coding_plans.all:
            found = _pick(self._individual, list(plan.columns()))
            if any(_pick(row, list(found)) != found for row in self._participant.messages):
                cells |= _say_cells(self._individual, plan)
                steps += [tell_of_labels(self._participant, coding) for coding in plan.coding_configurations]
        says = "All other columns are the same as in each of the participant's messages."
        steps.append(StoryStep(StepKind.FOLDED, says))
        return StorySection("The individual", [_INDIVIDUALS], cells, steps)


def _pick(row: TracedRow, columns: Sequence[str]) -> dict[str, str]:
    return {column: row.cells[column] for column in columns}


def _say_cells(row: TracedRow, plan: CodingPlan) -> dict[str, str]:
    """Return the cells of a plan that say something: of a matrix, only those with a 1."""
    matrix = {
        column
        for configuration in plan.coding_configurations
        if configuration.coding_mode is CodingMode.MULTIPLE
        for column in configuration.columns()
    }
    return {c: row.cells[c] for c in plan.columns() if c not in matrix or row.cells[c] == "1"}


def _tell_of_matrix(row: TracedRow, configuration: CodingConfiguration, column: str) -> Iterator[StoryStep]:
    """Explain why the cell of one code of several is 1 or 0."""
    if configuration.coding_mode is not CodingMode.MULTIPLE:
        return
    value = column.removeprefix(f"{configuration.analysis_file_key}_")
    is_there = row.cells[column] == "1"
    says = f"The column is 1 where {value!r} is among the codes, and it {'is' if is_there else 'is not'}: {row.cells[column]}."
    yield StoryStep(StepKind.NOTE, says, {"code": value, "is_there": is_there})


def _tell_of_guard(plan: CodingPlan, cells: dict[str, str], is_everywhere: bool) -> Iterator[StoryStep]:
    text = cells.get(plan.raw_field, "")
    if guard_cell(text) != text:
        where = "every CSV" if is_everywhere else "production.csv"
        says = f"In {where} an apostrophe precedes it, so that no spreadsheet takes it for a formula."
        yield StoryStep(StepKind.NOTE, says)


def _tell_of_uid(participant: ExplainedParticipant) -> StoryStep:
    number = len(participant.messages)
    return StoryStep(
        StepKind.IDENTITY,
        "The uid stands for the participant; only the uuid table can turn it into the address it stands for. Outputs hold "
        f"{number} message{'s' if number > 1 else ''} of theirs.",
        {"messages": number},
    )


def _tell_of_consent(reason: Reason) -> StoryStep:
    has_withdrawn = reason.case is ConsentCase.WITHDREW
    return StoryStep(StepKind.CONSENT, reason.say(show_fact), {"has_withdrawn": has_withdrawn})
