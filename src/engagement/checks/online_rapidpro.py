"""What RapidPro says of a source: its flows, and the results that they keep."""

from collections.abc import Iterator, Sequence

from engagement.configuration import RapidProSource
from engagement.configuration.nearest import nearest
from engagement.configuration.pipeline_configuration import RapidProKeyRemapping
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import category_of, read_result_key
from engagement.services.rapidpro import Flow


def placed_flows(at: str, source: RapidProSource) -> Iterator[tuple[str, str]]:
    """The flows of a source, each with its JSON path; `at` is the source's."""
    for key, names in (
        ("ActivationFlowNames", source.activation_flow_names),
        ("SurveyFlowNames", source.survey_flow_names),
    ):
        for number, name in enumerate(names):
            yield f"{at}.{key}[{number}]", name


def find_flow_problems(
    at: str, source: RapidProSource, flows: Sequence[Flow], remappings: Sequence[RapidProKeyRemapping]
) -> Iterator[Problem]:
    """Flows that the workspace lacks, and fields that no result of its flows is the source of."""
    listed = {flow.name for flow in flows}
    for place, name in placed_flows(at, source):
        if name not in listed:
            yield Problem(
                place,
                f"the workspace at {source.domain} has no flow {name!r}; expected one{nearest(name, sorted(listed))} Change it.",
            )
    results = _results_of(source, flows)
    written = {
        remapping.pipeline_key
        for remapping in remappings
        if (result := read_result_key(remapping.rapid_pro_key)) is None
        or result.flow not in results
        or result.category in results[result.flow]
    }
    for position, remapping in enumerate(remappings):
        result = read_result_key(remapping.rapid_pro_key)
        # A flow's earlier results may stay beside those that came in their place: the old runs have them.
        if result is not None and result.flow in results and remapping.pipeline_key not in written:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                f"flow {result.flow!r} keeps no result {result.category!r}, and nothing else writes {remapping.pipeline_key!r}; "
                f"expected one of its results{nearest(result.category, sorted(results[result.flow]))} Change it.",
            )


def find_rapid_pro_warnings(
    at: str, source: RapidProSource, flows: Sequence[Flow], remappings: Sequence[RapidProKeyRemapping]
) -> Iterator[Problem]:
    """Archived flows, and results that no remapping reads."""
    archived = {flow.name for flow in flows if flow.archived} - {flow.name for flow in flows if not flow.archived}
    read = {(result.category, result.flow) for r in remappings if (result := read_result_key(r.rapid_pro_key))}
    results = _results_of(source, flows)
    for place, name in placed_flows(at, source):
        if name in archived:
            yield Problem(
                place, f"flow {name!r} is archived, so that nothing new comes; expected a live one. Change it."
            )
        for category in sorted(results.get(name, ())):
            if (category, name) not in read:
                yield Problem(
                    place,
                    f"no remapping reads the result {category!r} that flow {name!r} keeps; expected one. Add "
                    f"'{category} (Text) - {name}', or leave it be if nobody needs it.",
                )


def _results_of(source: RapidProSource, flows: Sequence[Flow]) -> dict[str, set[str]]:
    """What the source's flows keep, as the fetch calls it; of two flows with one name the one that is not archived."""
    wanted = {*source.activation_flow_names, *source.survey_flow_names}
    by_name = {flow.name: flow for flow in sorted(flows, key=lambda flow: not flow.archived) if flow.name in wanted}
    # Of a flow that lists none nothing is known.
    return {
        name: {category_of(result.key) for result in flow.results} for name, flow in by_name.items() if flow.results
    }
