"""Keys of an old JSON configuration, and what they are called here."""

from collections.abc import Mapping
from typing import Any, Final

from engagement.configuration.participant_ids import PARTICIPANT_PREFIX
from engagement.configuration.pipeline_configuration import (
    AutomatedAnalysis,
    DriveUpload,
    PhoneNumberUuidTable,
    PipelineConfiguration,
    TrafficLabel,
)
from engagement.configuration.remappings import RapidProKeyRemapping, TimestampRemapping
from engagement.desk.project_import.classic.listening_groups import LISTENING_GROUPS, tell_listening_groups
from engagement.desk.project_import.classic.old_dates import (
    EARLIEST,
    LATEST,
    choose_date,
    convert_date,
    ends_before_it_starts,
)
from engagement.desk.project_import.classic.old_sources import convert_sources, dictionaries_in, keys_of
from engagement.desk.project_import.migration import Migration, paste_ready

_LOSSES: Final = {
    "OperationsDashboard": "the counts on the operations dashboard. `status` and StatusPage show how the project is.",
    "FlowDefinitionsUploadURLPrefix": "definitions of flows are not uploaded. RapidPro keeps them.",
    "BeneficiaryFileURLs": "the column that marked beneficiaries. Join their file to individuals.csv by uid where it is needed.",
}
_KENYAN_MAPS: Final = {
    "GenerateCountyThemeDistributionMaps": "county",
    "GenerateConstituencyThemeDistributionMaps": "constituency",
}
_PREFIXES: Final = ("MemoryProfileUploadURLPrefix", "DataArchiveUploadURLPrefix")
_BUCKETS: Final = ("MemoryProfileUploadBucket", "DataArchiveUploadBucket")
_PARTICIPANT_KEY: Final = "avf_phone_id"
_UID: Final = "uid"


def convert_configuration(old: dict[str, Any], constants: Mapping[str, object], migration: Migration) -> dict[str, Any]:
    """Convert an old configuration to our pipeline_configuration.json, but for CodingPlansFile.

    `constants` are those of the old project's Python files; dates of the project may be there.
    """
    left = {key: value for key, value in old.items() if value is not None and key != "$schema"}
    new: dict[str, Any] = {}
    if "PipelineName" in left:
        new["PipelineName"] = left.pop("PipelineName")
    new["RawDataSources"] = convert_sources(left, migration)
    _convert_uuid_table(left, new, migration)
    _convert_time_ranges(left, new, migration)
    _convert_remappings(left, new, migration)
    for key, default in (("ProjectStartDate", EARLIEST), ("ProjectEndDate", LATEST)):
        new[key] = choose_date(_find_date(key, left, constants, migration), key, default, migration, "there was none.")
    _convert_switches(left, new, migration)
    _convert_analysis(left, new, migration)
    _convert_drive(left, new, migration)
    _convert_addresses(left, new, migration)
    ours = keys_of(PipelineConfiguration)
    for key, value in left.items():
        if key in _LOSSES:
            migration.dropped(key, f"{_LOSSES[key]}{paste_ready(value)}")
        elif key == LISTENING_GROUPS:
            tell_listening_groups(value, migration)
        elif key in ours and key != "CodingPlansFile":
            new[key] = value
        else:
            migration.to_decide(key, f"no key of that name is known, so it was left out. It was:{paste_ready(value)}")
    same = [key for key in new if key in old and new[key] == old[key]]
    if same:
        migration.done(f"Carried over as they were: {', '.join(same)}.")
    return new


