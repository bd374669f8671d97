"""Coding plans: the code schemes of each raw field, its dataset in Coda, and how it is folded."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator

from engagement.configuration.code_schemes import Code, CodeScheme
from engagement.configuration.control_codes import find_meant
from engagement.configuration.function_names import CleanerName, ImputationName, LevelName
from engagement.configuration.model import Model, key
from engagement.configuration.plan_kinds import PlanKind
from engagement.configuration.suggestion_settings import Suggestions, SuggestionsChoice
from engagement.configuration.value_types import DatasetFile, FileName, Text, refuse


class CodingMode(enum.StrEnum):
    """Number of codes of a scheme that an answer gets: one or several."""

    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"


class FoldStrategy(enum.StrEnum):
    """Rule by which the values of one participant's messages become one value."""

    ASSERT_EQUAL = "assert_equal"
    ASSERT_LABEL_IDS_EQUAL = "assert_label_ids_equal"
    CONCATENATE = "concatenate"
    LIST_OF_LABELS = "list_of_labels"
    BOOLEAN_OR = "boolean_or"
    MATRIX = "matrix"
    YES_NO_AMB = "yes_no_amb"
    CONTROL_CODE_BY_PRECEDENCE = "control_code_by_precedence"


class RawFieldFoldStrategy(enum.StrEnum):
    """Rule by which the texts of one participant's messages become one text."""

    CONCATENATE = "concatenate"
    ASSERT_EQUAL = "assert_equal"


class CodingConfigurationDocument(Model):
    """One code scheme that a raw field is coded with."""

    coding_mode: CodingMode = key("CodingMode", "'SINGLE' or 'MULTIPLE'", "SINGLE")
    code_scheme: Text = key("CodeScheme", "file of the code scheme, in CodeSchemesDir", "gender.json")
    coded_field: Text = key("CodedField", "field that holds the label or labels", "gender_coded")
    analysis_file_key: Text | None = key(
        "AnalysisFileKey",
        "column (SINGLE) or start of the columns (MULTIPLE); without it there is none",
        "gender",
        None,
    )
    fold_strategy: FoldStrategy | None = key(
        "FoldStrategy",
        "how a participant's labels become one; by default assert_label_ids_equal (SINGLE), list_of_labels (MULTIPLE)",
        "assert_label_ids_equal",
        None,
    )
    cleaner: CleanerName | None = key("Cleaner", "cleaner that proposes labels", "somali.gender", None)
    include_in_theme_distribution: bool = key(
        "IncludeInThemeDistribution", "whether the analysis tabulates it", False, True
    )
    in_coda: bool = key(
        "InCoda", "whether coders see the scheme in Coda; false for what follows from other codes", False, True
    )
    location_level: LevelName | None = key(
        "LocationLevel",
        "level of the scheme's places, where its codes could be of several; under kenya_location and somalia_location",
        "county",
        None,
    )
    reasons_for_yes: tuple[Text, ...] | None = key(
        "ReasonsForYes",
        "StringValues of the reasons for yes, under yes_no_reasons; by default those that begin with yes_",
        ["it_is_cheap"],
        None,
    )
    reasons_for_no: tuple[Text, ...] | None = key(
        "ReasonsForNo",
        "StringValues of the reasons for no, under yes_no_reasons; by default those that begin with no_",
        ["it_is_far"],
        None,
    )
    suggestions: SuggestionsChoice = key(
        "Suggestions",
        "labels that coders' own labels teach, unchecked in Coda for coders to confirm; true, or settings",
        {"Precision": 0.95},
        None,
    )


class CodingPlanDocument(Model):
    """Plan by which one raw field is coded."""

    raw_field: Text = key("RawField", "field with what people wrote", "gender_raw")
    time_field: Text | None = key("TimeField", "field with the answer's time", "gender_time", None)
    run_id_field: Text | None = key("RunIDField", "field with the answer's run id", "rqa_s01e01_run_id", None)
    coda_filename: DatasetFile | None = key(
        "CodaFilename", "file of the dataset, named like the dataset in Coda", "PROJECT_gender.json", None
    )
    icr_filename: FileName | None = key(
        "ICRFilename", "file of the sample for inter-coder reliability", "e01.csv", None
    )
    id_field: Text | None = key("IDField", "field with the message's id; by default <RawField>_id", "gender_id", None)
    ws_code: Text | None = key("WSCode", "match value of this dataset's code in the WS scheme", "gender", None)
    raw_field_fold_strategy: RawFieldFoldStrategy = key(
        "RawFieldFoldStrategy", "how a participant's texts become one: 'concatenate' or 'assert_equal'", "assert_equal"
    )
    code_imputation_function: ImputationName | None = key(
        "CodeImputationFunction", "how codes of several schemes complete each other", "age_category", None
    )
    zone_from_operator: bool = key(
        "ZoneFromOperator",
        "with somalia_location: whether the zone of those who named no place is guessed from their mobile operator",
        False,
        True,
    )
    coding_configurations: tuple[CodingConfigurationDocument, ...] = key(
        "CodingConfigurations", "the code schemes it is coded with, in order", [], min_length=1
    )


