"""Find answers that may hold only what a flow's test matched. FullTexts brings the whole texts."""

from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.services.rapidpro.client import Flow, Run
from engagement.sources.answer_lengths import UNTESTED, AnswerLengths
from engagement.sources.rapidpro.model import RapidProSource

# Among so many whole answers, at least one would be longer than the part that its test matched.
_ENOUGH = 20


def find_cut_texts(sources: Sequence[PlacedSource[RapidProSource]], lengths: AnswerLengths) -> Iterator[Problem]:
    """Find flows with many sorted answers, none longer than the part that the test matched."""
    for at, source in sources:
        if not source.full_texts:
            cut = [name for name in source.flow_names if lengths.tested[name] >= _ENOUGH and not lengths.longer[name]]
            if cut:
                answers = sum(lengths.tested[name] for name in cut)
                yield _suggest(at, f"none of {answers} answers to tested questions has more than what was matched", cut)


def find_server_that_cuts(
    at: str, source: RapidProSource, flows: Sequence[Flow], first_runs: Callable[[str], Collection[Run]]
) -> Iterator[Problem]:
    """Find a server that cuts the answers of tested flows. `first_runs` asks for some of a flow's runs."""
    tested = [
        flow
        for flow in flows
        if flow.name in source.flow_names and any(set(r.categories) - UNTESTED for r in flow.results)
    ]
    if source.full_texts:
        return
    for flow in tested:
        results = [result for run in first_runs(flow.uuid) for result in (run.values or {}).values()]
        if results:
            # One such flow shows that the server does it for all.
            if any(result.input is msgspec.UNSET for result in results):
                found = "the server sends what was matched in an answer, and not the whole text"
                yield _suggest(at, found, [flow.name for flow in tested])
            return


def _suggest(at: str, found: str, flows: Sequence[str]) -> Problem:
    named = ", ".join(map(repr, flows))
    return Problem(
        at,
        f"{found}, in {named}; expected whole texts for coders. Add '\"FullTexts\": true', or leave it be if the parts are enough.",
    )
