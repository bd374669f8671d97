"""Checks inside the pipeline configuration, and between it and the coding plans."""

from collections.abc import Iterator

from engagement.configuration.coding_plans import CodingPlan, CodingPlans
from engagement.configuration.double_coding import find_double_coding_problems
from engagement.configuration.drive_checks import find_disclosure_problems, find_upload_problems
from engagement.configuration.field_names import FETCHED_FIELDS, PARTICIPANT_KEY, UID_FIELD
from engagement.configuration.nearest import nearest
from engagement.configuration.participant_ids import find_id_problem
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.plan_checks import find_repeated, find_same_files
from engagement.configuration.plan_kinds import PlanKind
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import ANSWER_PARTS, find_recovered_key, read_result_key
from engagement.configuration.recovered_checks import find_neutral_fault
from engagement.configuration.remappings import RapidProKeyRemapping
from engagement.configuration.retention import find_retention_problems
from engagement.configuration.selection_checks import find_selection_problems
from engagement.configuration.source_model import placed_sources, sources_by_type
from engagement.configuration.statistics_checks import find_statistics_problems
from engagement.configuration.unwritten_plans import is_written
from engagement.configuration.write_back_checks import find_write_back_problems

# Parts of a result that can be the field of a plan.
_PARTS_OF_FIELDS = {"RawField": ANSWER_PARTS, "TimeField": ("Time",), "RunIDField": ("Run ID",)}


def find_configuration_problems(configuration: PipelineConfiguration, plans: CodingPlans | None) -> Iterator[Problem]:
    """Find problems inside the pipeline configuration and, if they could be read, with the coding plans."""
    yield from _find_source_problems(configuration)
    yield from _find_test_participant_problems(configuration)
    yield from _find_time_problems(configuration)
    for older, newer in (
        ("memory_profile_upload_bucket", "memory_profile_upload_url_prefix"),
        ("data_archive_upload_bucket", "data_archive_upload_url_prefix"),
    ):
        if getattr(configuration, older) and getattr(configuration, newer):
            names = PipelineConfiguration.model_fields
            yield _both(f"$.{names[older].alias}", f"$.{names[newer].alias}")
    drive = configuration.drive_upload
    if drive is not None:
        if drive.automated_analysis_dir and drive.analysis_graphs_dir:
            yield _both("$.DriveUpload.AnalysisGraphsDir", "$.DriveUpload.AutomatedAnalysisDir")
        yield from find_upload_problems(drive)
    yield from find_retention_problems(configuration.retention, configuration.backup)
    if plans is not None:
        others = [*configuration.origin_columns, *(group.column for group in configuration.listening_groups)]
        yield from find_disclosure_problems(configuration.disclosure, plans, others)
        yield from find_statistics_problems(configuration, plans)
        yield from find_selection_problems(configuration, plans)
        yield from find_write_back_problems(configuration, plans)
        yield from find_double_coding_problems(configuration.double_coding, plans)
        yield from _find_field_problems(configuration, plans)


def _both(at: str, other: str) -> Problem:
    return Problem(at, f"{other} is there as well, which says the same; expected one of the two. Remove one.")


def _find_source_problems(configuration: PipelineConfiguration) -> Iterator[Problem]:
    sources = configuration.raw_data_sources
    for placed in sources_by_type(sources).values():
        yield from type(placed[0].source).find_problems(placed)
    flows = [(f"{at}.{place}", flow) for at, source in placed_sources(sources) for place, flow in source.placed_flows()]
    yield from find_repeated(flows, "flow")
    yield from find_same_files(flows, "flow")


def _find_test_participant_problems(configuration: PipelineConfiguration) -> Iterator[Problem]:
    for position, uid in enumerate(configuration.test_participant_uuids):
        problem = find_id_problem(uid, configuration.participant_prefix)
        if problem is not None:
            # Not shown: it may be a phone number.
            yield Problem(
                f"$.TestParticipantUUIDs[{position}]",
                f"what is there {problem}; expected an id of the uuid table, like '{configuration.participant_prefix}<uuid>'. "
                "Change it.",
            )


def _find_time_problems(configuration: PipelineConfiguration) -> Iterator[Problem]:
    if configuration.project_start_date >= configuration.project_end_date:
        yield Problem("$.ProjectEndDate", "it is not after $.ProjectStartDate; expected a later moment. Change one.")
    for position, remapping in enumerate(configuration.timestamp_remappings):
        start, end = remapping.range_start_inclusive, remapping.range_end_exclusive
        if start is not None and end is not None and start >= end:
            yield Problem(
                f"$.TimestampRemappings[{position}].RangeEndExclusive",
                "it is not after RangeStartInclusive; expected a later moment. Change one.",
            )
    analysis = configuration.automated_analysis
    for position, label in enumerate(analysis.traffic_labels if analysis is not None else ()):
        if label.start_date >= label.end_date:
            yield Problem(
                f"$.AutomatedAnalysis.TrafficLabels[{position}].EndDate",
                "it is not after StartDate; expected a later moment. Change one.",
            )


