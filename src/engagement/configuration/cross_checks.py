"""Checks across the pipeline configuration, the coding plans and the code schemes."""

from collections.abc import Iterable, Iterator, Mapping

from engagement.configuration.code_schemes import CodeScheme, ControlCode
from engagement.configuration.coding_plans import (
    IMPUTATION_LEVELS,
    CodingMode,
    CodingPlan,
    CodingPlanDocument,
    CodingPlans,
    CodingPlansDocument,
    FoldStrategy,
    PlanKind,
)
from engagement.configuration.model import nearest
from engagement.configuration.pipeline_configuration import (
    PipelineConfiguration,
    RapidProSource,
    activation_flows_of,
    survey_flows_of,
)

UID_FIELD = "uid"
# The raw data's own name of it.
PARTICIPANT_KEY = "avf_phone_id"
CONSENT_FIELD = "consent_withdrawn"
# Fields that the fetch writes itself, under these names.
FETCHED_FIELDS = frozenset({"operator_raw", "operator_coded", "urn_type"})
_LABEL_STRATEGIES = {
    CodingMode.SINGLE: {
        FoldStrategy.ASSERT_LABEL_IDS_EQUAL,
        FoldStrategy.YES_NO_AMB,
        FoldStrategy.CONTROL_CODE_BY_PRECEDENCE,
    },
    CodingMode.MULTIPLE: {FoldStrategy.LIST_OF_LABELS},
}
AMBIVALENT = "ambivalent"


def _repeated(places: Iterable[tuple[str, str]], what: str) -> Iterator[str]:
    first: dict[str, str] = {}
    for place, value in places:
        if value in first:
            yield f"at {place}: {what} {value!r} is already at {first[value]}; expected once. Change one."
        first.setdefault(value, place)


def find_plan_problems(document: CodingPlansDocument, schemes: Mapping[str, CodeScheme | None]) -> Iterator[str]:
    """Every problem between coding plans and the code schemes that could be read, each with its JSON path."""
    plans = list(_placed_plans(document))
    yield from _repeated(((f"{at}.RawField", plan.raw_field) for at, plan in plans), "raw field")
    yield from _repeated(
        ((f"{at}.CodaFilename", plan.coda_filename) for at, plan in plans if plan.coda_filename), "dataset"
    )
    yield from _repeated(
        ((f"{at}.ICRFilename", plan.icr_filename) for at, plan in plans if plan.icr_filename), "ICR file"
    )
    yield from _repeated(((f"{at}.WSCode", plan.ws_code) for at, plan in plans if plan.ws_code), "WS code")
    configurations = [
        (f"{at}.CodingConfigurations[{position}]", configuration)
        for at, plan in plans
        for position, configuration in enumerate(plan.coding_configurations)
    ]
    yield from _repeated(((f"{at}.CodedField", c.coded_field) for at, c in configurations), "coded field")
    yield from _find_repeated_columns(document, schemes)
    yield from _find_repeated_schemes(schemes)
    for at, plan in plans:
        yield from _find_plan_problems(at, plan, document, schemes)
    yield from _find_missing_controls(document, schemes)


def _placed_plans(document: CodingPlansDocument) -> Iterator[tuple[str, CodingPlanDocument]]:
    for kind, plans in (
        (PlanKind.RQA, document.rqa_coding_plans),
        (PlanKind.DEMOGRAPHIC, document.demographic_coding_plans),
        (PlanKind.FOLLOW_UP, document.follow_up_coding_plans),
    ):
        for position, plan in enumerate(plans):
            yield f"$.{kind}[{position}]", plan


def _find_repeated_columns(document: CodingPlansDocument, schemes: Mapping[str, CodeScheme | None]) -> Iterator[str]:
    columns = [("the first column", UID_FIELD), ("the second column", CONSENT_FIELD)]
    for at, plan in _placed_plans(document):
        columns.append((f"{at}.RawField", plan.raw_field))
        for position, configuration in enumerate(plan.coding_configurations):
            place = f"{at}.CodingConfigurations[{position}].AnalysisFileKey"
            scheme, name = schemes.get(configuration.code_scheme), configuration.analysis_file_key
            if name is None:
                continue
            if configuration.coding_mode is CodingMode.SINGLE:
                columns.append((place, name))
            elif scheme is not None:
                columns.extend((place, f"{name}_{code.string_value}") for code in scheme.codes)
    # Repeated raw fields are told on their own.
    raw_fields = {plan.raw_field for _, plan in _placed_plans(document)}
    for problem in _repeated(columns, "column"):
        if not any(f"column {name!r}" in problem and ".RawField:" in problem for name in raw_fields):
            yield problem


