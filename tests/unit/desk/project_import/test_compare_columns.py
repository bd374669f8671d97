"""How the columns of an old messages.csv differ from those that the imported project will write."""

from pathlib import Path

import pytest

from engagement.configuration import CodingPlans, load_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.compare_columns import compare_columns, note_columns, read_old_header
from engagement.foundation.errors import InputError, UsageError
from engagement.pipeline.outputs.rows import AnalysisRows
from example_project import write_project


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> CodingPlans:
    return load_project(write_project(tmp_path_factory.mktemp("project"))).coding_plans


@pytest.fixture
def header(plans: CodingPlans) -> list[str]:
    return AnalysisRows(plans.all).header


def test_the_same_header_differs_in_nothing(plans: CodingPlans, header: list[str]):
    found = compare_columns(header, plans)
    assert (found.added, found.removed, found.renamed, found.is_order_changed, found.repeated) == (
        [],
        [],
        {},
        False,
        [],
    )


def test_columns_of_one_side_keep_the_order_of_their_file(plans: CodingPlans, header: list[str]):
    old = [name for name in header if name not in ("zone", "operator")]
    old[2:2] = ["sent_on", "listening_group"]
    found = compare_columns(old, plans)
    assert found.added == ["zone", "operator"]
    assert found.removed == ["sent_on", "listening_group"]
    assert not found.is_order_changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rqa_s01e01__water", "rqa_s01e01_water"),  # a key that ended in an underscore already
        ("rqa_s01e01:water", "rqa_s01e01_water"),  # an engagement database's matrix
        ("Age_Category", "age_category"),
    ],
)
def test_another_spelling_is_another_name_and_no_loss(plans: CodingPlans, header: list[str], old: str, new: str):
    found = compare_columns([old if name == new else name for name in header], plans)
    assert (found.renamed, found.added, found.removed) == ({old: new}, [], [])
    assert not found.is_order_changed


def test_two_old_columns_of_one_spelling_are_not_guessed(plans: CodingPlans, header: list[str]):
    old = [*[name for name in header if name != "rqa_s01e01_water"], "rqa_s01e01__water", "rqa_s01e01:water"]
    found = compare_columns(old, plans)
    assert found.renamed == {}
    assert found.added == ["rqa_s01e01_water"]
    assert found.removed == ["rqa_s01e01__water", "rqa_s01e01:water"]


def test_a_matrix_under_another_name_is_found_by_its_codes(plans: CodingPlans, header: list[str]):
    old = [name.replace("rqa_s01e02_", "hopes_") if name != "rqa_s01e02_raw" else name for name in header]
    found = compare_columns(old, plans)
    assert found.added == found.removed == []
    assert found.renamed["hopes_worry"] == "rqa_s01e02_worry"
    assert len(found.renamed) == sum(name.startswith("hopes_") for name in old)


def test_columns_that_change_places_are_told(plans: CodingPlans, header: list[str]):
    assert compare_columns([*header[:-2], header[-1], header[-2]], plans).is_order_changed


def test_the_lines_stand_under_changed(tmp_path: Path, plans: CodingPlans, header: list[str]):
    old = tmp_path / "messages.csv"
    old.write_text(",".join([*header[:-1], "village", "village"]) + "\nsecret words\n")
    migration = Migration()
    note_columns(old, plans, migration)
    lines = "\n".join(migration.lines("Changed"))
    assert f"1 column will be new, in order: `{header[-1]}`." in lines
    assert "1 column will be gone, in their old order: `village`." in lines
    assert "`village` several times" in lines
    assert "secret" not in migration.as_markdown()


def test_the_same_columns_are_done(tmp_path: Path, plans: CodingPlans, header: list[str]):
    old = tmp_path / "messages.csv"
    old.write_text(",".join(header) + "\n")
    migration = Migration()
    note_columns(old, plans, migration)
    assert migration.lines("Changed") == []
    assert "same columns in the same order" in migration.lines("Done")[0]


def test_a_first_line_that_may_be_an_answer_is_not_shown(tmp_path: Path):
    path = tmp_path / "messages.csv"
    path.write_text("my name is Amina,I live in Hodan\n")
    with pytest.raises(InputError, match="no column 'uid' among 2") as raised:
        read_old_header(path)
    assert "Amina" not in str(raised.value)


def test_a_phone_number_in_a_name_is_not_shown(tmp_path: Path):
    path = tmp_path / "messages.csv"
    path.write_text("uid,+252615000001\n")
    assert "252615000001" not in " ".join(read_old_header(path))


def test_a_file_that_is_not_there_is_a_wrong_argument(tmp_path: Path):
    with pytest.raises(UsageError, match="no such file"):
        read_old_header(tmp_path / "messages.csv")


@pytest.mark.parametrize("old", ["avf_phone_id", "participant_uuid", "UID"])
def test_the_column_of_participants_is_renamed_whatever_it_was_called(plans: CodingPlans, header: list[str], old: str):
    found = compare_columns([old, *header[1:]], plans)
    assert (found.added, found.removed, found.renamed) == ([], [], {old: "uid"})
