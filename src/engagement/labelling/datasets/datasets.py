"""The project's datasets, their files, and the settings for creating them in Coda."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.foundation.errors import InputError, UsageError, count_of
from engagement.services.coda.format import CodeSchemeDocument

if TYPE_CHECKING:
    from engagement.configuration import CodeScheme, CodingPlan, CodingPlans
    from engagement.configuration.double_coding import DoubleCoding


@dataclass(frozen=True)
class Datasets:
    """The project's datasets, and settings for creating missing ones; empty without a configuration.

    `code_schemes` are all schemes that a dataset's labels may use; `shown_schemes` are those that coders see. `second` names the
    datasets that second coders label, each with the dataset that its messages come from; they are in `names`, too. `is_reading_noted`:
    something goes by its labels, and has to know how old they are.
    """

    names: tuple[str, ...]
    users: tuple[str, ...] = ()
    code_schemes: Mapping[str, list[CodeSchemeDocument]] = field(default_factory=dict)
    shown_schemes: Mapping[str, list[CodeSchemeDocument]] = field(default_factory=dict)
    plans: "CodingPlans | None" = None
    are_suggestions_updated: bool = False
    second: Mapping[str, str] = field(default_factory=dict)
    double_coding: "DoubleCoding | None" = None
    is_reading_noted: bool = False

    def users_of(self, dataset: str) -> tuple[str, ...]:
        """Return who may label a dataset that is made."""
        is_second = dataset in self.second and self.double_coding is not None
        return self.double_coding.users if is_second and self.double_coding else self.users


def coded_file(data_root: Path, dataset: str) -> Path:
    """Return the file in which stage 1 saves a dataset as it is in Coda."""
    return data_root / "Coded Coda Files" / f"{dataset}.json"


def output_file(data_root: Path, dataset: str) -> Path:
    """Return the file in which stage 3 writes a dataset as it should be in Coda."""
    return data_root / "Outputs" / "Coda Files" / f"{dataset}.json"


def find_datasets(data_root: Path | None, configuration_path: Path | None) -> Datasets:
    """Find the project's datasets, from the configuration's coding plans or else from existing files.

    Raises
    ------
    UsageError
        There is neither a configuration nor a file.
    InputError
        A file name contains a phone number.
    """
    if configuration_path is not None:
        if not configuration_path.is_file():
            raise UsageError(f"{configuration_path}: no such file; expected a pipeline configuration. Check the path.")
        # Imported here, as stages 1 and 4 mostly know what they need of it.
        from engagement.configuration import load_project
        from engagement.configuration.double_coding import second_dataset

        project = load_project(configuration_path)
        plans = project.coding_plans
        first = {plan.coda_dataset: plan for plan in plans.all if plan.coda_dataset is not None}
        double_coding, retention = project.configuration.double_coding, project.configuration.retention
        second = {second_dataset(name): name for name in _names_coded_twice(double_coding, first)}
        coded = first | {name: first[source] for name, source in second.items()}
        return Datasets(
            tuple(coded),
            project.configuration.coda_users,
            {dataset: code_schemes_of(plan, plans) for dataset, plan in coded.items()},
            {dataset: shown_schemes_of(plan, plans) for dataset, plan in coded.items()},
            plans,
            project.configuration.update_suggestions,
            second,
            double_coding,
            retention is not None and retention.raw_texts is not None,
        )
    if data_root is None:
        raise ValueError("got neither a configuration nor a data root; expected one of them. Give one")
    folders = (coded_file(data_root, "").parent, output_file(data_root, "").parent)
    _refuse_numbers(folders)
    names = sorted({path.stem for folder in folders for path in folder.glob("*.json")})
    if not names:
        raise UsageError(
            f"{data_root}: no --pipeline-configuration was given, and there are no files in 'Outputs/Coda Files' or "
            "'Coded Coda Files'; expected one of them, to find the datasets. Give --pipeline-configuration."
        )
    return Datasets(tuple(names))


def _names_coded_twice(double_coding: "DoubleCoding | None", datasets: Iterable[str]) -> list[str]:
    if double_coding is None:
        return []
    return [name for name in datasets if name in double_coding.datasets or not double_coding.datasets]


def _refuse_numbers(folders: tuple[Path, ...]) -> None:
    """Refuse datasets named after phone numbers: names are sent to Coda and logged."""
    # Imported here, as it needs the models, and most projects have a configuration.
    from engagement.configuration.numbers_in_names import holds_phone_number

    for folder in folders:
        count = sum(holds_phone_number(path.stem) for path in folder.glob("*.json"))
        if count:
            raise InputError(
                f"{folder}: {count_of(count, 'file name')} with a phone number or what looks like one, not shown here; expected names "
                "of datasets. Rename or remove the files."
            )


def code_schemes_of(plan: "CodingPlan", plans: "CodingPlans") -> list[CodeSchemeDocument]:
    """Return the code schemes of a plan's dataset as documents: the plan's, then the WS scheme.

    Includes schemes kept out of Coda: if Coda already has one, its labels count.
    """
    return _as_documents([configuration.code_scheme for configuration in plan.coding_configurations], plans)


def shown_schemes_of(plan: "CodingPlan", plans: "CodingPlans") -> list[CodeSchemeDocument]:
    """Return the code schemes that coders see in a plan's dataset, as documents."""
    shown = [configuration.code_scheme for configuration in plan.coding_configurations if configuration.in_coda]
    return _as_documents(shown, plans)


def _as_documents(schemes: "list[CodeScheme]", plans: "CodingPlans") -> list[CodeSchemeDocument]:
    schemes = list(schemes)
    if plans.ws_correct_dataset_scheme is not None:
        schemes.append(plans.ws_correct_dataset_scheme)
    documents = {
        scheme.scheme_id: scheme.model_dump(mode="json", by_alias=True, exclude_unset=True) for scheme in schemes
    }
    return list(documents.values())
