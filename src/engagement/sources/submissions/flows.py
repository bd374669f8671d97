"""Open the stores of a source's forms, and hand their flows over: one a form, one for the survey."""

import heapq
import itertools
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from engagement.foundation.errors import ServiceError, count_of
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow, count_lines, is_shrunk
from engagement.sources.manifest import RawDataWriter
from engagement.sources.operator_labels import OperatorLabels
from engagement.sources.submissions.earlier_lines import EarlierLines
from engagement.sources.submissions.lines import SubmissionLines
from engagement.sources.submissions.model import SubmissionsForm, SubmissionsSource
from engagement.sources.submissions.opened_stores import open_store
from engagement.sources.submissions.set_aside import report_set_aside
from engagement.sources.submissions.store import EPISODE, SURVEY, SubmissionStore

_LINES_A_PIECE = 1000

_logger = logging.getLogger(__name__)


class FlowsSource(Protocol):
    """A source of submissions, as far as its flows go."""

    @property
    def source_type(self) -> str:
        """Its type."""

    @property
    def survey_flow_name(self) -> str | None:
        """Flow of the answers about participants, None if it has none."""


def state_path(data_root: Path, source: SubmissionsSource, form: SubmissionsForm) -> Path:
    """Name the file of a form's state; for plans too, which read it without `open_form`."""
    return data_root / "State" / "fetch" / f"{source.source_type} {form.flow_name}.sqlite"


def open_form(
    source: SubmissionsSource, form: SubmissionsForm, context: FetchContext, read_with: object = None
) -> SubmissionStore:
    """Open the store of a form; `context.resources` closes it.

    It starts again when anything of the form changed that its answers depend on. `read_with` is what they depend on besides, as JSON.
    """
    scheme = context.project.coding_plans.operator_scheme
    operators = OperatorLabels(scheme) if scheme is not None else None
    survey = source.survey_flow_name
    lines = SubmissionLines(form.flow_name, survey, operators, context.metadata(_package_of(source)))
    survey_questions = [question.model_dump(mode="json") for question in source.survey_questions]
    settings = [
        form.model_dump(mode="json"),
        survey,
        survey_questions,
        source.country,
        read_with,
    ]
    files = {EPISODE: context.raw_data_file(form.flow_name)}
    if survey is not None:
        files[SURVEY] = context.raw_data_file(survey)
    path = state_path(context.data_root, source, form)
    read_as = json.dumps(settings, sort_keys=True)
    store = open_store(path, form.flow_name, read_as, lines, EarlierLines(files), context.held_back)
    return context.resources.enter_context(store)


def refuse_emptied(where: str, held: int, listed: int, context: FetchContext) -> None:
    """Refuse to drop much of what is held, because the service lists far less. Call it before `drop`.

    Raises
    ------
    ServiceError
        Less than 90 % is listed, more than three of a few are gone or all, and --accept-shrinkage is not given.
    """
    if is_shrunk(listed, held, is_edited=True) and not context.accept_shrinkage:
        raise ServiceError(
            f"{where}: {count_of(listed, 'submission')}, {held:,} before; expected at least 90 %. Nothing was dropped or replaced. "
            "See whether they were deleted there; --accept-shrinkage takes what is left."
        )


def hand_over(source: FlowsSource, stores: Sequence[SubmissionStore], context: FetchContext) -> list[FetchedFlow]:
    """Report what was set aside, and return the flows, ready to write. `stores` are of all forms."""
    file = context.state_file(f"{source.source_type} {stores[0].flow}.set_aside.jsonl")
    report_set_aside(source.source_type, stores, file, context)
    for store in stores:
        store.warn_of_missing_operators()
    flows = [_hand_over(store.flow, [store], EPISODE, context) for store in stores]
    if source.survey_flow_name is not None:
        flows.append(_hand_over(source.survey_flow_name, stores, SURVEY, context))
    return flows


def _hand_over(name: str, stores: Sequence[SubmissionStore], kind: str, context: FetchContext) -> FetchedFlow:
    path = context.raw_data_file(name)
    runs = sum(store.count_lines(kind) for store in stores)
    generations = [[store.flow, store.generation(kind)] for store in stores]
    note = f"written {kind}"

    def describe() -> str | None:
        if not path.exists():
            return None
        status = path.stat()
        return json.dumps([generations, status.st_size, status.st_mtime_ns])

    now = describe()
    is_written = now is not None and stores[0].note(note) == now
    if not is_written:
        for store in stores:
            store.refuse_damage()

    def write(writer: RawDataWriter) -> None:
        if is_written:
            _logger.info("Flow %r: unchanged", name)
            return
        writer.write(path, _read_pieces(stores, kind))
        stores[0].keep_notes({note: describe() or ""})
        _logger.info("Flow %r: %s written", name, count_of(runs, "submission"))

    return FetchedFlow(name, path, runs, runs if is_written else count_lines(path), write, is_edited=True)


def _read_pieces(stores: Sequence[SubmissionStore], kind: str) -> Iterator[bytes]:
    """Read the lines of all stores by time, then key, in pieces of many lines."""
    lines = heapq.merge(*(store.lines(kind) for store in stores), key=lambda held: held[:2])
    while batch := list(itertools.islice(lines, _LINES_A_PIECE)):
        yield b"".join(held.line for held in batch)


def _package_of(source: SubmissionsSource) -> str:
    return type(source).__module__.split(".")[-2]
