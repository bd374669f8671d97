"""Checks of recovered messages: the keys of their files, and the fields that wait for a time range to name an episode."""

from collections.abc import Collection, Iterator

from engagement.configuration.pipeline_configuration import PipelineConfiguration, RapidProKeyRemapping
from engagement.configuration.problems import Problem
from engagement.configuration.raw_data_sources import RecoveryCSVSource
from engagement.configuration.raw_keys import (
    CONTACT_KEYS,
    RecoveredKeyNames,
    find_recovered_key,
    flow_of_key,
)

_NAMES = ("Text", "Time", "RunID")


def find_recovered_problems(configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Keys of recovery files that would be taken for others."""
    known = configuration.recovered_keys
    for position, source in enumerate(configuration.raw_data_sources):
        if not isinstance(source, RecoveryCSVSource) or source.keys is None:
            continue
        at = f"$.RawDataSources[{position}].Keys"
        for number, name in enumerate(source.raw_keys):
            place = f"{at}.{_NAMES[number]}"
            if name in source.raw_keys[:number]:
                yield Problem(
                    place, f"{name!r} is another key of these files too; expected three different ones. Change one."
                )
            elif name in CONTACT_KEYS or flow_of_key(name) is not None:
                yield Problem(
                    place, f"{name!r} is a key of RapidPro's runs; expected one that only these files have. Change it."
                )
            elif any(name in others for others in known if others != source.raw_keys):
                yield Problem(
                    place,
                    f"{name!r} is a key of other recovery files too, whose other keys differ; expected files to share all three "
                    "keys or none. Change it.",
                )


def find_neutral_fault(
    configuration: PipelineConfiguration, remapping: RapidProKeyRemapping, fields: Collection[str]
) -> str | None:
    """What keeps a field of recovered texts, which is none of the plans' `fields`, from waiting for a time range.

    None where nothing does. Otherwise words that go on from "is no raw field of an RQA plan", none if there is nothing to add.
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
    """The fields of recovered messages that wait for a time range: of their texts, times and run ids."""
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
