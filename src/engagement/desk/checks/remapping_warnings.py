"""Find mismatches between the sources' flows, the remappings of their keys, and the plans."""

from collections.abc import Iterator, Sequence, Set

from engagement.configuration import CodingPlans, PipelineConfiguration
from engagement.configuration.field_names import FETCHED_FIELDS, UID_FIELD
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import (
    CONTACT_KEYS,
    RESULT_PARTS,
    RecoveredKeyNames,
    category_of,
    find_recovered_key,
    flow_of_key,
    read_result_key,
)
from engagement.configuration.recovered_checks import find_neutral_fields
from engagement.configuration.remappings import RapidProKeyRemapping
from engagement.configuration.source_model import ResultKeys, placed_sources


def find_remapping_warnings(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find flows that nobody reads, remappings that read nothing, and fields that nobody reads."""
    remappings = configuration.rapid_pro_key_remappings
    flows = placed_flows_with_results(configuration)
    read_flows = {flow for remapping in remappings if (flow := flow_of_key(remapping.rapid_pro_key)) is not None}
    for at, flow in flows.items():
        if flow not in read_flows:
            yield Problem(
                at,
                f"no remapping reads a result of flow {flow!r}; expected one, or not to fetch it"
                f"{nearest(flow, sorted(read_flows))} Add it to RapidProKeyRemappings, or remove the flow.",
            )
    # Files from other pipelines hold keys of flows that this project does not name.
    only_known = all(source.result_keys is not ResultKeys.ANY_FLOW for source in configuration.raw_data_sources)
    wanted = _find_wanted_fields(configuration, plans)
    seen: dict[tuple[str, str], int] = {}
    for position, remapping in enumerate(remappings):
        at = f"$.RapidProKeyRemappings[{position}]"
        yield from _find_key_warnings(
            f"{at}.RapidProKey", remapping.rapid_pro_key, list(flows.values()), only_known, configuration.recovered_keys
        )
        # An episode's field that no plan has is an error, reported elsewhere.
        if remapping.pipeline_key not in wanted and not remapping.is_activation_message:
            yield Problem(
                f"{at}.PipelineKey",
                f"no plan reads {remapping.pipeline_key!r}; expected a field of a plan{nearest(remapping.pipeline_key, wanted)} "
                "Change it, or remove the remapping.",
            )
        first = seen.setdefault((remapping.rapid_pro_key, remapping.pipeline_key), position)
        if first != position:
            yield Problem(at, f"the same as $.RapidProKeyRemappings[{first}]; expected once. Remove one.")
    without = {flow for source in configuration.raw_data_sources for _, flow, _ in source.placed_results()}
    yield from _find_answers_of_two_episodes(remappings, without)
    yield from _find_answers_without_run_id(configuration, plans)


def placed_flows_with_results(configuration: PipelineConfiguration) -> dict[str, str]:
    """Collect the flows whose runs have keys of results, by their JSON paths."""
    return {
        f"{at}.{place}": flow
        for at, source in placed_sources(configuration.raw_data_sources)
        if source.result_keys is ResultKeys.ITS_OWN_FLOWS
        for place, flow in source.placed_flows()
    }


def _find_wanted_fields(configuration: PipelineConfiguration, plans: CodingPlans) -> list[str]:
    fields = {UID_FIELD, *FETCHED_FIELDS, *(remapping.time_key for remapping in configuration.timestamp_remappings)}
    for plan in plans.all:
        fields |= {plan.raw_field, plan.time_field or plan.raw_field, plan.run_id_field or plan.raw_field}
    return sorted(fields | find_neutral_fields(configuration, fields))


def _find_key_warnings(
    at: str, raw_key: str, flows: list[str], only_known: bool, recovered: Sequence[RecoveredKeyNames]
) -> Iterator[Problem]:
    result, flow = read_result_key(raw_key), flow_of_key(raw_key)
    if result is None and flow is None:
        if raw_key not in CONTACT_KEYS and find_recovered_key(raw_key, recovered) is None:
            yield Problem(
                at,
                f"{raw_key!r} is no key of raw data; expected '<Result> (Text) - <flow>', or one that every run has"
                f"{nearest(raw_key, CONTACT_KEYS)} Change it.",
            )
        return
    if result is not None and result.part not in RESULT_PARTS:
        yield Problem(
            at,
            f"({result.part}) is no part of a result; expected one of {', '.join(f'({part})' for part in RESULT_PARTS)}"
            f"{nearest(result.part, RESULT_PARTS)} Change it.",
        )
    if result is not None and result.category != category_of(result.category):
        right = f"{category_of(result.category)} ({result.part}) - {result.flow}"
        yield Problem(
            at, f"{raw_key!r} matches no run, as the fetch writes results with capitals; expected {right!r}. Change it."
        )
    if flow not in flows and only_known:
        yield Problem(
            at,
            f"no source has a flow {flow!r}, so that this reads nothing; expected one{nearest(str(flow), flows)} Change it.",
        )


def _find_answers_of_two_episodes(
    remappings: tuple[RapidProKeyRemapping, ...], flows_without_categories: Set[str]
) -> Iterator[Problem]:
    first: dict[str, tuple[int, str]] = {}
    for position, remapping in enumerate(remappings):
        if not remapping.is_activation_message:
            continue
        known = first.setdefault(remapping.rapid_pro_key, (position, remapping.pipeline_key))
        if known[1] != remapping.pipeline_key:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                f"it is the answer of {known[1]!r} too, at $.RapidProKeyRemappings[{known[0]}], so that each message counts "
                "twice; expected one episode for an answer. Change one.",
            )
        result = read_result_key(remapping.rapid_pro_key)
        # Of other sources than RapidPro there is a warning of its own.
        if result is not None and result.part == "Category" and result.flow not in flows_without_categories:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                "(Category) is what RapidPro made of the answer, not what people wrote; expected (Text). Change it.",
            )


def _find_answers_without_run_id(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    remappings = configuration.rapid_pro_key_remappings
    read = {(flow_of_key(remapping.rapid_pro_key), remapping.pipeline_key) for remapping in remappings}
    for position, remapping in enumerate(remappings):
        plan, flow = plans.rqa_by_raw_field.get(remapping.pipeline_key), flow_of_key(remapping.rapid_pro_key)
        if (
            plan is not None
            and plan.run_id_field is not None
            and flow is not None
            and (flow, plan.run_id_field) not in read
        ):
            yield Problem(
                f"$.RapidProKeyRemappings[{position}]",
                f"no remapping of flow {flow!r} writes {plan.run_id_field!r}, so that these answers have no run id in the ICR "
                "sample; expected one. Add it.",
            )
