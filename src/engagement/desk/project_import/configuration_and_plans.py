"""Settle what a converted configuration and the coding plans say about each other.

One configuration often served several choices of plans, so it may name fields that the imported plans lack.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS
from engagement.desk.project_import.migration import Migration, paste_ready

_UID: Final = "uid"
_OPERATOR_FIELDS: Final = frozenset({"operator_raw", "operator_coded", "urn_type", "test_run"})


def settle_with_plans(configuration: dict[str, Any], coding_plans: Mapping[str, Any], migration: Migration) -> None:
    """Change a converted configuration where the plans ask for it, and note each change.

    Call it when all time ranges are in the configuration.
    """
    episodes = {plan["RawField"] for plan in coding_plans.get("RQACodingPlans", ())}
    _settle_time_ranges(configuration, episodes, migration)
    _settle_activation_flags(configuration, episodes, migration)
    _settle_maps(configuration, coding_plans, migration)
    if configuration.get("MoveWSMessages") and not coding_plans.get("WSCorrectDatasetScheme"):
        configuration["MoveWSMessages"] = False
        migration.changed("MoveWSMessages", "false now: the plans have no scheme that names the right dataset.")
    _tell_unread_fields(configuration, coding_plans, migration)


def _settle_time_ranges(configuration: dict[str, Any], episodes: set[str], migration: Migration) -> None:
    if "TimestampRemappings" not in configuration:
        return
    kept = []
    for old in configuration["TimestampRemappings"]:
        field = old.get("ShowPipelineKeyToRemapTo")
        if field in episodes:
            kept.append(old)
        else:
            migration.dropped(
                f"TimestampRemappings to {field}",
                f"no episode of this pipeline has the raw field {field!r}. Messages of the range stay where they came "
                f"from.{paste_ready(old)}",
            )
    configuration["TimestampRemappings"] = kept


def _settle_activation_flags(configuration: dict[str, Any], episodes: set[str], migration: Migration) -> None:
    """Mark answers to episodes, and recovered messages that wait for a time range; nothing else."""
    remappings = configuration.get("RapidProKeyRemappings", [])
    text, time, _ = DEFAULT_RECOVERED_KEYS
    times = {time, *(item.get("PipelineKey") for item in remappings if item.get("RapidProKey") == time)}
    ranges = configuration.get("TimestampRemappings", [])
    waits = len(times) > 1 and any(item.get("TimeKey") in times for item in ranges)
    for item in remappings:
        raw_key, field, is_marked = item.get("RapidProKey"), item.get("PipelineKey"), item.get("IsActivationMessage")
        if field in episodes and not is_marked:
            item["IsActivationMessage"] = True
            migration.changed(
                f"RapidProKeyRemappings: {raw_key}",
                f"marked IsActivationMessage, because {field!r} is an episode's raw field.",
            )
        elif is_marked and field not in episodes and raw_key == text and waits:
            migration.done(
                f"Recovered messages wait in {field!r} for a range of TimestampRemappings. Those in no range are in no episode; "
                "stage 3 counts them."
            )
        elif is_marked and field not in episodes:
            del item["IsActivationMessage"]
            migration.to_decide(
                f"RapidProKeyRemappings: {raw_key}",
                f"no episode of this pipeline has the raw field {field!r}, so its messages are in no output. If they should be, "
                "add its plan to RQACodingPlans and IsActivationMessage here.",
            )


def _codings_of(coding_plans: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in ("RQACodingPlans", "DemographicCodingPlans", "FollowUpCodingPlans"):
        for plan in coding_plans.get(kind, ()):
            yield from plan.get("CodingConfigurations", ())


def _settle_maps(configuration: dict[str, Any], coding_plans: Mapping[str, Any], migration: Migration) -> None:
    """Point each map to a field that the plans have; the only one with the level in its name will do."""
    analysis = configuration.get("AutomatedAnalysis") or {}
    fields = [coding.get("CodedField", "") for coding in _codings_of(coding_plans)]
    kept = []
    for wanted in analysis.get("Maps", []):
        level, field = wanted.get("Level", ""), wanted.get("CodedField")
        near = [name for name in fields if level and level in name]
        if field in fields:
            kept.append(wanted)
        elif len(near) == 1:
            kept.append({**wanted, "CodedField": near[0]})
        else:
            migration.to_decide(
                f"Maps: {level}",
                f"no coded field {field!r} is in the plans. Name one and add it to Maps:{paste_ready(wanted)}",
            )
    if "Maps" in analysis:
        analysis["Maps"] = kept


def _tell_unread_fields(configuration: dict[str, Any], coding_plans: Mapping[str, Any], migration: Migration) -> None:
    read = {_UID, *_OPERATOR_FIELDS}
    for kind in ("RQACodingPlans", "DemographicCodingPlans", "FollowUpCodingPlans"):
        for plan in coding_plans.get(kind, ()):
            read |= {plan[key] for key in ("RawField", "TimeField", "RunIDField", "IDField") if plan.get(key)}
    unread = dict.fromkeys(
        item.get("PipelineKey", "")
        for item in configuration.get("RapidProKeyRemappings", [])
        if item.get("PipelineKey") not in read
    )
    if unread:
        migration.done(
            f"Fields that no plan reads stay in RapidProKeyRemappings, without a column: {', '.join(unread)}."
        )
