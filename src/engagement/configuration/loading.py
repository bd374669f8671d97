"""Load a project's configuration, coding plans and code schemes, or report every problem at once."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration.code_schemes import CodeScheme, give_own_control_codes, load_code_scheme
from engagement.configuration.coding_plans import (
    CodingConfiguration,
    CodingConfigurationDocument,
    CodingMode,
    CodingPlan,
    CodingPlanDocument,
    CodingPlans,
    CodingPlansDocument,
    FoldStrategy,
)
from engagement.configuration.control_codes import ControlCode, OwnControlCode, say_undeclared
from engagement.configuration.cross_checks import find_configuration_problems
from engagement.configuration.json_text import Document, find_lines, read_document
from engagement.configuration.model import Model
from engagement.configuration.numbers_in_names import find_numbers_in_names, holds_phone_number
from engagement.configuration.parsing import parse_model
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.plan_checks import find_plan_problems, placed_configurations
from engagement.configuration.plan_kinds import PlanKind
from engagement.configuration.problems import Problem, Problems, ProblemsError, give_lines
from engagement.configuration.scheme_checks import find_scheme_use_problems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Project:
    """Contents of a project's folder. `path` is the pipeline configuration's file."""

    path: Path
    configuration: PipelineConfiguration
    coding_plans: CodingPlans


@dataclass
class ProjectFiles:
    """A project's files as far as they could be read, and all their problems.

    `configuration` and `plans` are None where they have problems of their own; `schemes` has None for those that have.
    """

    path: Path
    problems: Problems = field(default_factory=Problems)
    configuration: PipelineConfiguration | None = None
    plans_path: Path | None = None
    plans_document: CodingPlansDocument | None = None
    plans: CodingPlans | None = None
    schemes_folder: Path | None = None
    schemes: dict[str, CodeScheme | None] = field(default_factory=dict)


def load_pipeline_configuration(path: Path) -> PipelineConfiguration:
    """Read the pipeline configuration alone, without the files it names.

    Raises
    ------
    ConfigurationError
        With every problem of the file, each with its line and JSON path.
    """
    problems = Problems()
    document = read_document(path, "a pipeline configuration")
    configuration, found = _parse(PipelineConfiguration, document)
    _add(problems, document, found)
    problems.refuse()
    return configuration  # type: ignore[return-value]  # a configuration without problems is one


def load_project(path: Path) -> Project:
    """Read the configuration at `path`, its coding plans and code schemes, and check them together.

    Raises
    ------
    ConfigurationError
        With every problem of every file, each with its line and JSON path.
    """
    files = read_project_files(path)
    files.problems.refuse()
    _warn_of_missing_controls(files)
    _warn_of_undeclared_controls(files)
    return Project(path, files.configuration, files.plans)  # type: ignore[arg-type]  # without problems they are there


def load_coding_plans(path: Path) -> CodingPlans:
    """Read coding plans and their code schemes alone, without the pipeline configuration that names them."""
    files = ProjectFiles(path)
    _read_coding_plans(path, files)
    files.problems.refuse()
    return files.plans  # type: ignore[return-value]  # plans without problems are there


def read_project_files(path: Path) -> ProjectFiles:
    """Read what `load_project` reads, and keep the problems beside what could be read."""
    files = ProjectFiles(path)
    try:
        document = read_document(path, "a pipeline configuration")
    except ProblemsError as error:
        files.problems.add_error(error)
        return files
    files.configuration, found = _parse(PipelineConfiguration, document)
    _add(files.problems, document, found)
    # The coding plans are checked even if the configuration has problems, so that all are reported at once.
    plans_file = document.content.get("CodingPlansFile") if isinstance(document.content, dict) else None
    if isinstance(plans_file, str) and plans_file and not holds_phone_number(plans_file):
        _read_coding_plans(path.parent / plans_file, files)
    if files.configuration is not None:
        _add(files.problems, document, find_configuration_problems(files.configuration, files.plans))
    return files


def find_missing_optional_controls(files: ProjectFiles) -> Iterator[tuple[str, list[ControlCode]]]:
    """Find optional control codes that the schemes of datasets lack, by the scheme's file."""
    if files.plans_document is None:
        return
    coded = [c.code_scheme for _, plan, c in placed_configurations(files.plans_document) if plan.coda_filename]
    for file in dict.fromkeys(coded):
        scheme = files.schemes.get(file)
        missing = [c for c in (ControlCode.WS, ControlCode.STOP) if scheme and scheme.find_control(c) is None]
        if missing:
            yield file, missing


def _parse[M: Model](model: type[M], document: Document) -> tuple[M | None, list[Problem]]:
    """Parse a document, or list its problems; if names hold phone numbers, only those."""
    found = find_numbers_in_names(document.content)
    return (None, found) if found else parse_model(model, document.content)


def _add(problems: Problems, document: Document, found: Iterator[Problem] | Sequence[Problem]) -> None:
    problems.add(document.path, give_lines(found, lambda: find_lines(document.text)))


