"""Coded message files that no plan reads, left by datasets that were renamed or dropped."""

from collections.abc import Collection, Iterator
from pathlib import Path

from engagement.configuration import CodingPlans
from engagement.configuration.double_coding import second_dataset
from engagement.configuration.nearest import find_nearest
from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.labelling.datasets.adjudications import adjudications_file
from engagement.labelling.datasets.datasets import coded_file


def find_unread_files(data_root: Path, plans: CodingPlans) -> list[Path]:
    """Find files in Coded Coda Files/ whose names match no plan's CodaFilename; opens none."""
    datasets = [plan.coda_dataset for plan in plans.all if plan.coda_dataset is not None]
    # Second coders' labels are compared with the first ones', and count for nothing else.
    read = {f"{name}.json" for dataset in datasets for name in (dataset, second_dataset(dataset))}
    return [path for path in sorted(coded_file(data_root, "").parent.glob("*.json")) if path.name not in read]


def describe_unread_files(data_root: Path, plans: CodingPlans) -> Iterator[tuple[Path, str]]:
    """Describe each such file."""
    wanted = [plan.coda_filename for plan in plans.all if plan.coda_filename is not None]
    without_file = [name for name in wanted if not coded_file(data_root, name.removesuffix(".json")).exists()]
    for path in find_unread_files(data_root, plans):
        if holds_phone_number(path.stem):
            yield (
                path.parent,
                (
                    "a file whose name holds a phone number, not shown here, is not a plan's dataset; expected files of datasets. Rename or "
                    "remove it."
                ),
            )
        else:
            yield path, _say_unread(path.name, without_file, wanted)


def describe_unread_decisions(data_root: Path, plans: CodingPlans) -> Iterator[tuple[Path, str]]:
    """Describe each file in Adjudications/ of a dataset that no plan has; opens none."""
    read = {f"{plan.coda_dataset}.json" for plan in plans.all}
    for path in sorted(adjudications_file(data_root, "").parent.glob("*.json")):
        if path.name not in read and not holds_phone_number(path.stem):
            yield (
                path,
                "no plan has this dataset, so that the decisions between its coders count for nothing; expected the name of a plan's "
                "dataset. If the dataset was renamed, give this file its new name; otherwise move it out of this folder.",
            )


def _say_unread(name: str, without_file: Collection[str], wanted: Collection[str]) -> str:
    # A renamed dataset has no file under its new name until stage 1 has run.
    near = find_nearest(name, without_file, 1) or find_nearest(name, wanted, 1)
    return (
        f"no plan has the CodaFilename {name!r}, so that its labels count for nothing; expected one"
        f"{f', perhaps {near[0]!r}' if near else ''}. If the dataset was renamed in the configuration only, give it its old "
        "CodaFilename back; otherwise move the file out of this folder."
    )