def _find_field_problems(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    remappings = configuration.rapid_pro_key_remappings
    written = {remapping.pipeline_key for remapping in remappings}
    if not any(r.pipeline_key == UID_FIELD and r.rapid_pro_key == PARTICIPANT_KEY for r in remappings):
        yield Problem(
            "$.RapidProKeyRemappings", f"none makes {UID_FIELD!r} of {PARTICIPANT_KEY!r}; expected one. Add it."
        )
    fields = _fields_of_plans(plans)
    for position, remapping in enumerate(remappings):
        at = f"$.RapidProKeyRemappings[{position}]"
        yield from _find_remapping_problems(at, configuration, remapping, plans, fields)
    yield from _find_answers_without_time(configuration, plans)
    remapped_by_time = {remapping.show_pipeline_key_to_remap_to for remapping in configuration.timestamp_remappings}
    for position, target in enumerate(r.show_pipeline_key_to_remap_to for r in configuration.timestamp_remappings):
        if target not in plans.rqa_by_raw_field:
            yield Problem(f"$.TimestampRemappings[{position}].ShowPipelineKeyToRemapTo", _no_rqa_field(target, plans))
    for plan in plans.all:
        # Seasons share plans: a plan without answers is only a warning.
        if is_written(plan, configuration):
            yield from _find_unwritten_fields(plan, written, remapped_by_time)
    if configuration.move_ws_messages and plans.ws_correct_dataset_scheme is None:
        yield Problem(
            "$.MoveWSMessages",
            "the coding plans have no WSCorrectDatasetScheme; expected one, or false here. Change either.",
        )


def _fields_of_plans(plans: CodingPlans) -> dict[str, set[str]]:
    """Collect each field's roles in the plans that name it, e.g. {"gender_time": {"TimeField"}}."""
    fields: dict[str, set[str]] = {}
    for plan in plans.all:
        for name, field in _named_fields(plan):
            fields.setdefault(field, set()).add(name)
    return fields


def _named_fields(plan: CodingPlan) -> Iterator[tuple[str, str]]:
    for name, field in (
        ("RawField", plan.raw_field),
        ("TimeField", plan.time_field),
        ("RunIDField", plan.run_id_field),
    ):
        if field is not None:
            yield name, field


def _find_remapping_problems(
    at: str,
    configuration: PipelineConfiguration,
    remapping: RapidProKeyRemapping,
    plans: CodingPlans,
    fields: dict[str, set[str]],
) -> Iterator[Problem]:
    is_rqa = remapping.pipeline_key in plans.rqa_by_raw_field
    if remapping.is_activation_message and not is_rqa:
        fault = find_neutral_fault(configuration, remapping, fields)
        if fault is not None:
            yield Problem(f"{at}.PipelineKey", _no_rqa_field(remapping.pipeline_key, plans, fault))
    if is_rqa and not remapping.is_activation_message:
        yield Problem(
            at,
            f"it writes the RQA field {remapping.pipeline_key!r}; expected IsActivationMessage true. Add it, or change PipelineKey.",
        )
    part = _part_of(remapping.rapid_pro_key, configuration)
    names = fields.get(remapping.pipeline_key, set())
    if part is not None and names and not any(part in _PARTS_OF_FIELDS[name] for name in names):
        expected = [part for name in sorted(names) for part in _PARTS_OF_FIELDS[name]]
        yield Problem(
            f"{at}.RapidProKey",
            f"({part}) for {remapping.pipeline_key!r}, which is a {' and a '.join(sorted(names))}; expected "
            f"{' or '.join(f'({part})' for part in expected)}. Change it.",
        )


def _part_of(raw_key: str, configuration: PipelineConfiguration) -> str | None:
    result = read_result_key(raw_key)
    if result is not None:
        return result.part
    found = find_recovered_key(raw_key, configuration.recovered_keys)
    return None if found is None else found[1]


def _no_rqa_field(name: str, plans: CodingPlans, fault: str = "") -> str:
    near = nearest(name, sorted(plans.rqa_by_raw_field))
    return f"{name!r} is no raw field of an RQA plan{fault}; expected one{near} Change it."


def _find_answers_without_time(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find answers to episodes whose flow brings no time for them: the run would stop at the first."""
    flows_of_fields: dict[str, set[str | None]] = {}
    for remapping in configuration.rapid_pro_key_remappings:
        flows_of_fields.setdefault(remapping.pipeline_key, set()).add(_flow_of(remapping.rapid_pro_key))
    for position, remapping in enumerate(configuration.rapid_pro_key_remappings):
        plan = plans.rqa_by_raw_field.get(remapping.pipeline_key)
        result = read_result_key(remapping.rapid_pro_key)
        if plan is None or plan.time_field is None or result is None:
            continue
        flows = flows_of_fields.get(plan.time_field, set())
        # A key that is not of a result may come from any flow.
        if flows and result.flow not in flows and None not in flows:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}]",
                f"no remapping of flow {result.flow!r} writes {plan.time_field!r}, the time of this answer; expected one of "
                f"'{result.category} (Time) - {result.flow}'. Add it.",
            )


def _flow_of(raw_key: str) -> str | None:
    result = read_result_key(raw_key)
    return None if result is None else result.flow


def _find_unwritten_fields(plan: CodingPlan, written: set[str], remapped_by_time: set[str]) -> Iterator[Problem]:
    if plan.kind is PlanKind.RQA and plan.raw_field in remapped_by_time:
        return  # its messages bring their own run ids and times
    for name, field in _named_fields(plan):
        if field not in written and field not in FETCHED_FIELDS:
            yield Problem(
                "$.RapidProKeyRemappings",
                f"none writes {field!r}, the {name} of a plan in {plan.kind}; expected one{nearest(field, sorted(written))} "
                "Add it, or change either name.",
            )
