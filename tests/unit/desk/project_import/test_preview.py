"""The preview of an imported project: counts that differ from the old tables, with the decision that explains them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engagement.configuration import CodingPlans, Project, load_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data import decided_differences
from engagement.desk.project_import.old_data.decided_differences import explain_change, list_columns
from engagement.desk.project_import.old_data.old_tables import TableColumns, match_rows_of, read_table
from engagement.desk.project_import.old_data.preview_notes import LEFT_OUT, STOPS, TWICE, note_preview
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

SECRET = "my secret name"
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    """A data root with outputs, which stand for those of the earlier pipeline until a test changes them."""
    made = DataRoot(tmp_path_factory.mktemp("old"))
    made.write_runs(
        episode_run("a", "biyo", operator="golis"),
        episode_run("b", SECRET, run_id=2, time="2026-04-03T10:00:00+03:00"),
        episode_run("c", "dugsi", run_id=3),
        episode_run("d", "jooji", run_id=4),
        survey_run("a", gender="rag", age="25"),
        survey_run("b", gender="naag", age="30", run_id=101),
    )
    made.write_coded(
        "gender", coda_message("rag", label("gender", "man")), coda_message("naag", label("gender", "woman"))
    )
    made.write_coded(
        "s01e01", coda_message("jooji", label("episode1", "STOP")), coda_message("biyo", label("episode1", "water"))
    )
    made.generate()
    return made


@pytest.fixture
def preview(root: DataRoot, tmp_path: Path) -> Callable[..., Migration]:
    """What is noted where the old tables were as changed."""

    def run(**changes: Callable[[Rows], Rows]) -> Migration:
        for name in ("messages", "individuals", "production"):
            rows = changes.get(name, lambda rows: rows)([dict(row) for row in root.table(name)])
            with (tmp_path / f"{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        migration = Migration()
        note_preview(load_project(root.configuration), root.path, tmp_path, migration)
        assert SECRET not in migration.as_markdown()
        return migration

    return run


def put(**cells: str) -> Callable[[Rows], Rows]:
    """Change the cells of the participant who wrote "biyo"."""
    return lambda rows: [{**row, **(cells if row["rqa_s01e01_raw"] == "biyo" else {})} for row in rows]


def test_the_same_tables_differ_in_nothing(preview: Callable[..., Migration]):
    migration = preview()
    assert migration.lines("Changed") == []
    assert migration.lines("To decide") == []
    assert "4 messages, 4 individuals and 3 rows of production.csv" in "".join(migration.lines("Done"))
    assert "`messages.csv`: the same 4 rows, with the same counts in every column." in migration.lines("Done")


def test_a_decided_difference_is_told_as_such_and_another_is_to_decide(preview: Callable[..., Migration]):
    migration = preview(messages=put(zone="NA", gender="woman"), individuals=put(zone="NA"))
    changed = {line.partition("`: ")[0].strip("`"): line for line in migration.lines("Changed")}
    assert set(changed) == {"messages.csv, zone", "messages.csv, gender", "individuals.csv, zone"}
    assert f"1 x NA -> nez: as decided, {decided_differences.ZONE}." in changed["messages.csv, zone"]
    assert (
        "man 0 -> 1; woman 2 -> 1" in changed["messages.csv, gender"]
        or "woman 2 -> 1" in changed["messages.csv, gender"]
    )
    (to_decide,) = migration.lines("To decide")
    assert to_decide.startswith("`messages.csv, gender`: 1 x woman -> man. No decided difference explains this.")


def test_what_people_wrote_is_not_shown_even_in_a_column_of_codes(preview: Callable[..., Migration]):
    migration = preview(messages=put(gender=SECRET, rqa_s01e01_water=SECRET))
    assert "another value 1 -> 0" in "".join(migration.lines("Changed"))


def test_rows_that_came_twice_and_those_who_withdrew_in_production(preview: Callable[..., Migration]):
    def double(rows: Rows) -> Rows:
        return [*rows, next(row for row in rows if row["rqa_s01e01_raw"] == "biyo")]

    migration = preview(messages=double, production=lambda rows: [*rows, {**rows[0], "rqa_s01e01_raw": "jooji"}])
    changed = migration.lines("Changed")
    assert "`messages.csv`: 5 -> 4 rows." in changed
    assert f"`messages.csv`: 1 row only in the old table. As decided: {TWICE}." in changed
    assert f"`production.csv`: 4 -> 3 rows. As decided: {LEFT_OUT}." in changed
    assert not [line for line in migration.lines("To decide") if "rows" in line]


def test_a_stop_that_counts_now_explains_the_rows(preview: Callable[..., Migration]):
    def unheard(rows: Rows) -> Rows:
        return [
            {**row, "uid": "avf-phone-uuid-d", "consent_withdrawn": "false", "rqa_s01e01_raw": "jooji"}
            if row["uid"] == "STOP"
            else row
            for row in rows
        ]

    migration = preview(messages=unheard)
    changed = migration.lines("Changed")
    assert f"`messages.csv`: rows of participants who withdrew: 0 -> 1. As decided: {STOPS}." in changed
    assert f"`messages.csv`: 1 row only in the old table. As decided: {STOPS}." in changed


def test_an_undone_withdrawal_is_to_decide(preview: Callable[..., Migration]):
    migration = preview(messages=lambda rows: [*rows, next(row for row in rows if row["uid"] == "STOP")])
    assert any("Withdrawals would be undone" in line for line in migration.lines("To decide"))


def test_rows_without_an_explanation_are_to_decide(preview: Callable[..., Migration]):
    def lose(rows: Rows) -> Rows:
        return [*[row for row in rows if row["rqa_s01e01_raw"] != "dugsi"], {**rows[0], "uid": "avf-phone-uuid-z"}]

    lines = "\n".join(preview(messages=lose).lines("To decide"))
    assert "1 row only in the old table. No decided difference" in lines
    assert (
        "1 row only in the new table. If the raw data is not newer than the old table, no decided difference" in lines
    )


def test_lost_labels_are_never_explained_as_decided(root: DataRoot, preview: Callable[..., Migration]):
    # No file of this dataset came along: everything in it is not reviewed.
    migration = preview(messages=put(age="25"))
    assert not [line for line in migration.lines("Changed") if "as decided" in line]
    (line,) = migration.lines("To decide")
    assert "Not all labels of its dataset came along" in line


def test_a_failed_run_is_to_decide_and_stops_nothing(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.write_runs("not JSON s01e1 run_id - s01e1_activation\n")
    migration = Migration()
    note_preview(load_project(root.configuration), root.path, tmp_path, migration)
    (line,) = migration.lines("To decide")
    assert line.startswith("`preview`: stage 3 could not be tried")
    assert "engagement-diff" not in line


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> CodingPlans:
    return load_project(write_project(tmp_path_factory.mktemp("project"))).coding_plans


@pytest.mark.parametrize(
    ("column", "before", "after", "reason"),
    [
        ("zone", "NA", "nez", decided_differences.ZONE),
        ("state", "NA", "banadir", decided_differences.NULL_ANSWER),
        ("district", "CE", "mogadishu", decided_differences.FINEST_PLACE),
        ("age", "25", "CE", decided_differences.AGE_RANGE),
        ("gender", "CE", "man", None),
        ("gender", "man", "NR", decided_differences.UNTICKED),
        ("gender", "NA", "man", decided_differences.NULL_ANSWER),
        ("gender", "", "man", decided_differences.NULL_ANSWER),
        ("gender", "man", "NC", decided_differences.UNKNOWN_CODE),
        ("gender", "man", "woman", None),
        ("gender", "WS", "man", decided_differences.WRONG_SCHEME),
        ("operator", "hormud", "NC", decided_differences.OPERATOR),
        ("rqa_s01e01_water", "1", "0", decided_differences.UNTICKED),
        ("rqa_s01e01_water", "0", "1", None),
        ("rqa_s01e01_NR", "0", "1", decided_differences.UNTICKED),
        ("rqa_s01e01_NA", "1", "0", None),  # an answer to an episode, not to a survey
    ],
)
def test_which_decision_explains_a_cell(plans: CodingPlans, column: str, before: str, after: str, reason: str | None):
    (found,) = (one for plan in plans.all for one in list_columns(plan) if one.name == column)
    assert explain_change(found, before, after) == reason


def test_rows_are_matched_by_texts_then_by_texts_that_moved(tmp_path: Path):
    columns = TableColumns(["code"], ["one_raw", "two_raw"], {"code": "old:code"})
    (tmp_path / "old.csv").write_text("uid,old:code,one_raw,two_raw\na,x,hi,\na,x,hi,\nb,x,moved,\nc,x,gone,\n")
    (tmp_path / "new.csv").write_text("uid,code,one_raw,two_raw\na,y,hi,\nb,x,,moved\nd,x,new,\n")
    pairs = match_rows_of(
        read_table(tmp_path / "old.csv", columns, is_old=True), read_table(tmp_path / "new.csv", columns, is_old=False)
    )
    assert pairs.changes == {("x", "y"): 1}
    assert (pairs.only_old, pairs.only_new, pairs.doubled, pairs.of_withdrawn) == ({"x": 2}, {"x": 1}, 1, 1)


def test_the_preview_writes_nothing_under_the_data_root(root: DataRoot, tmp_path: Path):
    before = sorted((str(path), path.stat().st_mtime_ns) for path in root.path.rglob("*"))
    project: Project = load_project(root.configuration)
    note_preview(project, root.path, tmp_path, Migration())
    assert sorted((str(path), path.stat().st_mtime_ns) for path in root.path.rglob("*")) == before
    assert json.loads(root.configuration.read_text())["PipelineName"] == "EXAMPLE"