def _read_coding_plans(path: Path, files: ProjectFiles) -> None:
    files.plans_path = path
    try:
        document = read_document(path, "the coding plans")
    except ProblemsError as error:
        files.problems.add_error(error)
        return
    files.plans_document, found = _parse(CodingPlansDocument, document)
    _add(files.problems, document, found)
    if files.plans_document is None:
        return
    files.schemes_folder = path.parent / files.plans_document.code_schemes_dir
    _read_code_schemes(files, files.plans_document)
    found = list(find_plan_problems(files.plans_document, files.schemes))
    _add(files.problems, document, found)
    in_schemes = list(find_scheme_use_problems(files.plans_document, files.schemes))
    for name, problem in in_schemes:
        _add(files.problems, read_document(files.schemes_folder / name, "a code scheme"), [problem])
    if not found and not in_schemes and all(scheme is not None for scheme in files.schemes.values()):
        files.plans = _resolve(files.plans_document, files.schemes)


def _read_code_schemes(files: ProjectFiles, document: CodingPlansDocument) -> None:
    declared = [(control.code, control.meaning) for control in document.control_codes]
    for name in dict.fromkeys(_scheme_files(document)):
        path = files.schemes_folder / name  # type: ignore[operator]  # set by the caller
        try:
            scheme, found = load_code_scheme(path)
            files.schemes[name] = None if scheme is None else give_own_control_codes(scheme, declared)
            files.problems.add(path, found)
        except ProblemsError as error:
            files.schemes[name] = None
            files.problems.add_error(error)


def _scheme_files(document: CodingPlansDocument) -> Iterator[str]:
    for _, _, configuration in placed_configurations(document):
        yield configuration.code_scheme
    for name in (document.ws_correct_dataset_scheme, document.operator_scheme):
        if name is not None:
            yield name


def _warn_of_missing_controls(files: ProjectFiles) -> None:
    for file, missing in find_missing_optional_controls(files):
        log.warning(
            "Code scheme %r has no code %s: coders can't say so in its dataset.", file, " and no code ".join(missing)
        )


def _warn_of_undeclared_controls(files: ProjectFiles) -> None:
    for file, scheme in files.schemes.items():
        for code in scheme.codes if scheme is not None else ():
            control = code.control_code
            if isinstance(control, OwnControlCode) and not control.is_declared:
                log.warning("Code scheme %r: %s", file, say_undeclared(control))


def _resolve(document: CodingPlansDocument, schemes: dict[str, CodeScheme | None]) -> CodingPlans:
    ready = {name: scheme for name, scheme in schemes.items() if scheme is not None}
    ws_scheme = ready.get(document.ws_correct_dataset_scheme or "")

    def configuration_of(given: CodingConfigurationDocument) -> CodingConfiguration:
        default = (
            FoldStrategy.ASSERT_LABEL_IDS_EQUAL
            if given.coding_mode is CodingMode.SINGLE
            else FoldStrategy.LIST_OF_LABELS
        )
        return CodingConfiguration(
            coding_mode=given.coding_mode,
            code_scheme=ready[given.code_scheme],
            code_scheme_file=given.code_scheme,
            coded_field=given.coded_field,
            analysis_file_key=given.analysis_file_key,
            fold_strategy=given.fold_strategy or default,
            cleaner=given.cleaner,
            include_in_theme_distribution=given.include_in_theme_distribution,
            in_coda=given.in_coda,
            location_level=given.location_level,
            reasons_for_yes=given.reasons_for_yes,
            reasons_for_no=given.reasons_for_no,
            suggestions=given.suggestions,
        )

    def plans_of(kind: PlanKind, given: Sequence[CodingPlanDocument]) -> tuple[CodingPlan, ...]:
        return tuple(
            CodingPlan(
                kind=kind,
                raw_field=plan.raw_field,
                time_field=plan.time_field,
                run_id_field=plan.run_id_field,
                coda_filename=plan.coda_filename,
                icr_filename=plan.icr_filename,
                id_field=plan.id_field or f"{plan.raw_field}_id",
                ws_code=ws_scheme.codes_by_match_value.get(plan.ws_code or "") if ws_scheme else None,
                raw_field_fold_strategy=plan.raw_field_fold_strategy,
                code_imputation_function=plan.code_imputation_function,
                zone_from_operator=plan.zone_from_operator,
                coding_configurations=tuple(map(configuration_of, plan.coding_configurations)),
            )
            for plan in given
        )

    return CodingPlans(
        rqa=plans_of(PlanKind.RQA, document.rqa_coding_plans),
        demographic=plans_of(PlanKind.DEMOGRAPHIC, document.demographic_coding_plans),
        follow_up=plans_of(PlanKind.FOLLOW_UP, document.follow_up_coding_plans),
        ws_correct_dataset_scheme=ws_scheme,
        operator_scheme=ready.get(document.operator_scheme or ""),
        ws_correct_dataset_scheme_file=document.ws_correct_dataset_scheme,
    )
