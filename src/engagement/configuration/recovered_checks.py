"""Check recovered messages: fields that need a time range to get an episode."""

from collections.abc import Collection

from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.raw_keys import RecoveredKeyNames, find_recovered_key
from engagement.configuration.remappings import RapidProKeyRemapping


def find_neutral_fault(
    configuration: PipelineConfiguration, remapping: RapidProKeyRemapping, fields: Collection[str]
) -> str | None:
    """Explain why a recovered text's field, none of the plans' `fields`, can't wait for a time range.

    None if it can. Otherwise words that follow "is no raw field of an RQA plan", empty if there is nothing to add.
    """
    names = _names_of_text(configuration, remapping)
    if names is None or remapping.pipeline_key in fields:
        return ""
    times = {names[1], *(r.pipeline_key for r in configuration.rapid_pro_key_remappings if r.rapid_pro_key == names[1])}
    if not any(time_range.time_key in times for time_range in configuration.timestamp_remappings):
        return f", and no TimestampRemappings with the TimeKey {names[1]!r} send its messages to one"
    if len(times) == 1:
        return f", and no remapping reads {names[1]!r}, the time that its messages bring to an episode"
    return None


def find_neutral_fields(configuration: PipelineConfiguration, fields: Collection[str]) -> set[str]:
    """List the fields of recovered messages that wait for a time range: texts, times and run ids."""
    remappings = configuration.rapid_pro_key_remappings
    found: set[str] = set()
    for remapping in remappings:
        names = _names_of_text(configuration, remapping)
        if names is not None and find_neutral_fault(configuration, remapping, fields) is None:
            found.update(other.pipeline_key for other in remappings if other.rapid_pro_key in names)
    return found


def _names_of_text(configuration: PipelineConfiguration, remapping: RapidProKeyRemapping) -> RecoveredKeyNames | None:
    found = find_recovered_key(remapping.rapid_pro_key, configuration.recovered_keys)
    return found[0] if found is not None and found[1] == "Text" and remapping.is_activation_message else None