def _check_own_control_code(code: str) -> str:
    meant = find_meant(code)
    if meant is not None:
        raise refuse(
            f"means '{meant}', which the pipeline knows; expected only codes that it does not know. Remove it."
        )
    return code


class ControlCodeDocument(Model):
    """A control code that only this project's schemes have."""

    code: Annotated[Text, AfterValidator(_check_own_control_code)] = key(
        "Code", "the ControlCode in the schemes", "NOP"
    )
    meaning: Text = key("Meaning", "what it says of an answer", "no opinion")


class CodingPlansDocument(Model):
    """All coding plans of a project."""

    code_schemes_dir: Text = key("CodeSchemesDir", "folder of the code schemes, relative to this file", "code_schemes")
    ws_correct_dataset_scheme: Text | None = key(
        "WSCorrectDatasetScheme", "code scheme that names the right dataset of a wrong-scheme answer", "ws.json", None
    )
    operator_scheme: Text | None = key(
        "OperatorScheme", "code scheme of the mobile operators, coded at fetch", "somalia_operator.json", None
    )
    control_codes: tuple[ControlCodeDocument, ...] = key(
        "ControlCodes", "control codes that only this project's schemes have, in their order of precedence", [], ()
    )
    rqa_coding_plans: tuple[CodingPlanDocument, ...] = key("RQACodingPlans", "answers to episodes", [], ())
    demographic_coding_plans: tuple[CodingPlanDocument, ...] = key(
        "DemographicCodingPlans", "answers about the participants", [], ()
    )
    follow_up_coding_plans: tuple[CodingPlanDocument, ...] = key(
        "FollowUpCodingPlans", "answers to follow-up questions", [], ()
    )


@dataclass(frozen=True)
class CodingConfiguration:
    """A code scheme that a raw field is coded with, ready to use."""

    coding_mode: CodingMode
    code_scheme: CodeScheme
    code_scheme_file: str
    coded_field: str
    analysis_file_key: str | None
    fold_strategy: FoldStrategy
    cleaner: str | None
    include_in_theme_distribution: bool
    in_coda: bool = True
    location_level: str | None = None
    reasons_for_yes: tuple[str, ...] | None = None
    reasons_for_no: tuple[str, ...] | None = None
    suggestions: Suggestions | None = None

    def columns(self) -> Iterator[str]:
        """Column names in the analysis files, in order."""
        if self.analysis_file_key is None:
            return
        if self.coding_mode is CodingMode.SINGLE:
            yield self.analysis_file_key
        else:
            for code in self.code_scheme.codes:
                yield f"{self.analysis_file_key}_{code.string_value}"


@dataclass(frozen=True)
class CodingPlan:
    """The coding of one raw field, ready to use. `ws_code` is this dataset's code in the WS scheme."""

    kind: PlanKind
    raw_field: str
    time_field: str | None
    run_id_field: str | None
    coda_filename: str | None
    icr_filename: str | None
    id_field: str
    ws_code: Code | None
    raw_field_fold_strategy: RawFieldFoldStrategy
    code_imputation_function: str | None
    coding_configurations: tuple[CodingConfiguration, ...]
    zone_from_operator: bool = True

    @property
    def coda_dataset(self) -> str | None:
        """Name of the plan's dataset in Coda, or None for a plan that coders do not see."""
        return None if self.coda_filename is None else self.coda_filename.removesuffix(".json")

    @property
    def source_field(self) -> str:
        """Field that tells where each of several joined answers came from."""
        return f"{self.raw_field}_source"

    def columns(self) -> Iterator[str]:
        """Names of its columns in the analysis files, in order; the raw field is the last."""
        for configuration in self.coding_configurations:
            yield from configuration.columns()
        yield self.raw_field


@dataclass(frozen=True)
class CodingPlans:
    """All coding plans of a project, with their code schemes."""

    rqa: tuple[CodingPlan, ...]
    demographic: tuple[CodingPlan, ...]
    follow_up: tuple[CodingPlan, ...]
    ws_correct_dataset_scheme: CodeScheme | None
    operator_scheme: CodeScheme | None
    ws_correct_dataset_scheme_file: str | None = None

    @cached_property
    def survey(self) -> tuple[CodingPlan, ...]:
        """Plans for what participants were asked about themselves: demographic, then follow-up."""
        return self.demographic + self.follow_up

    @cached_property
    def all(self) -> tuple[CodingPlan, ...]:
        """All plans in the order of the output columns: RQA, demographic, follow-up."""
        return self.rqa + self.survey

    @cached_property
    def rqa_by_raw_field(self) -> dict[str, CodingPlan]:
        """The RQA plans by their raw field."""
        return {plan.raw_field: plan for plan in self.rqa}
