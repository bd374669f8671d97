"""Answers of which only a part may have come: what a flow's test matched in them. FullTexts brings the whole texts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.services.rapidpro.client import Flow, Run
from engagement.sources.rapidpro.model import RapidProSource

# What a flow calls an answer that no test of its author's matched, or that is none.
_UNTESTED = {"All Responses", "Other", "No Response", "Failure", "Has Text", ""}
# So many that one of them, at least, would be longer than what a test matches, did they come whole.
_ENOUGH = 20


class AnswerLengths:
    """Counts, by flow, the answers that tests sorted, and those of them that are longer than what was matched."""

    def __init__(self) -> None:
        self.tested: Counter[str] = Counter()
        self.longer: Counter[str] = Counter()

    def add(self, flow: str, values: dict[str, object]) -> None:
        """Count in a run."""
        for key, category in values.items():
            name, mark, of_flow = key.partition(" (Category) - ")
            if mark and of_flow == flow and isinstance(category, str) and category not in _UNTESTED:
                matched = values.get(f"{name} (Value) - {flow}")
                text = values.get(f"{name} (Text) - {flow}")
                self.tested[flow] += text is not None
                self.longer[flow] += text != matched or len(str(text).split()) > 1


def find_cut_texts(configuration: PipelineConfiguration, lengths: AnswerLengths) -> Iterator[Problem]:
    """Sources with flows of which no answer, of many that tests sorted, is longer than what a test matches."""
    for position, source in enumerate(configuration.raw_data_sources):
        if isinstance(source, RapidProSource) and not source.full_texts:
            names = (*source.activation_flow_names, *source.survey_flow_names)
            cut = [name for name in names if lengths.tested[name] >= _ENOUGH and not lengths.longer[name]]
            if cut:
                answers = sum(lengths.tested[name] for name in cut)
                yield _suggest(
                    position, f"none of {answers} answers to tested questions has more than what was matched", cut
                )


def find_server_that_cuts(
    position: int, source: RapidProSource, flows: Sequence[Flow], first_runs: Callable[[str], Collection[Run]]
) -> Iterator[Problem]:
    """A source with flows that test answers, on a server that sends no whole texts. `first_runs` asks for some of a flow's runs."""
    names = (*source.activation_flow_names, *source.survey_flow_names)
    tested = [flow for flow in flows if flow.name in names and any(set(r.categories) - _UNTESTED for r in flow.results)]
    if source.full_texts:
        return
    for flow in tested:
        results = [result for run in first_runs(flow.uuid) for result in (run.values or {}).values()]
        if results:
            # What holds for one flow holds for the server.
            if any(result.input is msgspec.UNSET for result in results):
                found = "the server sends what was matched in an answer, and not the whole text"
                yield _suggest(position, found, [flow.name for flow in tested])
            return


def _suggest(position: int, found: str, flows: Sequence[str]) -> Problem:
    named = ", ".join(map(repr, flows))
    return Problem(
        f"$.RawDataSources[{position}]",
        f"{found}, in {named}; expected whole texts for coders. Add '\"FullTexts\": true', or leave it be if the parts are enough.",
    )
