"""Labels at stake: what the imported plans find in old Coda files, and what they do not."""

import json
from pathlib import Path

import pytest

from engagement.configuration import CodingPlans, load_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.coded_datasets import OldLabels, count_old_labels, note_old_labels
from engagement.desk.project_import.old_data.dataset_files import find_dataset_files
from engagement.foundation.errors import InputError, UsageError
from example_project import Document, coda_message, label, write_project

DATASETS = [f"EXAMPLE_{name}" for name in ("s01e01", "s01e02", "gender", "age", "location")]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> CodingPlans:
    return load_project(write_project(tmp_path_factory.mktemp("project"))).coding_plans


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    coded = tmp_path / "Coded Coda Files"
    coded.mkdir()
    return coded


def write(folder: Path, name: str, *messages: Document) -> None:
    (folder / f"{name}.json").write_text(json.dumps(list(messages)))


def found_by_scheme(found: OldLabels, dataset: str) -> dict[str, int]:
    (one,) = (one for one in found.datasets if one.dataset == dataset)
    return {scheme.name: scheme.found for scheme in one.schemes}


def test_ticked_labels_are_counted_by_dataset_and_scheme(folder: Path, plans: CodingPlans):
    write(
        folder,
        "EXAMPLE_age",
        coda_message("25", label("age", "25"), label("age_category", "18_to_35")),
        coda_message("30", label("age", "30")),
        coda_message("40", label("age", "40", checked=False)),  # proposed, and nobody looked at it
        coda_message("50", label("age", "SPECIAL-MANUALLY_UNCODED"), label("age", "50")),
    )
    found = count_old_labels(folder, plans, {})
    assert found_by_scheme(found, "EXAMPLE_age") == {"age": 2, "age_category": 1, "ws": 0}
    (dataset,) = found.datasets
    assert (dataset.messages, dataset.labelled, dataset.lost) == (4, 2, [])


def test_labels_of_unknown_schemes_and_codes_are_to_decide(folder: Path, plans: CodingPlans):
    write(
        folder,
        "EXAMPLE_gender",
        coda_message("rag", label("gender", "man")),
        coda_message("naag", label("gender", "lady")),
        coda_message("wiil", label("sex", "man")),
    )
    migration = Migration()
    note_old_labels(count_old_labels(folder, plans, {}), plans, migration)
    done, to_decide = migration.lines("Done"), "\n".join(migration.lines("To decide"))
    assert done == [
        "`EXAMPLE_gender.json`: 3 of 3 messages labelled. Labels that the plan finds, by scheme: gender 1; ws 0."
    ]
    assert "Scheme-sex" in to_decide
    assert "gender-lady" in to_decide
    assert "naag" not in migration.as_markdown()


def test_old_names_lead_to_todays_datasets(folder: Path, plans: CodingPlans):
    write(folder, "gender", coda_message("rag", label("gender", "man")))  # the end of EXAMPLE_gender
    write(folder, "how_old", coda_message("25", label("age", "25")))  # said by the old script
    write(folder, "EXAMPLE_location")
    files = find_dataset_files(folder, DATASETS, {"how_old": "EXAMPLE_age"})
    assert {dataset: [path.name for path in paths] for dataset, paths in files.by_dataset.items()} == {
        "EXAMPLE_gender": ["gender.json"],
        "EXAMPLE_age": ["how_old.json"],
        "EXAMPLE_location": ["EXAMPLE_location.json"],
    }
    assert files.without_file == ["EXAMPLE_s01e01", "EXAMPLE_s01e02"]
    migration = Migration()
    note_old_labels(count_old_labels(folder, plans, {"how_old": "EXAMPLE_age"}), plans, migration)
    assert any(line.startswith("`how_old.json`: now `EXAMPLE_age.json`") for line in migration.lines("Changed"))


def test_a_file_of_todays_name_wins_over_one_of_the_old_name(folder: Path, plans: CodingPlans):
    write(folder, "EXAMPLE_gender")
    write(folder, "gender", coda_message("rag", label("gender", "man")))
    found = count_old_labels(folder, plans, {})
    assert found.unread == {"gender.json": 1}


def test_segments_belong_to_their_dataset(folder: Path, plans: CodingPlans):
    first, second = coda_message("rag", label("gender", "man")), coda_message("naag", label("gender", "woman"))
    write(folder, "EXAMPLE_gender", first)
    write(folder, "EXAMPLE_gender_10", second)
    write(folder, "EXAMPLE_gender_2", second, first)
    files = find_dataset_files(folder, DATASETS, {})
    assert [path.stem for path in files.by_dataset["EXAMPLE_gender"]] == [
        "EXAMPLE_gender",
        "EXAMPLE_gender_2",
        "EXAMPLE_gender_10",
    ]
    found = count_old_labels(folder, plans, {})
    # A message that is in two segments counts once.
    assert found_by_scheme(found, "EXAMPLE_gender")["gender"] == 2


def test_files_of_no_plan_and_plans_without_a_file_are_told(folder: Path, plans: CodingPlans):
    write(folder, "OTHER_farms", coda_message("beer", label("farms", "yes")))
    write(folder, "OTHER_wells", coda_message("ceel"))
    (folder / "notes.json").write_text("{}")
    migration = Migration()
    note_old_labels(count_old_labels(folder, plans, {}), plans, migration)
    to_decide = "\n".join(migration.lines("To decide"))
    assert "`OTHER_farms.json`: 1 message labelled in it, but no plan" in to_decide
    assert "`notes.json`: no plan reads this file, and it is no file of Coda messages" in to_decide
    assert "`EXAMPLE_s01e01.json`: no file of this dataset" in to_decide
    assert "ask whether these 5 dataset(s) exist" in to_decide
    assert any("OTHER_wells" in line for line in migration.lines("Dropped"))


def test_every_damaged_file_is_told_at_once(folder: Path, plans: CodingPlans):
    (folder / "EXAMPLE_gender.json").write_text("[{")
    (folder / "EXAMPLE_age.json").write_text('[{"Text": "my secret"}]')
    with pytest.raises(InputError) as raised:
        count_old_labels(folder, plans, {})
    assert "EXAMPLE_gender.json" in str(raised.value)
    assert "EXAMPLE_age.json" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_folder_that_is_not_there_is_a_wrong_argument(tmp_path: Path, plans: CodingPlans):
    with pytest.raises(UsageError, match="no such directory"):
        count_old_labels(tmp_path / "nowhere", plans, {})


def test_a_phone_number_in_a_name_is_not_shown(folder: Path, plans: CodingPlans):
    write(folder, "+252615000001")
    with pytest.raises(InputError, match="which are not shown") as raised:
        count_old_labels(folder, plans, {})
    assert "252615000001" not in str(raised.value)
