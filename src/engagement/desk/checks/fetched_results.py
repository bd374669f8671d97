"""Compare fetched runs with the remappings, to find results that nobody reads and keys without runs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration import PipelineConfiguration
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import read_result_key
from engagement.configuration.source_model import sources_by_type
from engagement.configuration.source_types import load_part
from engagement.desk.checks.remapping_warnings import placed_flows_with_results
from engagement.pipeline.messages.missing_keys import find_missing_keys
from engagement.pipeline.messages.unknown_testers import find_unknown_testers
from engagement.provenance import read_traced_data
from engagement.sources.answer_lengths import AnswerLengths

_TEXT_PARTS = ("Text", "Value")


@dataclass
class FetchedKeys:
    """Counts of each flow's runs, by key and by answered result too, and the test participants with runs."""

    runs: dict[str, int] = field(default_factory=dict)
    keys: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    lengths: AnswerLengths = field(default_factory=AnswerLengths)
    testers: set[object] = field(default_factory=set)


def count_fetched_keys(configuration: PipelineConfiguration, data_root: Path) -> FetchedKeys:
    """Read the raw data of every flow that was fetched.

    Raises
    ------
    InputError
        A file is damaged.
    """
    fetched = FetchedKeys()
    testers = frozenset(configuration.test_participant_uuids)
    for flow in (*configuration.activation_flows, *configuration.survey_flows):
        path = data_root / "Raw Data" / f"{flow}.jsonl"
        if path.exists():
            fetched.runs[flow] = 0
            for run in read_traced_data(path):
                fetched.runs[flow] += 1
                fetched.keys.update(run.values.keys())
                fetched.answers.update(_answered(run.values))
                fetched.lengths.add(flow, run.values)
                if (participant := run.values.get(PARTICIPANT_KEY)) in testers:
                    fetched.testers.add(participant)
    return fetched


def _answered(values: dict[str, object]) -> set[tuple[str, str]]:
    """Return the answered results of a run, by their category and flow."""
    results = ((read_result_key(key), value) for key, value in values.items())
    return {
        (result.category, result.flow)
        for result, value in results
        if result is not None and result.part in _TEXT_PARTS and value is not None
    }


def find_fetched_warnings(configuration: PipelineConfiguration, fetched: FetchedKeys) -> Iterator[Problem]:
    """Find mismatches, with counts of runs."""
    remappings = configuration.rapid_pro_key_remappings
    read = {(result.category, result.flow) for r in remappings if (result := read_result_key(r.rapid_pro_key))}
    flows = placed_flows_with_results(configuration)
    for source_type, placed in sources_by_type(configuration.raw_data_sources).items():
        yield from load_part(source_type, "check").find_warnings_in_runs(placed, fetched.lengths)
    for at, flow in flows.items():
        if flow not in fetched.runs:
            yield Problem(
                at, f"flow {flow!r} was not fetched yet; expected its runs, to compare results with. Run stage 2."
            )
        for (category, of_flow), answers in sorted(fetched.answers.items()):
            if of_flow == flow and (category, flow) not in read:
                yield Problem(
                    at,
                    f"no remapping reads the result {category!r}, which {answers} of {fetched.runs[flow]} run(s) of flow "
                    f"{flow!r} answered; expected one. Add '{category} (Text) - {flow}', or leave it be if nobody needs it.",
                )
    yield from find_missing_keys(configuration, fetched.keys, fetched.runs)
    yield from find_unknown_testers(configuration, sum(fetched.runs.values()), fetched.testers.__contains__)
