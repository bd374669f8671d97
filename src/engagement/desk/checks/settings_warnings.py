"""Find oddities in the settings of the pipeline configuration."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime

from engagement.analysis.maps.boundaries import KnownLevel, find_level, fold_name
from engagement.configuration import CodingPlans, PipelineConfiguration
from engagement.configuration.nearest import nearest
from engagement.configuration.participant_ids import find_id_problem, find_strict_id_problem
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import read_result_key
from engagement.configuration.source_model import sources_by_type
from engagement.configuration.source_types import load_part


def find_settings_warnings(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find what operators should know about sources, times, analysis and uploads."""
    yield from _find_source_warnings(configuration)
    yield from _find_test_participant_warnings(configuration)
    yield from _find_time_warnings(configuration)
    yield from _find_label_warnings(configuration)
    yield from _find_map_warnings(configuration, plans)
    yield from _find_impact_warnings(configuration, plans)
    yield from _find_settings_without_effect(configuration)


def _find_source_warnings(configuration: PipelineConfiguration) -> Iterator[Problem]:
    if not configuration.activation_flows:
        yield Problem("$.RawDataSources", "no activation flow; expected one for each episode. Add ActivationFlowNames.")
    for source_type, placed in sources_by_type(configuration.raw_data_sources).items():
        yield from load_part(source_type, "check").find_warnings(placed, configuration)


def _find_test_participant_warnings(configuration: PipelineConfiguration) -> Iterator[Problem]:
    if configuration.test_participant_uuids and not configuration.filter_test_messages:
        yield Problem(
            "$.TestParticipantUUIDs",
            "has no effect without FilterTestMessages; expected both. Set FilterTestMessages to true, or remove this.",
        )
    for number, uid in enumerate(configuration.test_participant_uuids):
        if uid in configuration.test_participant_uuids[:number]:
            yield Problem(f"$.TestParticipantUUIDs[{number}]", "it is in the list already; expected once. Remove it.")
        prefix = configuration.participant_prefix
        problem = find_strict_id_problem(uid, prefix)
        # Something that is no id at all is an error, reported elsewhere.
        if problem is not None and find_id_problem(uid, prefix) is None:
            # It is not shown: it may be a name.
            yield Problem(
                f"$.TestParticipantUUIDs[{number}]",
                f"what is there {problem}, so that it leaves nothing out; expected an id like '{prefix}<uuid>'. Change it.",
            )


def _find_time_warnings(configuration: PipelineConfiguration) -> Iterator[Problem]:
    start, end = configuration.project_start_date, configuration.project_end_date
    written = {remapping.pipeline_key for remapping in configuration.rapid_pro_key_remappings}
    written |= {remapping.rapid_pro_key for remapping in configuration.rapid_pro_key_remappings}
    written |= {time for _, time, _ in configuration.recovered_keys[1:]}
    for position, remapping in enumerate(configuration.timestamp_remappings):
        at = f"$.TimestampRemappings[{position}]"
        first, last = remapping.range_start_inclusive, remapping.range_end_exclusive
        if _is_outside(first, last, start, end) and remapping.time_to_adjust_to is None:
            yield Problem(
                at,
                "its range lies outside the project's time, so that it moves nothing that counts; expected to overlap. Change it.",
            )
        if remapping.time_to_adjust_to is not None and not start <= remapping.time_to_adjust_to < end:
            yield Problem(
                f"{at}.TimeToAdjustTo",
                "it lies outside the project's time, so that the messages are left out; expected a moment within. Change it.",
            )
        if remapping.time_key not in written and read_result_key(remapping.time_key) is None:
            yield Problem(
                f"{at}.TimeKey",
                f"no remapping writes {remapping.time_key!r}, so that nothing is moved; expected a field with a time"
                f"{nearest(remapping.time_key, sorted(written))} Change it.",
            )
    for (one, earlier), (other, second) in itertools.combinations(enumerate(configuration.timestamp_remappings), 2):
        is_shared = earlier.time_key == second.time_key
        is_moved_twice = earlier.show_pipeline_key_to_remap_to != second.show_pipeline_key_to_remap_to
        ranges = (
            (earlier.range_start_inclusive, earlier.range_end_exclusive),
            (
                second.range_start_inclusive,
                second.range_end_exclusive,
            ),
        )
        if is_shared and is_moved_twice and _overlap(*ranges):
            yield Problem(
                f"$.TimestampRemappings[{other}]",
                f"its range overlaps with that of $.TimestampRemappings[{one}], and wins; expected each time in one range. "
                "Change one.",
            )


