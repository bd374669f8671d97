"""What `explain` tells of whole participants, compared with the CSVs, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.configuration.kept_project import keep_project
from engagement.desk.explanations.story import tell_story
from example_project import (
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    make_coding_plans,
    survey_run,
    uid_of,
    write_project,
)
from explained_project import Desk, move


def write_season(root: DataRoot) -> None:
    """Participants with all kinds of cells."""
    root.write_runs(
        episode_run("a", "biyo", operator="golis"),
        episode_run("a", "rajo", 2, operator="golis"),
        survey_run("a", gender="naag", age="24", location="baydhabo"),
        episode_run("b", "", run_id=2),
        survey_run("b", gender="24", run_id=101),
        episode_run("c", "jooji", run_id=3),
    )
    root.write_coded(
        "s01e01", coda_message("biyo", label("episode1", "water")), coda_message("jooji", label("episode1", "STOP"))
    )
    root.write_coded("gender", coda_message("naag", label("gender", "woman")), move("24", "gender", "age"))
    root.write_coded("age", coda_message("24", label("age", "24")))
    root.write_coded("location", coda_message("baydhabo", label("district", "baidoa")))
    root.generate()


def test_every_cell_that_is_told_is_the_one_in_the_csvs(tmp_path: Path):
    root = DataRoot(tmp_path)
    write_season(root)
    project = load_project(root.configuration)
    for uid in (uid_of("a"), uid_of("b")):
        rows = [row for row in root.table("messages") if row["uid"] == uid]
        (individual,) = [row for row in root.table("individuals") if row["uid"] == uid]
        for column in individual:
            *messages, last = tell_story(project, root.path, uid, column).sections
            if column in ("uid", "consent_withdrawn"):
                assert last.cells == {column: individual[column]}
                continue
            assert last.cells == {column: individual[column]}
            told: dict[int, Any] = {number: section.cells for section in messages for number in section.rows}
            assert told == {number: {column: row[column]} for number, row in enumerate(rows, 1)}
            assert all(section.steps for section in (*messages, last))


def test_a_participant_is_told_of_as_a_whole(desk: Desk):
    write_season(desk.root)
    told = desk.explain("a")
    for words in ("Message 1 of 2", "Message 2 of 2", "gender_raw in all 2 messages", "“baydhabo”", "“biyo”", "“rajo”"):
        assert words in told
    assert "=> rqa_s01e01_water: 1" in told
    assert "=> rqa_s01e01_school" not in told
    assert "No coder had labelled any answer of theirs STOP" in told
    assert "gave no answer to location_raw" not in told
    assert "The participant gave no answer to location_raw" in desk.explain("b")


def test_of_those_who_withdrew_no_more_is_told_than_of_strangers(desk: Desk):
    write_season(desk.root)
    answers = {name: desk.explain(name, status=2).replace(uid_of(name), "UID") for name in ("c", "stranger")}
    assert answers["c"] == answers["stranger"]
    assert "or they withdrew their consent: nothing is shown about those who did" in answers["c"]


def test_a_uid_that_is_mistyped_names_those_that_look_like_it(desk: Desk):
    desk.root.write_runs(episode_run("3f9d0a12-77aa", "biyo"), episode_run("c41b0a12-99bb", "biyo"))
    desk.root.generate()
    error = desk.explain("3f9d0a12-77ab", status=2)
    assert f"Nearest: '{uid_of('3f9d0a12-77aa')}'." in error
    assert uid_of("c41b0a12-99bb") not in error


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("+252615001001", "looks like a phone number"),
        ("0615 001 001", "looks like a phone number"),
        ("avf-phone-uuid-252615001001", "has a number where its uuid should be"),
        ("avf-phone-uuid-amina", "has no uuid behind its prefix"),
        ("Amina 001", "is no participant's uuid"),
    ],
)
def test_what_is_no_uid_is_not_shown(desk: Desk, given: str, problem: str):
    write_season(desk.root)
    error = desk.explain(given, status=2, is_whole=True)
    assert (
        f"no participant is what was given (not shown, as it {problem}); expected a uid of individuals.csv, like"
        in error
    )
    assert "'avf-phone-uuid-<uuid>'" in error
    assert not any(secret in error for secret in ("615001001", "001 001", "mina"))


def test_a_uid_that_nobody_has_is_shown(desk: Desk):
    write_season(desk.root)
    uid = "avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11"
    assert f"no participant is '{uid}'; expected" in desk.explain(uid, status=2, is_whole=True)
    assert "252615001001" not in desk.explain("a", "252615001001", status=2)


def test_an_unknown_column_names_the_nearest(desk: Desk):
    write_season(desk.root)
    assert "no column 'gendr'; nearest: 'gender'" in desk.explain("a", "gendr", status=2)


def test_another_configuration_than_the_one_of_the_outputs_is_refused(desk: Desk):
    write_season(desk.root)

    def rename(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["AnalysisFileKey"] = "sex"

    write_project(desk.root.configuration.parent, change_plans=rename)
    assert "no column 'sex', a column 'gender' that it does not have" in desk.explain("a", status=11)


def test_a_code_that_the_configuration_no_longer_has_is_refused(desk: Desk):
    write_season(desk.root)

    def change_id(schemes: dict[str, Document]) -> None:
        next(code for code in schemes["gender"]["Codes"] if code["StringValue"] == "woman")["CodeID"] = "other"

    write_project(desk.root.configuration.parent, change_schemes=change_id)
    assert "field 'gender_coded': code id(s) 'gender-woman'" in desk.explain("a", status=11)


def test_the_kept_configuration_is_used_when_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = DataRoot(tmp_path)
    write_season(root)
    keep_project(load_project(root.configuration), root.path)
    plans = make_coding_plans()
    del plans["FollowUpCodingPlans"]
    write_project(root.configuration.parent, change_plans=lambda given: given["RQACodingPlans"].reverse())
    assert main(["explain", str(root.path), uid_of("a"), "gender"]) == 0
    assert "labelled it 'woman'" in capsys.readouterr().out


def test_outputs_that_are_not_coded_yet_are_refused(desk: Desk):
    desk.root.write_runs(episode_run("a", "biyo"))
    desk.root.generate(mode="auto-code-only")
    assert "expected what stage 3 writes in mode 'all-stages'" in desk.explain("a", status=11)


def test_files_of_different_runs_are_refused(desk: Desk):
    write_season(desk.root)
    before = (desk.root.outputs / "individuals_traced_data.jsonl").read_bytes()
    desk.root.write_coded("gender")
    desk.root.generate()
    (desk.root.outputs / "individuals_traced_data.jsonl").write_bytes(before)
    assert "The files are of different runs" in desk.explain("a", status=11)


def test_a_data_root_that_is_not_there_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["explain", str(tmp_path / "nowhere"), "uid"]) == 2
    assert "expected the data root" in capsys.readouterr().err


def test_nothing_is_written(desk: Desk):
    write_season(desk.root)
    before = {path: path.stat().st_mtime_ns for path in desk.root.path.rglob("*")}
    desk.explain("a")
    desk.explain("nobody", status=2)
    assert {path: path.stat().st_mtime_ns for path in desk.root.path.rglob("*")} == before
