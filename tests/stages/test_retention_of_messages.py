"""Messages that are over age leave the data root and Coda, and no fetch brings them back. All is invented."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import fake_rapidpro
from chain_project import ChainProject, add_night, differences, make_workspace
from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.custody.retention.last_run import LastRetention, read_last_retention
from engagement.custody.retention.removal import read_receipts
from engagement.services.coda.embedded import FolderCoda
from engagement.sources.message_cut import LineAges, MessageCut, cut_path, read_cut
from every_source_project import serve_project
from example_project import label
from fake_rapidpro import run
from faults import KILLED, NOW, Changes, in_server, run_stage
from forgotten_person import FIRST, SECOND, THIRD, comparable, label_messages, run_night

EPISODE = "s01e1_activation"
OLD, CUT = datetime(2026, 1, 5, 7, tzinfo=UTC), datetime(2026, 2, 1, 21, tzinfo=UTC)
AGED, ONLY_AGED = (1, 2, 3, 4), "roob hore"
STOPPED = 5
MOMENTS = 5
FIRST_DUE = "2026-05-01"


def make_old(one):
    at = (OLD + timedelta(minutes=one["id"])).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    one["created_on"] = one["modified_on"] = at
    for result in one["values"].values():
        result["time"] = at
    return one


def workspace_with(aged):
    """Twelve participants; the first four wrote long ago too, or only then, and one of the others said stop long ago."""
    workspace = make_workspace()
    flow = workspace.runs[0]["flow"]["name"]
    workspace.runs = [one for one in workspace.runs if one["contact"]["uuid"] not in ("contact-3", "contact-4")]
    stop = make_old(run(90, flow, of=STOPPED, rqa_s01e01_raw="jooji"))
    old = [make_old(run(100 + who, flow, of=who, rqa_s01e01_raw=f"{ONLY_AGED} {who}")) for who in AGED]
    old += [make_old(run(110, flow, of=2, rqa_s01e01_raw="dugsi 0"))]
    workspace.runs = [stop, *(old if aged else ()), *workspace.runs]
    return workspace


def label_stop(project, text):
    coda = FolderCoda(project.embedded, clock=lambda: NOW)
    (found,) = (one for one in coda.read_messages("EXAMPLE_s01e01") if one["Text"] == text)
    coda.save_labels("EXAMPLE_s01e01", [{**found, "Labels": [label("episode1", "STOP")]}])


def begin_season(project):
    run_night(project, FIRST)
    label_messages(project)
    label_stop(project, "jooji")
    run_night(project, SECOND)


def dry_run_at(project, now):
    return retention(project, "--dry-run", now=now)


def retention(project, *options, prepare=lambda: None, now=NOW):
    arguments = ["--pipeline-configuration", project.configuration, "--data-root", project.data_root]
    arguments += ["--backups-dir", project.backups, "--performance-logs-dir", project.logs]
    arguments += ["--credentials", project.credentials, *options]
    return run_stage(["apply-retention", "--user", "me", *map(str, arguments)], prepare, now=now)


def apply_whole(project):
    ended = retention(project)
    assert ended.status == 0, ended.told
    return ended.told


def lines_of(project):
    return {path.stem: path.read_bytes().splitlines() for path in (project.data_root / "Raw Data").glob("*.jsonl")}


def texts_left(project, text):
    """Name the files that hold a text, but for those that the next run makes again."""
    left = []
    for top in (project.data_root, project.embedded / "coda"):
        for path in (path for path in top.rglob("*") if path.is_file()):
            name = path.relative_to(top).as_posix()
            is_made_again = name.startswith("State/analysis/") or (name.startswith("Outputs/") and "Coda" not in name)
            if text.encode() in path.read_bytes() and not is_made_again:
                left.append(name)
    return left


@pytest.fixture(scope="module")
def seasons(tmp_path_factory):
    """A project with aged messages behind two nights, and what a night leaves where they never were."""
    folder = tmp_path_factory.mktemp("seasons")
    workspace, other = workspace_with(aged=True), workspace_with(aged=False)
    kept = {"Retention": {"RawTexts": "P60D"}}
    with fake_rapidpro.serve(workspace) as address, fake_rapidpro.serve(other) as elsewhere:
        never = ChainProject(folder / "never" / "a project", elsewhere, **kept)
        in_server(begin_season, never)
        add_night(other, range(13, 19))
        in_server(run_night, never, THIRD)
        project = ChainProject(folder / "with" / "a project", address, **kept)
        in_server(begin_season, project)
        project.keep("before")
        add_night(workspace, range(13, 19))
        yield project, without_retention(comparable(never, elsewhere)), address


def without_retention(contents):
    left_out = ("Runs/retention", "State/retention", "State/outputs/notes.json")
    return {name: content for name, content in contents.items() if not any(one in name for one in left_out)}


def test_the_next_night_leaves_what_a_project_has_in_which_they_never_were(seasons):
    project, never, address = seasons
    project.put_back("before")
    assert len(texts_left(project, ONLY_AGED)) > 3
    known = project.data_root / "State" / "known_project"
    assert (known / "datasets.json").exists()
    assert "Removed 5 message(s), the oldest of 2026-01-11" in in_server(apply_whole, project)
    assert texts_left(project, ONLY_AGED) == []
    # It may name messages with odd labels.
    assert not known.exists()
    cut = read_cut(project.data_root)
    assert cut is not None and cut.before == CUT
    (receipt,) = read_receipts(project.data_root)
    (removed,) = receipt["Removed"]
    assert removed["Kind"] == "message"
    assert (removed["Count"], removed["Names"]) == (5, [f"{EPISODE}: 5"])
    assert removed["Oldest"].startswith("2026-01-11")
    assert any("archives" in one for one in receipt["Remains"])
    assert "Outputs/, State/analysis/ and copies on Drive, until the next run" in receipt["Remains"]
    # The day on which the first of the young ones is 60 days old, and not that of the one that a STOP keeps.
    last = read_last_retention(project.data_root)
    assert last == LastRetention(NOW.isoformat(), {"message": 5}, {"message": FIRST_DUE})
    assert "Nothing is older than the configuration keeps; the last removal" in in_server(apply_whole, project)
    assert read_last_retention(project.data_root) == LastRetention(NOW.isoformat(), {}, {"message": FIRST_DUE})
    in_server(run_night, project, THIRD)
    now = without_retention(comparable(project, address))
    assert sorted(name for name in now.keys() | never.keys() if now.get(name) != never.get(name)) == []
    # Who said stop long ago is out as before.
    rows = (project.data_root / "Outputs" / "production.csv").read_text()
    assert f"avf-phone-uuid-{STOPPED:04}" not in rows
    assert "avf-phone-uuid-0006" in rows


def watch(changes):
    changes.watch()
    return changes


def kill_and_repeat(project):
    project.put_back("before")
    whole = retention(project, prepare=lambda: watch(Changes(project.folder)))
    assert whole.status == 0, whole.told
    expected, receipts = project.contents(), read_receipts(project.data_root)
    assert any("1 text(s) in Coda and its files that younger messages have" in one for one in receipts[0]["Remains"])
    for moment in {1 + whole.changes * number // MOMENTS for number in range(MOMENTS)} | {whole.changes}:
        project.put_back("before")
        killed = retention(project, prepare=lambda last=moment: watch(Changes(project.folder, last)))
        assert abs(killed.status) == KILLED, moment
        # A fetch in between neither fails nor loses what is young.
        fetched = run_stage(project.arguments(2, THIRD), now=NOW)
        assert fetched.status == 0, (moment, fetched.told)
        again = retention(project)
        assert again.status == 0, (moment, again.told)
        assert texts_left(project, ONLY_AGED) == [], moment
        # Also of the texts that younger messages have, which a late kill leaves nothing to count by.
        assert read_receipts(project.data_root) == receipts, moment
        assert (
            cut_path(project.data_root).read_bytes()
            == expected[str(cut_path(project.data_root).relative_to(project.folder))]
        )


def test_a_killed_removal_is_completed_by_the_same_command(seasons):
    project, _, _ = seasons
    in_server(kill_and_repeat, project)


def kill_at_journal(project):
    """Kill a removal once its journal is there, and before anything is gone; a coder then finds one more STOP."""
    project.put_back("before")
    journal = project.data_root / "Runs" / "retention" / "raw_texts_journal.json"
    for moment in range(1, 60):
        retention(project, prepare=lambda last=moment: watch(Changes(project.folder, last)))
        if journal.exists():
            break
    label_stop(project, f"{ONLY_AGED} 1")
    run_night(project, THIRD, (1,))
    return retention(project)


def test_a_stop_that_was_labelled_after_a_kill_stays(seasons):
    project, _, _ = seasons
    ended = in_server(kill_at_journal, project)
    assert ended.status == 0, ended.told
    assert "Raw Data/s01e1_activation.jsonl" in texts_left(project, f"{ONLY_AGED} 1")
    assert texts_left(project, f"{ONLY_AGED} 2") == []
    assert [one["Removed"][0]["Names"] for one in read_receipts(project.data_root)] == [[f"{EPISODE}: 4"]]


def test_a_clock_that_is_wrong_and_a_dry_run_remove_nothing(seasons):
    project, _, _ = seasons
    project.put_back("before")
    before = project.contents()
    told = in_server(retention, project, "--dry-run").told
    assert "Would remove 5 message(s) from before 2026-02-01T21:00:00+00:00" in told
    late = NOW + timedelta(days=900)
    in_server(read_labels_at, project, late)
    before = project.contents()
    late = in_server(retention_at, project, late)
    assert late.status == 13
    assert "and none is younger" in late.told
    assert project.contents() == before


def retention_at(project, now):
    return retention(project, now=now)


def read_labels_at(project, now):
    ended = run_stage(project.arguments(1, THIRD), now=now)
    assert ended.status == 0, ended.told


def test_no_message_goes_by_labels_that_are_older_than_a_day(seasons):
    project, _, _ = seasons
    project.put_back("before")
    late = NOW + timedelta(days=1, minutes=1)
    before = project.contents()
    told = in_server(retention_at, project, late).told
    assert "Messages and rows of the uuid table stay for now: the labels of Coda were read on 2026-04-03 02:30Z" in told
    assert "Nothing else is older" in told
    assert {name for name in differences(project.contents(), before) if "State/retention" not in name} == set()
    told = in_server(dry_run_at, project, late).told
    assert "Would remove 5 message(s)" in told
    # A coder said STOP since, which stage 1 brings.
    in_server(label_stop, project, f"{ONLY_AGED} 1")
    in_server(read_labels_at, project, late)
    assert "Removed 4 message(s)" in in_server(retention_at, project, late).told
    assert "Raw Data/s01e1_activation.jsonl" in texts_left(project, f"{ONLY_AGED} 1")


@pytest.mark.parametrize(
    "note", ["", '{"Version": 1, "Begun": 3}', '{"Version": 1, "Begun": "soon"}', '{"Version": 0}']
)
def test_labels_of_an_unknown_age_count_as_old(seasons, note):
    project, _, _ = seasons
    project.put_back("before")
    path = project.data_root / "State" / "coda" / "labels_read.json"
    path.write_text(note) if note else path.unlink()
    told = in_server(retention, project).told
    assert "the labels of Coda were read at an unknown time" in told
    assert len(texts_left(project, ONLY_AGED)) > 3


def test_labels_that_were_read_by_a_clock_that_was_ahead_count_as_old(seasons):
    project, _, _ = seasons
    project.put_back("before")
    path = project.data_root / "State" / "coda" / "labels_read.json"
    path.write_text('{"Version": 1, "Begun": "2027-04-03T02:30:00+00:00"}')
    told = in_server(retention, project).told
    assert "the labels of Coda were read on 2027-04-03 02:30Z; expected within a day" in told
    assert len(texts_left(project, ONLY_AGED)) > 3


def test_no_source_brings_back_what_is_over_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with serve_project(tmp_path / "project", monkeypatch) as project:
        for stage in (1, 2, 3, 4):
            assert main(project.arguments(stage)) == 0
        before = lines_of(project)
        limit = datetime(2026, 3, 22, tzinfo=UTC)
        project.configure(Retention={"RawTexts": f"P{(datetime.now(UTC) - limit).days}D"})
        assert main(project.arguments(1)) == 0
        places = ["--pipeline-configuration", project.configuration, "--data-root", project.data_root]
        places += ["--backups-dir", project.backups, "--performance-logs-dir", project.logs]
        given = ["apply-retention", "--user", "me", *places, "--credentials", project.credentials]
        assert main(list(map(str, given))) == 0
        after = lines_of(project)
        cut = read_cut(project.data_root)
        assert isinstance(cut, MessageCut)
        ages = LineAges(cut, load_project(project.configuration).configuration)
        kept = {flow: [line for line in lines if not ages.removes_line(line)] for flow, lines in before.items()}
        assert after == kept
        assert sum(map(len, kept.values())) < sum(map(len, before.values()))
        assert len([flow for flow in before if len(kept[flow]) < len(before[flow])]) > 3, kept.keys()
        assert main(project.arguments(2)) == 0
        assert lines_of(project) == after
        # Everything comes once more.
        for path in (project.data_root / "State" / "fetch").iterdir():
            if path.is_file():
                path.unlink()
        (project.data_root / "Raw Data" / "earlier_s01e01.jsonl").unlink()
        assert main(project.arguments(2)) == 0
        assert {flow: data_of(lines) for flow, lines in lines_of(project).items()} == {
            flow: data_of(lines) for flow, lines in after.items()
        }
        assert main(project.arguments(3)) == 0


def data_of(lines):
    return sorted(json.dumps([update["Data"] for update in json.loads(line)], sort_keys=True) for line in lines)
