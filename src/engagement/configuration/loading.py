"""Loading a project's configuration, coding plans and code schemes: everything, or every problem at once."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration.code_schemes import CodeScheme, ControlCode, load_code_scheme
from engagement.configuration.coding_plans import (
    CodingConfiguration,
    CodingConfigurationDocument,
    CodingMode,
    CodingPlan,
    CodingPlanDocument,
    CodingPlans,
    CodingPlansDocument,
    FoldStrategy,
    PlanKind,
)
from engagement.configuration.cross_checks import find_configuration_problems, find_plan_problems
from engagement.configuration.model import parse_model, read_document
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.errors import ConfigurationError, listing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Project:
    """Everything that a project's folder says. `path` is the pipeline configuration's file."""

    path: Path
    configuration: PipelineConfiguration
    coding_plans: CodingPlans


class _Problems:
    """Problems by file, in the order in which they were found."""

    def __init__(self) -> None:
        self._by_file: dict[Path, list[str]] = {}

    def add(self, path: Path, problems: Sequence[str]) -> None:
        if problems:
            self._by_file.setdefault(path, []).extend(problems)

    def add_error(self, error: ConfigurationError) -> None:
        self._by_file.setdefault(Path(), []).append(str(error))

    def refuse(self) -> None:
        """Raise one ConfigurationError with all of them, if there are any."""
        parts = [
            "\n".join(problems) if path == Path() else f"{path}: {listing(problems)}"
            for path, problems in self._by_file.items()
        ]
        if parts:
            raise ConfigurationError("\n".join(parts))


def load_pipeline_configuration(path: Path) -> PipelineConfiguration:
    """Read the pipeline configuration alone, without the files it names.

    Raises
    ------
    ConfigurationError
        With every problem of the file, each with its JSON path.
    """
    problems = _Problems()
    configuration, found = parse_model(PipelineConfiguration, read_document(path, "a pipeline configuration"))
    problems.add(path, found)
    problems.refuse()
    return configuration  # type: ignore[return-value]  # a configuration without problems is one


def load_project(path: Path) -> Project:
    """Read the pipeline configuration at `path`, its coding plans and their code schemes, and check them together.

    Raises
    ------
    ConfigurationError
        With every problem of every file, each with its JSON path.
    """
    problems = _Problems()
    document = read_document(path, "a pipeline configuration")
    configuration, found = parse_model(PipelineConfiguration, document)
    problems.add(path, found)
    # The coding plans are looked at even when the configuration has problems, so that all are told at once.
    plans_file = document.get("CodingPlansFile") if isinstance(document, dict) else None
    plans = None
    if isinstance(plans_file, str) and plans_file:
        plans = _load_coding_plans(path.parent / plans_file, problems)
    if configuration is not None:
        problems.add(path, list(find_configuration_problems(configuration, plans)))
    problems.refuse()
    if configuration is None or plans is None:
        raise ConfigurationError(f"{path}: at $.CodingPlansFile: missing; expected the coding plans' file. Add it.")
    return Project(path, configuration, plans)


def load_coding_plans(path: Path) -> CodingPlans:
    """Read coding plans and their code schemes alone, without the pipeline configuration that names them."""
    problems = _Problems()
    plans = _load_coding_plans(path, problems)
    problems.refuse()
    return plans  # type: ignore[return-value]  # plans without problems are there


def _load_coding_plans(path: Path, problems: _Problems) -> CodingPlans | None:
    try:
        document, found = parse_model(CodingPlansDocument, read_document(path, "the coding plans"))
    except ConfigurationError as error:
        problems.add_error(error)
        return None
    problems.add(path, found)
    if document is None:
        return None
    schemes = _load_code_schemes(path.parent / document.code_schemes_dir, document, problems)
    found = list(find_plan_problems(document, schemes))
    problems.add(path, found)
    if found or any(scheme is None for scheme in schemes.values()):
        return None
    _warn_of_missing_controls(document, schemes)
    return _resolve(document, schemes)


def _load_code_schemes(
    folder: Path, document: CodingPlansDocument, problems: _Problems
) -> dict[str, CodeScheme | None]:
    schemes: dict[str, CodeScheme | None] = {}
    for name in _scheme_files(document):
        if name in schemes:
            continue
        try:
            schemes[name], found = load_code_scheme(folder / name)
            problems.add(folder / name, found)
        except ConfigurationError as error:
            schemes[name] = None
            problems.add_error(error)
    return schemes


def _scheme_files(document: CodingPlansDocument) -> Iterator[str]:
    for plan in _plan_documents(document):
        for configuration in plan.coding_configurations:
            yield configuration.code_scheme
    for name in (document.ws_correct_dataset_scheme, document.operator_scheme):
        if name is not None:
            yield name


def _plan_documents(document: CodingPlansDocument) -> Iterator[CodingPlanDocument]:
    yield from document.rqa_coding_plans
    yield from document.demographic_coding_plans
    yield from document.follow_up_coding_plans


def _warn_of_missing_controls(document: CodingPlansDocument, schemes: dict[str, CodeScheme | None]) -> None:
    seen: set[str] = set()
    for plan in _plan_documents(document):
        for configuration in plan.coding_configurations if plan.coda_filename else ():
            scheme = schemes[configuration.code_scheme]
            missing = [c for c in (ControlCode.WS, ControlCode.STOP) if scheme and scheme.find_control(c) is None]
            if missing and configuration.code_scheme not in seen:
                seen.add(configuration.code_scheme)
                log.warning(
                    "Code scheme %r has no code %s: coders can't say so in its dataset.",
                    configuration.code_scheme,
                    " and no code ".join(missing),
                )


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
