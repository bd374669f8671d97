"""The project's datasets, their files, and what a dataset is made with, for all that speak with Coda."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration import CodeScheme, CodingPlan, CodingPlans, load_project
from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.foundation.errors import InputError, UsageError, count_of
from engagement.services.coda.format import CodeSchemeDocument


@dataclass(frozen=True)
class Datasets:
    """The project's datasets, and what those that Coda lacks are made with: nothing where no configuration is known.

    `code_schemes` are all that labels of a dataset may be of; `shown_schemes` those of them that coders are to see.
    """

    names: tuple[str, ...]
    users: tuple[str, ...] = ()
    code_schemes: Mapping[str, list[CodeSchemeDocument]] = field(default_factory=dict)
    shown_schemes: Mapping[str, list[CodeSchemeDocument]] = field(default_factory=dict)
    plans: CodingPlans | None = None


def coded_file(data_root: Path, dataset: str) -> Path:
    """Where stage 1 writes a dataset as it is in Coda."""
    return data_root / "Coded Coda Files" / f"{dataset}.json"


def output_file(data_root: Path, dataset: str) -> Path:
    """Where stage 3 writes a dataset as it should be in Coda."""
    return data_root / "Outputs" / "Coda Files" / f"{dataset}.json"


def find_datasets(data_root: Path | None, configuration_path: Path | None) -> Datasets:
    """Find the project's datasets: those of the configuration's coding plans, else those that have a file already.

    Raises
    ------
    UsageError
        There is neither a configuration nor a file.
    InputError
        A file's name holds a phone number.
    """
    if configuration_path is not None:
        if not configuration_path.is_file():
            raise UsageError(f"{configuration_path}: no such file; expected a pipeline configuration. Check the path.")
        project = load_project(configuration_path)
        plans = project.coding_plans
        coded = {plan.coda_dataset: plan for plan in plans.all if plan.coda_dataset is not None}
        return Datasets(
            tuple(coded),
            project.configuration.coda_users,
            {dataset: code_schemes_of(plan, plans) for dataset, plan in coded.items()},
            {dataset: shown_schemes_of(plan, plans) for dataset, plan in coded.items()},
            plans,
        )
    if data_root is None:
        raise ValueError("expected a configuration or a data root, and got neither")
    folders = (coded_file(data_root, "").parent, output_file(data_root, "").parent)
    _refuse_numbers(folders)
    names = sorted({path.stem for folder in folders for path in folder.glob("*.json")})
    if not names:
        raise UsageError(
            f"{data_root}: no --pipeline-configuration was given, and there are no files in 'Outputs/Coda Files' or "
            "'Coded Coda Files'; expected either, to know the datasets from. Give --pipeline-configuration."
        )
    return Datasets(tuple(names))


def _refuse_numbers(folders: tuple[Path, ...]) -> None:
    """Datasets' names are told to Coda and to the log."""
    for folder in folders:
        count = sum(holds_phone_number(path.stem) for path in folder.glob("*.json"))
        if count:
            raise InputError(
                f"{folder}: {count_of(count, 'file name')} with a phone number or what looks like one, not shown here; expected names "
                "of datasets. Rename or remove the files."
            )


def code_schemes_of(plan: CodingPlan, plans: CodingPlans) -> list[CodeSchemeDocument]:
    """The code schemes of a plan's dataset as documents: those of the plan, then the WS scheme.

    One that is kept out of Coda is among them: where Coda has it from before, its labels count.
    """
    return _as_documents([configuration.code_scheme for configuration in plan.coding_configurations], plans)


def shown_schemes_of(plan: CodingPlan, plans: CodingPlans) -> list[CodeSchemeDocument]:
    """The code schemes that coders see in a plan's dataset, as documents."""
    shown = [configuration.code_scheme for configuration in plan.coding_configurations if configuration.in_coda]
    return _as_documents(shown, plans)


def _as_documents(schemes: list[CodeScheme], plans: CodingPlans) -> list[CodeSchemeDocument]:
    schemes = list(schemes)
    if plans.ws_correct_dataset_scheme is not None:
        schemes.append(plans.ws_correct_dataset_scheme)
    documents = {
        scheme.scheme_id: scheme.model_dump(mode="json", by_alias=True, exclude_unset=True) for scheme in schemes
    }
    return list(documents.values())