def _convert_uuid_table(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    old_name = "UuidTable" if "UuidTable" in left else "PhoneNumberUuidTable"
    table = left.pop(old_name, None)
    if not isinstance(table, dict):
        migration.to_decide("PhoneNumberUuidTable", "there was none. Say where phone numbers are exchanged for uuids.")
        return
    if old_name == "UuidTable":
        migration.changed("UuidTable", "now PhoneNumberUuidTable. The table itself is used as it is.")
    prefix = table.get("UuidPrefix")
    if prefix is not None:
        tell_prefix(f"{old_name}.UuidPrefix", prefix, migration)
    new["PhoneNumberUuidTable"] = _keep_known(
        {key: value for key, value in table.items() if key != "UuidPrefix"}, PhoneNumberUuidTable, old_name, migration
    )


def tell_prefix(old: str, prefix: Any, migration: Migration) -> None:
    """Note what a uuid table's prefix of participants' ids means here."""
    if prefix == PARTICIPANT_PREFIX:
        migration.changed(old, f"left out: {prefix!r} is what new ids begin with anyway.")
        return
    migration.to_decide(
        old,
        f"the table's ids begin with {prefix!r}. Those in the table stay; ids of new participants begin with "
        f"{PARTICIPANT_PREFIX!r} unless you add:{paste_ready({'ParticipantPrefix': prefix})}",
    )


def _keep_known(value: dict[str, Any], model: Any, place: str, migration: Migration) -> dict[str, Any]:
    """Keep the keys that ours has too; the others are dropped by name."""
    known = keys_of(model)
    for key in value.keys() - known:
        migration.dropped(f"{place}.{key}", f"there is no such key here; it was {value[key]!r}.")
    return {key: item for key, item in value.items() if key in known}


def _convert_time_ranges(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    if "TimestampRemappings" not in left:
        return
    new["TimestampRemappings"] = []
    for number, old in dictionaries_in(left.pop("TimestampRemappings")):
        place = f"TimestampRemappings[{number}]"
        remapping = _keep_known(old, TimestampRemapping, place, migration)
        for key in ("RangeStartInclusive", "RangeEndExclusive", "TimeToAdjustTo"):
            if remapping.get(key) is not None:
                remapping[key] = convert_date(remapping[key], f"{place}.{key}", migration)
        if ends_before_it_starts(remapping.get("RangeStartInclusive"), remapping.get("RangeEndExclusive")):
            migration.to_decide(place, f"the range ends before it starts, so it was left out.{paste_ready(remapping)}")
        else:
            new["TimestampRemappings"].append(remapping)


def _convert_remappings(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    found: list[dict[str, Any]] = []
    for list_key in ("RapidProKeyRemappings", "SourceKeyRemappings"):
        for number, old in dictionaries_in(left.pop(list_key, [])):
            if list_key == "SourceKeyRemappings":
                migration.changed("SourceKeyRemappings", "now RapidProKeyRemappings, and its SourceKey is RapidProKey.")
            renamed = {"RapidProKey" if key == "SourceKey" else key: value for key, value in old.items()}
            found.append(_keep_known(renamed, RapidProKeyRemapping, f"{list_key}[{number}]", migration))
    if not any(item.get("RapidProKey") == _PARTICIPANT_KEY and item.get("PipelineKey") == _UID for item in found):
        _add_participant_key(found, migration)
    new["RapidProKeyRemappings"] = found


def _add_participant_key(found: list[dict[str, Any]], migration: Migration) -> None:
    """Let the participant's id come from the key that every source has here."""
    old = next((item for item in found if item.get("PipelineKey") == _UID), None)
    if old is None:
        found.insert(0, {"RapidProKey": _PARTICIPANT_KEY, "PipelineKey": _UID})
        migration.changed("RapidProKeyRemappings", f"added {_PARTICIPANT_KEY} -> {_UID}, which every project needs.")
    else:
        migration.changed(
            str(old.get("RapidProKey")),
            f"the participant's id comes from the key {_PARTICIPANT_KEY} in all sources here.",
        )
        old["RapidProKey"] = _PARTICIPANT_KEY


def _find_date(key: str, left: dict[str, Any], constants: Mapping[str, object], migration: Migration) -> Any:
    if key in left:
        return left.pop(key)
    constant = "PROJECT_START_DATE" if key == "ProjectStartDate" else "PROJECT_END_DATE"
    value = constants.get(constant)
    # isoparse("…") is a call that the evaluator keeps with its arguments.
    arguments = getattr(value, "arguments", None)
    text = arguments[0] if arguments else value
    if not isinstance(text, str):
        return None
    migration.changed(constant, f"a constant of the old Python code; now {key}.")
    return text


def _convert_switches(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    for key, what in (
        ("FilterTestMessages", "messages of test contacts are left out"),
        ("MoveWSMessages", "answers labelled 'wrong scheme' move to their dataset"),
    ):
        if key in left:
            new[key] = left.pop(key)
        else:
            new[key] = True
            migration.to_decide(key, f"there was none. It is true now: {what}. Write false if they should not.")


def _convert_analysis(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    old = left.pop("AutomatedAnalysis", None)
    if not isinstance(old, dict):
        return
    analysis: dict[str, Any] = {}
    maps = list(old["Maps"]) if isinstance(old.get("Maps"), list) else []
    for key, level in _KENYAN_MAPS.items():
        if key in old:
            wanted: dict[str, Any] = {"Level": level, "CodedField": f"{level}_coded"}
            maps.append(wanted | ({"GenerateThemeDistributionMaps": True} if old[key] else {}))
            migration.changed(f"AutomatedAnalysis.{key}", f"now the level {level!r} of Maps.")
    rest = {key: value for key, value in old.items() if key not in (*_KENYAN_MAPS, "Maps", "TrafficLabels")}
    analysis |= _keep_known(rest, AutomatedAnalysis, "AutomatedAnalysis", migration)
    if maps:
        analysis["Maps"] = maps
    if "TrafficLabels" in old:
        analysis["TrafficLabels"] = convert_traffic_labels(
            [label for _, label in dictionaries_in(old["TrafficLabels"])], "AutomatedAnalysis.TrafficLabels", migration
        )
    new["AutomatedAnalysis"] = analysis


def convert_traffic_labels(labels: list[dict[str, Any]], place: str, migration: Migration) -> list[dict[str, Any]]:
    """Convert named time ranges; one that ends before it starts is left out, and a person is asked."""
    found = []
    for number, old in enumerate(labels):
        label = _keep_known(old, TrafficLabel, f"{place}[{number}]", migration)
        for key in ("StartDate", "EndDate"):
            label[key] = convert_date(label.get(key), f"{place}[{number}].{key}", migration)
        if ends_before_it_starts(label["StartDate"], label["EndDate"]):
            migration.to_decide(
                f"{place}[{number}]",
                f"{label.get('Label')!r} ends before it starts, so it was left out. Correct it and add it:{paste_ready(label)}",
            )
        else:
            found.append(label)
    return found


def _convert_drive(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    old = left.pop("DriveUpload", None)
    if not isinstance(old, dict):
        return
    traced = [key for key in old if key.endswith("TracedDataUploadPath")]
    for key in traced:
        migration.dropped(
            f"DriveUpload.{key}",
            f"traced data are not uploaded; it was {old[key]!r}. `explain` tells a cell's history.",
        )
    rest = {key: value for key, value in old.items() if key not in traced}
    new["DriveUpload"] = _keep_known(rest, DriveUpload, "DriveUpload", migration)
    migration.to_decide(
        "DriveUpload",
        "stage 3 replaces the old pipeline's files in Drive, from its first run on. Take DriveUpload out of the configuration until "
        "you have compared the outputs.",
    )


def _convert_addresses(left: dict[str, Any], new: dict[str, Any], migration: Migration) -> None:
    """Convert addresses of memory profiles and archives; a bare bucket gets the slash that it lacks."""
    folder = left.get("BucketDirPath")
    is_used = False
    for key in _PREFIXES:
        value = left.pop(key, None)
        if value is None:
            continue
        if isinstance(value, str) and "/" not in value.removeprefix("gs://").rstrip("/"):
            bucket = value.rstrip("/")
            is_used = bool(folder) or is_used
            value = f"{bucket}/{str(folder).strip('/')}/" if folder else f"{bucket}/"
            migration.changed(key, f"{bucket!r} is a bucket alone; it is {value!r} now, so that files lie in it.")
        new[key] = value
    for key in _BUCKETS:
        if key in left:
            new[key] = left.pop(key)
    if "BucketDirPath" in left:
        folder = left.pop("BucketDirPath")
        if is_used and not any(key in new for key in _BUCKETS):
            migration.changed("BucketDirPath", f"{folder!r} is part of the URL prefixes now.")
        else:
            new["BucketDirPath"] = folder