def _find_label_warnings(configuration: PipelineConfiguration) -> Iterator[Problem]:
    labels = configuration.automated_analysis.traffic_labels if configuration.automated_analysis else ()
    for position, label in enumerate(labels):
        at = f"$.AutomatedAnalysis.TrafficLabels[{position}]"
        if _is_outside(
            label.start_date, label.end_date, configuration.project_start_date, configuration.project_end_date
        ):
            yield Problem(
                at,
                f"{label.label!r} lies outside the project's time, and counts nothing; expected to overlap. Change it.",
            )
        for other, earlier in enumerate(labels[:position]):
            place = f"$.AutomatedAnalysis.TrafficLabels[{other}]"
            if earlier.label == label.label:
                yield Problem(
                    f"{at}.Label", f"{label.label!r} is that of {place} too; expected another name. Change one."
                )
            if label.start_date < earlier.end_date and earlier.start_date < label.end_date:
                yield Problem(
                    at,
                    f"it overlaps with {place}, so that messages count in both; expected one behind the other. Change one.",
                )


def _is_outside(first: datetime | None, last: datetime | None, start: datetime, end: datetime) -> bool:
    """Check if a range lies outside the project; an end before the beginning is reported elsewhere."""
    if first is not None and last is not None and first >= last:
        return False
    return (first is not None and first >= end) or (last is not None and last <= start)


def _overlap(one: tuple[datetime | None, datetime | None], other: tuple[datetime | None, datetime | None]) -> bool:
    def begins_before_end(first: datetime | None, last: datetime | None) -> bool:
        return first is None or last is None or first < last

    return begins_before_end(one[0], other[1]) and begins_before_end(other[0], one[1])


def _find_map_warnings(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    schemes = {c.coded_field: c.code_scheme for plan in plans.survey for c in plan.coding_configurations}
    for position, wanted in enumerate(
        configuration.automated_analysis.maps if configuration.automated_analysis else ()
    ):
        at = f"$.AutomatedAnalysis.Maps[{position}]"
        scheme = schemes.get(wanted.coded_field)
        if scheme is None:
            yield Problem(
                f"{at}.CodedField",
                f"no survey plan has the field {wanted.coded_field!r}, so that no map is drawn; expected one"
                f"{nearest(wanted.coded_field, sorted(schemes))} Change it.",
            )
            continue
        names = [(code.string_value, code.display_text, *code.match_values) for code in scheme.codes if code.is_normal]
        known = find_level(names, wanted.level)
        yield from _find_unknown_places(f"{at}.OnlyIn", wanted.only_in, names, known)
        if wanted.boundaries is None and known is None:
            yield Problem(
                at,
                f"no boundaries are known here for the places of {scheme.name!r}, so that no map is drawn; expected Boundaries. "
                "Name a file of them.",
            )


def _find_unknown_places(
    at: str, wanted: Sequence[str], names: Sequence[tuple[str, ...]], known: KnownLevel | None
) -> Iterator[Problem]:
    """Find names that are neither a place of the map nor one that such a place lies in."""
    if not wanted:
        return
    own = {name for names_of_place in names for name in names_of_place}
    folded = set(map(fold_name, own))
    around: set[str] = set()
    if known is not None:
        places = known.places()
        for code in places.codes(known.level):
            if fold_name(code) in folded:
                around.update(places.ancestors(known.level, code))
    folded.update(map(fold_name, around))
    for number, name in enumerate(wanted):
        if fold_name(name) not in folded:
            yield Problem(
                f"{at}[{number}]",
                f"{name!r} is no place of this map, and none lies in it, so that it draws nothing; expected one"
                f"{nearest(name, sorted(own | around))} Change it.",
            )


def _find_impact_warnings(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    analysis = configuration.automated_analysis
    if analysis is None or "impact_message_codes" not in analysis.model_fields_set:
        return
    values = {
        code.string_value for plan in plans.rqa for c in plan.coding_configurations for code in c.code_scheme.codes
    }
    for position, value in enumerate(analysis.impact_message_codes):
        if value not in values:
            yield Problem(
                f"$.AutomatedAnalysis.ImpactMessageCodes[{position}]",
                f"no code of an RQA plan has the StringValue {value!r}; expected one{nearest(value, sorted(values))} Change it.",
            )


def _find_settings_without_effect(configuration: PipelineConfiguration) -> Iterator[Problem]:
    if configuration.bucket_dir_path and not (
        configuration.memory_profile_upload_bucket or configuration.data_archive_upload_bucket
    ):
        yield Problem(
            "$.BucketDirPath",
            "has no effect without an UploadBucket; expected both or neither. Remove it, or add the buckets.",
        )
    if "disclosure" in configuration.model_fields_set and configuration.drive_upload is None:
        yield Problem(
            "$.Disclosure",
            "has no effect without DriveUpload, before which the gate stands; expected both. Remove it, or add DriveUpload.",
        )
    if configuration.disclosure.columns and configuration.disclosure.k_anonymity is None:
        yield Problem(
            "$.Disclosure.Columns",
            "has no effect without KAnonymity; expected both or neither. Add the one, or remove the other.",
        )
    for number, user in enumerate(configuration.coda_users):
        if user in configuration.coda_users[:number]:
            yield Problem(f"$.CodaUsers[{number}]", f"{user!r} is in the list already; expected once. Remove it.")
