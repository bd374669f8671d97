"""Many projects' states at once: the table, JSON and the page. Their data roots are invented."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from engagement.__main__ import main
from engagement.custody.restore_drills.records import DrillRecord, DrillResult, add_record
from engagement.custody.retention.last_run import LastRetention, write_last_retention
from engagement.custody.run_manifests.manifest import RunManifest, version_number, write_manifest


@pytest.fixture
def add_run(tmp_path):
    """Write a run's summary into a project's data root; `counts` are the stages' by number."""

    def add(project, hours_ago=3.0, exit_status=0, has_ended=True, counts=None):
        data_root = tmp_path / project / "data root"
        (data_root / "Runs").mkdir(parents=True, exist_ok=True)
        then = datetime.now(UTC) - timedelta(hours=hours_ago)
        time, run_id = f"{then:%Y-%m-%dT%H:%M:%SZ}", f"{then:%Y-%m-%dT%H%M%SZ}-unknown"
        counts = {2: {"flows": 1}} if counts is None else counts
        last = max(counts, default=0)
        stages = [
            {
                "counts": told,
                "exit_status": exit_status if number == last else 0,
                "name": "invented",
                "seconds": 1.0,
                "stage": number,
            }
            for number, told in counts.items()
        ]
        summary = {
            "ended": time if has_ended else None,
            "exit_status": exit_status,
            "run_id": run_id,
            "stages": stages,
            "started": time,
        }
        (data_root / "Runs" / f"{run_id}.json").write_text(json.dumps(summary))
        return data_root

    return add


