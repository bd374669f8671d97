"""Find configured raw keys that no run has, mostly because RapidPro names the result differently."""

from collections.abc import Collection, Iterator, Mapping

from engagement.configuration import PipelineConfiguration
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import CONTACT_KEYS, find_recovered_key, flow_of_key, read_result_key


def find_missing_keys(
    configuration: PipelineConfiguration, found: Collection[str], runs: Mapping[str, int]
) -> Iterator[Problem]:
    """Find the configured raw keys that no run of their flow has, and suggest the nearest one.

    Checks RapidProKeyRemappings and TimestampRemappings. `found` are the keys that runs have, `runs` counts the runs of each flow. A
    flow without runs says nothing about its keys, nor does a key that only some runs have by nature, like those of a contact.
    """
    fields = {remapping.pipeline_key for remapping in configuration.rapid_pro_key_remappings}
    read = [
        (f"$.RapidProKeyRemappings[{position}].RapidProKey", remapping.rapid_pro_key)
        for position, remapping in enumerate(configuration.rapid_pro_key_remappings)
    ]
    read += [
        (f"$.TimestampRemappings[{position}].TimeKey", remapping.time_key)
        for position, remapping in enumerate(configuration.timestamp_remappings)
        # The configuration may also give the time by its name in the project.
        if remapping.time_key not in fields
    ]
    flows = {*configuration.activation_flows, *configuration.survey_flows}
    for at, raw_key in read:
        is_recovered = find_recovered_key(raw_key, configuration.recovered_keys) is not None
        if raw_key in found or raw_key in CONTACT_KEYS or is_recovered:
            continue
        flow = flow_of_key(raw_key)
        # Files of other pipelines hold keys of flows that this configuration never names.
        count = runs.get(str(flow), 0) if flow in flows else sum(runs.values())
        if count:
            of_flow = f" of flow {flow!r}" if flow in flows else ""
            yield Problem(
                at,
                f"none of {count} run(s){of_flow} has {raw_key!r}; expected some{_say_nearest(raw_key, found)} "
                "Change it, unless nobody has come so far yet.",
            )


def _say_nearest(raw_key: str, found: Collection[str]) -> str:
    """Name the nearest results of the same flow; for a key that belongs to no result, the nearest keys."""
    result = read_result_key(raw_key)
    if result is None:
        return nearest(raw_key, sorted(found))
    others = (other for key in found if (other := read_result_key(key)) is not None)
    return nearest(result.category, sorted({other.category for other in others if other.flow == result.flow}))
