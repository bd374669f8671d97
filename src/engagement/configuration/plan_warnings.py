"""Find oddities in coding plans."""

from collections.abc import Iterator

from engagement.configuration import (
    CodingConfiguration,
    CodingPlan,
    CodingPlans,
    FoldStrategy,
    PlanKind,
    RawFieldFoldStrategy,
)
from engagement.configuration.field_names import FETCHED_FIELDS
from engagement.configuration.function_names import is_project_function
from engagement.configuration.plan_places import placed_configurations, placed_plans
from engagement.configuration.problems import AtStake, Problem


def find_plan_warnings(plans: CodingPlans, moves_wrong_scheme: bool) -> Iterator[Problem]:
    """Find what operators should know about their plans."""
    if not plans.rqa:
        yield Problem(
            "$", "no RQACodingPlans; expected one for each episode, as all outputs are about their answers. Add them."
        )
    datasets = {plan.coda_dataset: at for at, plan in placed_plans(plans) if plan.coda_dataset is not None}
    for at, plan in placed_plans(plans):
        yield from _find_dataset_warnings(at, plan, datasets, moves_wrong_scheme)
        yield from _find_fold_warnings(at, plan)
    for at, plan, configuration in placed_configurations(plans):
        if configuration.cleaner is not None and plan.coda_filename is None:
            yield Problem(
                f"{at}.Cleaner",
                f"{configuration.cleaner!r} has no effect without a CodaFilename, as it proposes labels to coders; expected "
                "both or neither. Add the one or remove the other.",
            )
        if not configuration.in_coda:
            yield from _find_effects_outside_coda(at, plan, configuration)
    yield from find_key_warnings(plans)
    yield from _find_shared_times(plans)
    yield from _find_other_language(plans)


def find_key_warnings(plans: CodingPlans) -> Iterator[Problem]:
    """Find keys that end in "_", as in earlier pipelines, before the columns of codes got their own "_"."""
    for at, _, configuration in placed_configurations(plans):
        key = configuration.analysis_file_key
        if key is not None and key.endswith("_"):
            column = next(iter(configuration.columns()))
            yield Problem(
                f"{at}.AnalysisFileKey",
                f"{key!r} ends in '_', so that its first column is {column!r}; expected {key.rstrip('_') or 'rqa'!r}, as a '_' comes "
                "before each code by itself. Remove it, unless earlier outputs have these columns.",
            )


def _find_effects_outside_coda(at: str, plan: CodingPlan, configuration: CodingConfiguration) -> Iterator[Problem]:
    if plan.coda_filename is None:
        yield Problem(
            f"{at}.InCoda", "has no effect without a CodaFilename; expected it on a plan that coders see. Remove it."
        )
        return
    if configuration.cleaner is not None:
        yield Problem(
            f"{at}.Cleaner",
            f"{configuration.cleaner!r} has no effect with InCoda false, as coders see no proposal of it; expected one of the "
            "two. Remove one.",
        )
    if plan.code_imputation_function is None:
        yield Problem(
            f"{at}.InCoda",
            "false, and the plan has no CodeImputationFunction, so that nobody gives it a code: all answers stay not reviewed "
            "(NR); expected codes that follow from other codes. Add the function, or remove this.",
        )


def _find_dataset_warnings(
    at: str, plan: CodingPlan, datasets: dict[str, str], moves_wrong_scheme: bool
) -> Iterator[Problem]:
    dataset = plan.coda_dataset
    if dataset is None:
        if any(c.coded_field not in FETCHED_FIELDS for c in plan.coding_configurations):
            yield Problem(
                at,
                "no CodaFilename, so that nobody sees the answers and all of them are not coded (NC); expected one. Add it.",
            )
    else:
        stem, _, number = dataset.rpartition("_")
        if stem in datasets and number.isdecimal() and int(number) > 1:
            yield Problem(
                f"{at}.CodaFilename",
                f"{dataset!r} is the name of a segment of {stem!r}, which it gets past 2,500 messages; expected another "
                "name. Change it before anybody labels there: under another name the dataset has none of its labels.",
                at_stake=AtStake(dataset=dataset),
            )
        if moves_wrong_scheme and plan.ws_code is None:
            yield Problem(
                at,
                "no WSCode, so that no answer can be moved to this dataset; expected one with MoveWSMessages. Add it.",
            )
    if plan.kind is not PlanKind.RQA and plan.icr_filename is not None:
        yield Problem(
            f"{at}.ICRFilename",
            "has no effect on a survey plan; expected it on RQA plans, which are sampled. Remove it.",
        )
    elif plan.icr_filename is not None and not plan.icr_filename.endswith(".csv"):
        yield Problem(
            f"{at}.ICRFilename",
            f"{plan.icr_filename!r} is a CSV under another name; expected .csv at its end. Change it.",
        )
    if plan.kind is PlanKind.RQA and all(c.analysis_file_key is None for c in plan.coding_configurations):
        yield Problem(
            f"{at}.CodingConfigurations",
            "no AnalysisFileKey, so that the episode is in no analysis and none of its codes in a CSV; expected one. Add it.",
        )


def _find_fold_warnings(at: str, plan: CodingPlan) -> Iterator[Problem]:
    if plan.kind is PlanKind.RQA:
        if plan.raw_field_fold_strategy is RawFieldFoldStrategy.ASSERT_EQUAL:
            yield Problem(
                f"{at}.RawFieldFoldStrategy",
                "'assert_equal' on answers to an episode stops stage 3 at the first participant who answers twice; expected "
                "'concatenate'. Change it.",
            )
        for position, configuration in enumerate(plan.coding_configurations):
            if configuration.fold_strategy is FoldStrategy.ASSERT_LABEL_IDS_EQUAL:
                yield Problem(
                    f"{at}.CodingConfigurations[{position}]",
                    "labels that must be equal, on answers to an episode, stop stage 3 at the first participant with two "
                    "different ones; expected CodingMode 'MULTIPLE', or FoldStrategy 'yes_no_amb'. Change it.",
                )
    elif plan.raw_field_fold_strategy is RawFieldFoldStrategy.CONCATENATE:
        yield Problem(
            f"{at}.RawFieldFoldStrategy",
            "'concatenate' on a survey's answer, which each message of a participant carries, repeats it as often; expected "
            "'assert_equal'. Change it.",
        )


def _find_shared_times(plans: CodingPlans) -> Iterator[Problem]:
    """Find survey plans that share a time field: copied from another plan, and not changed."""
    first: dict[str, str] = {}
    for at, plan in placed_plans(plans):
        if plan.kind is PlanKind.RQA or plan.time_field is None:
            continue
        if plan.time_field in first:
            yield Problem(
                f"{at}.TimeField",
                f"{plan.time_field!r} is that of {first[plan.time_field]} as well, so that the times of two answers are mixed; "
                "expected a field of its own. Change it.",
            )
        first.setdefault(plan.time_field, at)


def _find_other_language(plans: CodingPlans) -> Iterator[Problem]:
    """Find cleaners whose language differs from most of the project's."""
    placed = [
        (at, c.cleaner)
        for at, _, c in placed_configurations(plans)
        if c.cleaner is not None and not is_project_function(c.cleaner)
    ]
    languages = [cleaner.partition(".")[0] for _, cleaner in placed]
    most = max(languages, key=languages.count, default="")
    for (at, cleaner), language in zip(placed, languages, strict=True):
        if languages.count(language) < languages.count(most):
            yield Problem(
                f"{at}.Cleaner",
                f"{cleaner!r} is {language}, most of the project's cleaners are {most}; expected one language. Change it, "
                "unless this question was asked in another one.",
            )