def ask(capsys, *arguments):
    status = main(["status", *map(str, arguments)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_counts_come_from_the_last_runs_that_told_them(add_run, capsys):
    root = add_run(
        "a", 50, counts={1: {}, 2: {"flows": 1, "missing_archives": 3}, 3: {"messages": 10, "participants": 4}}
    )
    add_run(
        "a",
        26,
        counts={
            1: {"coda_messages": 8, "labelled_messages": 6},
            2: {"flows": 1, "set_aside_rows": 2},
            3: {"messages": 15, "participants": 3},
        },
    )
    # The last one failed before stage 3.
    add_run("a", 2, exit_status=12, counts={1: {}, 2: {}})
    (root / "State" / "drive").mkdir(parents=True)
    (root / "State" / "drive" / "held_back_tables.csv").write_text("Finding,Dataset,ID\nphone number,age,b\n")
    (root / "State" / "project").mkdir()
    (root / "State" / "project" / "pipeline_configuration.json").write_text('{"PipelineName": "A show"}')
    exit_status, output, _ = ask(capsys, "--json", root)
    (told,) = json.loads(output)
    expected = {
        **{"messages": 15, "messages_change": 5, "participants": 3, "participants_change": -1},
        **{"coda_messages": 8, "labelled_messages": 6, "missing_archives": 0, "set_aside_rows": 2},
        **{
            "drive_held_back": 1,
            "project": "A show",
            "status": "failed",
            "failed_stage": "2 invented",
            "age_hours": 2.0,
        },
    }
    assert {name: told[name] for name in expected} == expected
    assert told["disk_free"] > 0
    assert exit_status == 11


def test_the_table_has_a_row_for_each_and_every_problem_is_told(add_run, capsys):
    good, bad = add_run("good"), add_run("bad", exit_status=12)
    killed = add_run("killed", has_ended=False)
    damaged = add_run("damaged")
    next((damaged / "Runs").iterdir()).write_text(
        '{"run_id": 1, "started": 2, "ended": 3, "exit_status": [], "stages": 7}'
    )
    exit_status, output, errors = ask(capsys, good, bad, killed, damaged)
    assert exit_status == 11
    assert [re.split(r"  +", line)[3] for line in output.splitlines()] == [
        *["Status", "ok", "failed 12: 2 invented", "killed", "damaged"]
    ]
    assert errors.startswith("ERROR: Projects: 3 problem(s):\n")
    assert [str(root) in errors for root in (good, bad, killed, damaged)] == [False, True, True, True]
    assert ask(capsys, good, good)[0] == 0


@pytest.mark.parametrize(
    ("later_runs", "words"),
    [
        # A stage by hand is no night.
        ([{"counts": {6: {}}}], "is no whole night, and the last one that succeeded, "),
        ([{"counts": {6: {}}}, {"hours_ago": 1, "exit_status": 12}], "ended with status 12"),
        ([], "ended 30.0 hours ago; expected at most 26"),
    ],
)
def test_the_last_good_night_must_not_be_too_old(add_run, capsys, later_runs, words):
    root = add_run("a", 30)
    for run in later_runs:
        add_run("a", **run)
    for arguments in ([root], ["--json", root]):
        exit_status, _, errors = ask(capsys, "--max-age", 26, *arguments)
        assert exit_status == 11
        assert words in errors


def test_a_project_without_a_whole_night_is_too_old_at_any_age(add_run, capsys):
    root = add_run("a", 1, counts={6: {}})
    assert "none succeeded yet" in ask(capsys, "--max-age", 26, root)[2]
    assert ask(capsys, root)[0] == 0


def test_what_retention_did_last_is_shown(add_run, capsys, tmp_path):
    root, other = add_run("a"), add_run("b")
    at = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    due = {"archive": "2026-05-01", "message": "2026-05-01", "log": "2026-06-01"}
    write_last_retention(root, LastRetention(at, {"message": 1200, "archive": 1}, due))
    said = "Last retention: 5 h ago; removed 1,200 messages, 1 archive; next due: archive, message on 2026-05-01"
    assert said in ask(capsys, root)[1]
    assert "retention" not in ask(capsys, other)[1]
    told, nothing = json.loads(ask(capsys, "--json", root, other)[1])
    assert told["retention"] == {"at": at, "removed": {"message": 1200, "archive": 1}, "due": due}
    assert (told["retention_age_hours"], nothing["retention"]) == (5.0, None)
    page = tmp_path / "page.html"
    ask(capsys, "--html", page, root, other)
    assert page.read_text().count("Last retention") == 1
    assert said in page.read_text()
    note = root / "State" / "retention" / "last_run.json"
    note.write_bytes(note.read_bytes().replace(b"1200", b"1300"))
    assert "retention" not in ask(capsys, root)[1]


def test_the_page_is_whole_safe_and_begins_with_what_is_wrong(add_run, capsys, tmp_path):
    good, bad = add_run("good <b>show</b>"), add_run("bad", exit_status=12)
    page = tmp_path / "page.html"
    assert ask(capsys, "--html", page, good, bad)[0] == 11
    shown = page.read_text()
    assert shown.index("failed 12: 2 invented") < shown.index("good &lt;b&gt;")
    assert "<b>" not in shown
    assert "1 of 2 projects to look at" in shown
    assert not re.search(r"(src|href)=|<script|url\(|@import", shown)
    assert page.stat().st_mode & 0o777 == 0o644
    ask(capsys, "--html", page, good)
    assert "All is well" in page.read_text()


def test_many_projects_take_little_time_each(add_run, capsys):
    roots = [add_run(f"show {number}", 1 + number / 100) for number in range(20)]
    before = datetime.now(UTC)
    assert ask(capsys, *roots)[0] == 0
    assert (datetime.now(UTC) - before).total_seconds() < 0.2 * len(roots)


def add_drill(root, days_ago, result, reason=""):
    at = (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    add_record(root, DrillRecord(at, "data-a.tar.gz", result, reason))


def test_the_last_proven_restore_is_shown(add_run, capsys):
    root, other = add_run("a"), add_run("b")
    for days, result in ((9, DrillResult.PROVEN), (3, DrillResult.PROVEN), (1, DrillResult.FILES_WHOLE)):
        add_drill(root, days, result)
    exit_status, output, _ = ask(capsys, root)
    assert exit_status == 0
    assert "Last proven restore: 3 d 0 h ago, of data-a.tar.gz" in output
    _, output, _ = ask(capsys, root, other)
    assert [line.split("  ")[-1].strip() for line in output.splitlines()] == ["Restore proven", "3 d 0 h", "-"]
    told, _ = json.loads(ask(capsys, "--json", root, other)[1])
    assert told["restore_proven_age_hours"] == 72


@pytest.mark.parametrize(
    ("since", "said"), [(0, "in the last run of stage 3"), (1, "1 run of stage 3 ago"), (3, "3 runs of stage 3 ago")]
)
def test_the_last_full_check_of_the_inputs_is_shown(add_run, capsys, since, said):
    root = add_run("a")
    found = RunManifest(
        version_number(), "2026-11-01T000000Z-unknown", "2026-11-01T00:00:00.000000+00:00", "asha", "asha", False, {}, {}, "c", "", "", {},
        {}, {}, since,
    )  # fmt: skip
    write_manifest(root, found)
    assert f"Last full check of the inputs: {said}\n" in ask(capsys, root)[1]


def test_a_drill_that_failed_is_a_problem_until_one_succeeds(add_run, capsys):
    root = add_run("a")
    add_drill(root, 2, DrillResult.PROVEN)
    add_drill(root, 1, DrillResult.FAILED, "the archive is damaged.")
    exit_status, output, errors = ask(capsys, root)
    assert exit_status == 11
    assert "Last proven restore: 2 d 0 h ago" in output
    assert "failed: the archive is damaged. Make a new archive" in errors
    exit_status, output, _ = ask(capsys, root, root)
    assert (exit_status, "restore failed" in output) == (11, True)
    add_drill(root, 0, DrillResult.PROVEN)
    assert ask(capsys, root)[0] == 0
