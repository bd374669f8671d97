"""Count the labels in old Coda files that the imported plans will find, and those that they will not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import CodingPlan, CodingPlans
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.dataset_files import find_dataset_files, read_dataset_files
from engagement.foundation.errors import InputError, count_of
from engagement.labelling.datasets.datasets import code_schemes_of
from engagement.pipeline.coding.labels import is_labelled, newest_by_scheme_id
from engagement.pipeline.coding.lost_labels import LabelCensus, describe_lost_labels
from engagement.services.coda.format import MessageDocument, read_message_file


@dataclass(frozen=True)
class SchemeLabels:
    """Labels that coders ticked under one scheme, and that the plan finds."""

    name: str
    scheme_id: str
    found: int


@dataclass(frozen=True)
class DatasetLabels:
    """A dataset's messages, and its labels: found, by scheme, and lost, in words."""

    dataset: str
    files: Sequence[str]
    messages: int
    labelled: int
    schemes: Sequence[SchemeLabels]
    lost: Sequence[str]


@dataclass(frozen=True)
class OldLabels:
    """Labels at stake. `unread`: files of no plan, with labelled messages (None: damaged)."""

    datasets: Sequence[DatasetLabels]
    without_file: Sequence[str]
    unread: Mapping[str, int | None]


def count_old_labels(folder: Path, plans: CodingPlans, local_names: Mapping[str, str]) -> OldLabels:
    """Count the labels in a folder of Coda files, by dataset and scheme.

    `local_names` maps the old name of a file, without its ending, to the dataset's name in Coda.

    Raises
    ------
    UsageError
        There is no such folder.
    InputError
        With every dataset's file that is damaged.
    """
    by_dataset = {plan.coda_dataset: plan for plan in plans.all if plan.coda_dataset is not None}
    files = find_dataset_files(folder, list(by_dataset), local_names)
    messages = read_dataset_files(files)
    return OldLabels(
        [
            _count_dataset(dataset, [path.name for path in paths], messages[dataset], by_dataset[dataset], plans)
            for dataset, paths in files.by_dataset.items()
        ],
        files.without_file,
        {path.name: _count_labelled(path) for path in files.unread},
    )


def note_old_labels(found: OldLabels, plans: CodingPlans, migration: Migration) -> None:
    """Note labels that are found under Done, others and Coda's needs under To decide."""
    for dataset in found.datasets:
        _note_dataset(dataset, migration)
    for name in found.without_file:
        migration.to_decide(
            f"{name}.json",
            "no file of this dataset is among the old Coda files. If Coda has it, stage 1 downloads it. If Coda has it under "
            "another name, set that name as CodaFilename; otherwise stage 4 makes a new dataset and none of its old labels count.",
        )
    for name, labelled in found.unread.items():
        if labelled is None:
            migration.to_decide(
                name, "no plan reads this file, and it is no file of Coda messages. Nothing was counted."
            )
        elif labelled:
            migration.to_decide(
                name,
                f"{count_of(labelled, 'message')} labelled in it, but no plan has this dataset: these labels count for nothing. "
                "They stay in Coda. If a plan should read them, set its CodaFilename to the dataset's name.",
            )
        else:
            migration.dropped(name, "no plan reads this file; nothing in it is labelled.")
    for text in _ask_administrator(found, plans):
        migration.to_decide("Coda", text)


def _count_dataset(
    dataset: str, files: Sequence[str], messages: Sequence[MessageDocument], plan: CodingPlan, plans: CodingPlans
) -> DatasetLabels:
    census = LabelCensus(plan, plans.ws_correct_dataset_scheme)
    for message in messages:
        census.note(message["MessageID"], newest_by_scheme_id(message["Labels"]))
    schemes = {
        configuration.code_scheme.scheme_id: configuration.code_scheme for configuration in plan.coding_configurations
    }
    if plans.ws_correct_dataset_scheme is not None:
        schemes.setdefault(plans.ws_correct_dataset_scheme.scheme_id, plans.ws_correct_dataset_scheme)
    return DatasetLabels(
        dataset,
        files,
        len(messages),
        sum(is_labelled(message["Labels"]) for message in messages),
        [SchemeLabels(scheme.name, scheme_id, census.count_read(scheme)) for scheme_id, scheme in schemes.items()],
        [lost.text for lost in describe_lost_labels(census, plan, plans)],
    )


def _count_labelled(path: Path) -> int | None:
    try:
        return sum(is_labelled(message["Labels"]) for message in read_message_file(path, ""))
    except InputError:
        return None


def _note_dataset(dataset: DatasetLabels, migration: Migration) -> None:
    by_scheme = "; ".join(f"{scheme.name} {scheme.found:,}" for scheme in dataset.schemes)
    counted = (
        f"{dataset.labelled:,} of {count_of(dataset.messages, 'message')} labelled. Labels that the plan finds, by scheme: "
        f"{by_scheme}."
    )
    today = f"{dataset.dataset}.json"
    if list(dataset.files) != [today]:
        migration.changed(
            ", ".join(dataset.files),
            f"now `{today}`, as the dataset is called in Coda. Stage 1 downloads it under that name. {counted}",
        )
    else:
        migration.done(f"`{today}`: {counted}")
    for text in dataset.lost:
        migration.to_decide(today, text)
    if dataset.labelled and not any(scheme.found for scheme in dataset.schemes):
        migration.to_decide(
            today,
            f"none of the labels of its {count_of(dataset.labelled, 'message')} is found. Either the plan has other code schemes "
            "than the dataset was labelled with, or the file belongs to another plan. Settle this before the first run.",
        )


def _ask_administrator(found: OldLabels, plans: CodingPlans) -> Iterator[str]:
    known = [dataset.dataset for dataset in found.datasets]
    if known:
        yield (
            f"whoever administers Coda gives the pipeline's two service accounts access to these {len(known)} dataset(s), whose "
            f"names and SchemeIDs stay: {', '.join(f'`{name}`' for name in known)}."
        )
    if found.without_file:
        yield (
            f"ask whether these {len(found.without_file)} dataset(s) exist there, under these names: "
            f"{', '.join(f'`{name}`' for name in found.without_file)}."
        )
    if any(code_schemes_of(plan, plans) for plan in plans.all if plan.coda_dataset is not None):
        yield (
            "run `check --online` with Coda's credentials before stage 4: it names each code scheme that differs from Coda's copy, "
            "such as one to which the import added a control code. `scheme push --yes` puts this project's into Coda; labels are "
            "safe. Stop the earlier pipeline first, so that one of the two writes to Coda."
        )
