"""Find mismatches between the questions that sources name, and the remappings of their answers."""

from collections.abc import Iterator

from engagement.configuration import PipelineConfiguration
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import RESULT_PARTS, WRITTEN_PARTS, category_of, flow_of_key, read_result_key
from engagement.configuration.source_model import placed_sources


def find_result_warnings(configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find remappings of answers that no question gives, and questions whose answers nothing reads."""
    places: dict[str, dict[str, str]] = {}
    for at, source in placed_sources(configuration.raw_data_sources):
        for place, flow, name in source.placed_results():
            places.setdefault(flow, {})[name] = f"{at}.{place}"
    read: set[tuple[str, str]] = set()
    for position, remapping in enumerate(configuration.rapid_pro_key_remappings):
        result = read_result_key(remapping.rapid_pro_key)
        if result is None or result.flow not in places:
            continue
        names = places[result.flow]
        # Capitals have a warning of their own.
        read.add((result.flow, category_of(result.category)))
        if result.part in RESULT_PARTS and result.part not in WRITTEN_PARTS:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                f"({result.part}) is in RapidPro's results alone, and flow {result.flow!r} is of another source, so that this reads nothing; "
                f"expected one of {', '.join(f'({part})' for part in WRITTEN_PARTS)}. Change it.",
            )
        if category_of(result.category) not in names:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                f"flow {result.flow!r} has no answers {result.category!r}, so that this reads nothing; expected a Field of its source"
                f"{nearest(result.category, sorted(names))} Change it.",
            )
    # A flow of which nothing is read has a warning of its own.
    read_flows = {flow_of_key(remapping.rapid_pro_key) for remapping in configuration.rapid_pro_key_remappings}
    for flow, names in places.items():
        unread = [name for name in names if (flow, name) not in read]
        for name in unread if flow in read_flows else ():
            yield Problem(
                names[name],
                f"no remapping reads its answers, '{name} (Text) - {flow}'; expected one. Add it to RapidProKeyRemappings, or remove "
                "the question.",
            )