def _find_repeated_schemes(schemes: Mapping[str, CodeScheme | None]) -> Iterator[str]:
    first: dict[str, str] = {}
    for file, scheme in schemes.items():
        if scheme is None:
            continue
        if scheme.scheme_id in first:
            yield (
                f"at $.CodeSchemesDir: {file!r} and {first[scheme.scheme_id]!r} both have SchemeID "
                f"{scheme.scheme_id!r}; expected one id a scheme. Change one."
            )
        first.setdefault(scheme.scheme_id, file)


def _find_plan_problems(
    at: str, plan: CodingPlanDocument, document: CodingPlansDocument, schemes: Mapping[str, CodeScheme | None]
) -> Iterator[str]:
    ws_scheme = schemes.get(document.ws_correct_dataset_scheme or "")
    if plan.ws_code is not None:
        if document.ws_correct_dataset_scheme is None:
            yield f"at {at}.WSCode: there is no WSCorrectDatasetScheme; expected one beside WS codes. Add it."
        elif ws_scheme is not None and plan.ws_code not in ws_scheme.codes_by_match_value:
            yield (
                f"at {at}.WSCode: {plan.ws_code!r} is no match value of {document.ws_correct_dataset_scheme!r}"
                + nearest(plan.ws_code, sorted(ws_scheme.codes_by_match_value))
            )
    if plan.coda_filename is not None and plan.time_field is None:
        yield f"at {at}: no 'TimeField'; expected one on a plan with a CodaFilename. Add it."
    if at.startswith(f"$.{PlanKind.RQA}") and plan.time_field is None:
        yield f"at {at}: no 'TimeField'; expected one on an RQA plan. Add it."
    if plan.icr_filename is not None and plan.run_id_field is None:
        yield f"at {at}: no 'RunIDField'; expected one on a plan with an ICRFilename. Add it."
    levels = IMPUTATION_LEVELS.get(plan.code_imputation_function or "")
    if levels is not None:
        found = len(plan.coding_configurations)
        if found != len(levels):
            yield (
                f"at {at}.CodingConfigurations: {found} of them; expected {len(levels)} for "
                f"{plan.code_imputation_function!r}, in this order: {', '.join(levels)}."
            )
        if any(c.coding_mode is not CodingMode.SINGLE for c in plan.coding_configurations):
            yield f"at {at}.CodingConfigurations: {plan.code_imputation_function!r} needs CodingMode 'SINGLE' in each."
    for position, configuration in enumerate(plan.coding_configurations):
        allowed = _LABEL_STRATEGIES[configuration.coding_mode]
        strategy = configuration.fold_strategy
        if strategy is not None and strategy not in allowed:
            yield (
                f"at {at}.CodingConfigurations[{position}].FoldStrategy: {str(strategy)!r} does not fold labels of mode "
                f"'{configuration.coding_mode}'; expected {' or '.join(sorted(map(repr, map(str, allowed))))}."
            )
        scheme = schemes.get(configuration.code_scheme)
        if strategy is FoldStrategy.YES_NO_AMB and scheme and AMBIVALENT not in scheme.codes_by_match_value:
            yield (
                f"at {at}.CodingConfigurations[{position}].CodeScheme: {configuration.code_scheme!r} has no match value "
                f"{AMBIVALENT!r}; 'yes_no_amb' needs it. Add it to a code."
            )


def _find_missing_controls(document: CodingPlansDocument, schemes: Mapping[str, CodeScheme | None]) -> Iterator[str]:
    needed: dict[str, set[ControlCode]] = {}
    for _, plan in _placed_plans(document):
        for configuration in plan.coding_configurations:
            codes = {ControlCode.NA, ControlCode.NC}
            if plan.coda_filename is not None:
                codes |= {ControlCode.NR, ControlCode.CE}
            needed.setdefault(configuration.code_scheme, set()).update(codes)
    if document.operator_scheme is not None:
        needed.setdefault(document.operator_scheme, set()).update({ControlCode.NA, ControlCode.NC})
    if document.ws_correct_dataset_scheme is not None:
        needed.setdefault(document.ws_correct_dataset_scheme, set()).add(ControlCode.CE)
    for file, codes in needed.items():
        scheme = schemes.get(file)
        missing = sorted(code for code in codes if scheme is not None and scheme.find_control(code) is None)
        if missing:
            yield f"at code scheme {file!r}: no control code {' and no '.join(missing)}; expected them. Add them."


def find_configuration_problems(configuration: PipelineConfiguration, plans: CodingPlans | None) -> Iterator[str]:
    """Every problem inside the pipeline configuration and, where they could be read, with the coding plans."""
    yield from _find_repeated_flows(configuration)
    if configuration.project_start_date >= configuration.project_end_date:
        yield "at $.ProjectEndDate: it is not after $.ProjectStartDate; expected a later moment. Change one."
    for position, remapping in enumerate(configuration.timestamp_remappings):
        start, end = remapping.range_start_inclusive, remapping.range_end_exclusive
        if start is not None and end is not None and start >= end:
            yield f"at $.TimestampRemappings[{position}]: the range ends before it starts; expected start < end."
    for older, newer in (
        ("memory_profile_upload_bucket", "memory_profile_upload_url_prefix"),
        ("data_archive_upload_bucket", "data_archive_upload_url_prefix"),
    ):
        if getattr(configuration, older) and getattr(configuration, newer):
            names = PipelineConfiguration.model_fields
            yield f"at $.{names[older].alias}: $.{names[newer].alias} is there as well; expected one. Remove one."
    drive = configuration.drive_upload
    if drive is not None and drive.automated_analysis_dir and drive.analysis_graphs_dir:
        yield "at $.DriveUpload.AnalysisGraphsDir: AutomatedAnalysisDir is there as well; expected one. Remove one."
    if plans is not None:
        yield from _find_field_problems(configuration, plans)


def _find_repeated_flows(configuration: PipelineConfiguration) -> Iterator[str]:
    places: list[tuple[str, str]] = []
    for position, source in enumerate(configuration.raw_data_sources):
        kind = "Names" if isinstance(source, RapidProSource) else "URLs"
        for name, flows in (("Activation", activation_flows_of(source)), ("Survey", survey_flows_of(source))):
            for number, flow in enumerate(flows):
                places.append((f"$.RawDataSources[{position}].{name}Flow{kind}[{number}]", flow))
    yield from _repeated(places, "flow")


def _find_field_problems(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[str]:
    remappings = configuration.rapid_pro_key_remappings
    written = {remapping.pipeline_key for remapping in remappings}
    if not any(r.pipeline_key == UID_FIELD and r.rapid_pro_key == PARTICIPANT_KEY for r in remappings):
        yield f"at $.RapidProKeyRemappings: none makes {UID_FIELD!r} of {PARTICIPANT_KEY!r}; expected one. Add it."
    rqa_fields = sorted(plans.rqa_by_raw_field)
    for position, remapping in enumerate(remappings):
        at = f"$.RapidProKeyRemappings[{position}]"
        is_rqa = remapping.pipeline_key in plans.rqa_by_raw_field
        if remapping.is_activation_message and not is_rqa:
            yield (
                f"at {at}.PipelineKey: {remapping.pipeline_key!r} is no raw field of an RQA plan"
                + nearest(remapping.pipeline_key, rqa_fields)
            )
        if is_rqa and not remapping.is_activation_message:
            yield f"at {at}: it writes the RQA field {remapping.pipeline_key!r}; expected IsActivationMessage true."
    remapped_by_time = {remapping.show_pipeline_key_to_remap_to for remapping in configuration.timestamp_remappings}
    for position, remapping in enumerate(configuration.timestamp_remappings):
        target = remapping.show_pipeline_key_to_remap_to
        if target not in plans.rqa_by_raw_field:
            yield (
                f"at $.TimestampRemappings[{position}].ShowPipelineKeyToRemapTo: {target!r} is no raw field of an RQA "
                f"plan{nearest(target, rqa_fields)}"
            )
    for plan in plans.all:
        yield from _find_unwritten_fields(plan, written, remapped_by_time)
    if configuration.move_ws_messages and plans.ws_correct_dataset_scheme is None:
        yield "at $.MoveWSMessages: the coding plans have no WSCorrectDatasetScheme; expected one. Add it."


def _find_unwritten_fields(plan: CodingPlan, written: set[str], remapped_by_time: set[str]) -> Iterator[str]:
    if plan.kind is PlanKind.RQA and plan.raw_field in remapped_by_time:
        return  # its messages bring their run ids and times along
    for name, field in (
        ("RawField", plan.raw_field),
        ("TimeField", plan.time_field),
        ("RunIDField", plan.run_id_field),
    ):
        if field is not None and field not in written and field not in FETCHED_FIELDS:
            yield (
                f"at $.RapidProKeyRemappings: none writes {field!r}, the {name} of a plan in {plan.kind}"
                + nearest(field, sorted(written))
            )
