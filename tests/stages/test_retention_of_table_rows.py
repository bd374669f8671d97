"""People who wrote last long ago leave the uuid table, and whoever must be known for good stays. All is invented."""

import json
from datetime import UTC, datetime, timedelta

import pytest

import fake_rapidpro
import forgotten_person
from chain_project import ChainProject, differences, make_workspace
from engagement.custody.retention.removal import read_receipts
from engagement.custody.retention.silent_people import read_silent_people, silent_people_path
from engagement.delivery.write_back.state import open_state, state_path
from engagement.services.coda.embedded import FolderCoda
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.holders import holder_id
from example_project import label
from fake_rapidpro import at, contact, run
from faults import KILLED, NOW, Changes, in_server, run_stage
from forgotten_person import FIRST, SECOND, run_night

OLD = datetime(2026, 1, 5, 7, tzinfo=UTC)
AGED, LISTED, LINKED, LINKED_YOUNG, STOPPED, HANDED_ON, NEVER_WROTE = (1, 2), 3, 4, 5, 6, 7, 13
FLOW = make_workspace().runs[0]["flow"]["name"]
MOMENTS = 5


def uid_of(number):
    return f"avf-phone-uuid-00000000-0000-4000-8000-{number:012}"


def number_of(number):
    return f"25261500{number:04}"


def make_old(one, at=OLD):
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    one["created_on"] = one["modified_on"] = text
    for result in one["values"].values():
        result["time"] = text
    return one


def workspace_of_silent_people():
    """Twelve who wrote; of these 1 to 4 and 7 only long ago, and 6 said stop then. Number 13 never wrote."""
    workspace = make_workspace()
    silent = {f"contact-{number}" for number in (*AGED, LISTED, LINKED, STOPPED, HANDED_ON)}
    workspace.runs = [one for one in workspace.runs if one["contact"]["uuid"] not in silent]
    for number in (*AGED, LISTED, LINKED, HANDED_ON):
        workspace.runs.append(make_old(run(100 + number, FLOW, of=number, rqa_s01e01_raw=f"roob hore {number}")))
    workspace.runs.append(make_old(run(100 + STOPPED, FLOW, of=STOPPED, rqa_s01e01_raw="jooji")))
    workspace.contacts.append(contact(NEVER_WROTE))
    return workspace


def table_of(project):
    return EmbeddedUuidTable(project.embedded, "EXAMPLE")


def begin_season(project):
    folder = project.configuration.parent
    (folder / "linked.csv").write_text(f"uid,uid_2\n{uid_of(LINKED)},{uid_of(LINKED_YOUNG)}\n")
    (folder / "mothers.csv").write_text(f"uid\n{uid_of(LISTED)}\n")
    # Files of links take whole uuids alone.
    table_of(project).remove([f"avf-phone-uuid-{number:04}" for number in range(100)])
    table_of(project).import_mappings({number_of(number): uid_of(number) for number in range(100)})
    run_night(project, FIRST)
    with open_state(state_path(project.data_root, "w")) as state:
        state.settle(["contact-1", "contact-7", "contact-8"], {"field": "yes"})
    # Somebody else has the number of 7 by now, whom another project told the table of.
    table_of(project).import_mappings({holder_id(number_of(HANDED_ON), 2): uid_of(120)})
    coda = FolderCoda(project.embedded, clock=lambda: NOW)
    found = [one for one in coda.read_messages("EXAMPLE_s01e01") if one["Text"] == "jooji"]
    coda.save_labels("EXAMPLE_s01e01", [{**one, "Labels": [label("episode1", "STOP")]} for one in found])
    run_night(project, SECOND)


def retention(project, *options, prepare=lambda: None, now=NOW, credentials=None):
    places = {"pipeline-configuration": project.configuration, "data-root": project.data_root}
    places |= {"backups-dir": project.backups, "performance-logs-dir": project.logs}
    places |= {"credentials": project.credentials, "uuid-table-credentials": credentials or project.credentials}
    given = [text for name, path in places.items() for text in (f"--{name}", str(path))]
    return run_stage(["apply-retention", "--user", "me", *given, *options], prepare, now=now)


def retention_at(project, now):
    run_stage(project.arguments(1, SECOND), now=now)
    return retention(project, now=now)


def rows_of(project, numbers=range(100)):
    found = table_of(project).find([number_of(number) for number in numbers])
    return {int(number[-4:]) for number in found}


def names_in(folder, text):
    """Name the files of a data root that hold a text, but for those that the next run makes again."""
    again = ("Outputs", "State/analysis", "State/outputs")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and text.encode() in path.read_bytes()]
    names = [path.relative_to(folder).as_posix() for path in files]
    return [name for name in names if not name.startswith(again)]


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    folder = tmp_path_factory.mktemp("season")
    workspace = workspace_of_silent_people()
    # The table has a hundred numbers, of whom most never wrote.
    retention = {"RawTexts": "P60D", "UuidTable": "P60D", "UuidTableIsUnshared": True}
    kept = {"Retention": retention, "LinkedParticipants": ["linked.csv"]}
    kept["ListeningGroups"] = [{"Name": "mothers", "Files": ["mothers.csv"]}]
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(folder / "a project", address, **kept)
        in_server(begin_season, project)
        project.keep("before")
        yield project, workspace


def apply_whole(project, *options):
    ended = retention(project, *options)
    assert ended.status == 0, ended.told
    return ended.told


GONE = {*AGED, HANDED_ON}


def test_whoever_wrote_last_long_ago_leaves_and_nobody_else_does(season):
    project, _ = season
    project.put_back("before")
    before = project.contents()
    told = in_server(apply_whole, project, "--dry-run")
    assert "Would remove 3 uuid table participant(s), who wrote last before 2026-02-01T21:00:00" in told
    assert project.contents() == before
    everybody = rows_of(project)
    told = in_server(apply_whole, project)
    assert "Removed 3 uuid table participant(s), the oldest of 2026-01-05" in told
    assert everybody - rows_of(project) == GONE
    # Whoever has the number of 7 now is still found.
    assert table_of(project).find([holder_id(number_of(HANDED_ON), 2)])
    for number in GONE:
        assert names_in(project.data_root, uid_of(number)) == []
    # Nor does what RapidPro has of a contact tell of them.
    with open_state(state_path(project.data_root, "w")) as state:
        assert set(state.settled("field")) == {"contact-8"}
        assert f'"contact-{number}"' not in "".join(
            path.read_text() for path in (project.data_root / "Contacts").glob("*.jsonl")
        )
    _, receipt = read_receipts(project.data_root)
    assert receipt["Periods"] == {"UuidTable": "P60D"}
    assert "avf-phone" not in json.dumps(receipt)
    assert receipt["Removed"][0]["Count"] == len(GONE)
    silent = read_silent_people(project.data_root)
    # Who never wrote counts from now on, who stays as the list says from their last message.
    assert silent.since[uid_of(NEVER_WROTE)] == NOW
    assert silent.since[uid_of(LISTED)] == OLD
    assert uid_of(STOPPED) not in silent.since
    assert oct(silent_people_path(project.data_root).stat().st_mode)[-3:] == "600"
    assert "Nothing is older than the configuration keeps" in in_server(apply_whole, project)


def outputs_of(project):
    return {path.name: path.read_bytes() for path in sorted((project.data_root / "Outputs").glob("*.csv"))}


def test_the_next_nights_outputs_are_those_without_the_messages_and_who_writes_again_is_somebody_new(season):
    project, workspace = season
    project.put_back("before")
    document = json.loads(project.configuration.read_text())
    project.configuration.write_text(json.dumps({**document, "Retention": {"RawTexts": "P60D"}}))
    in_server(apply_whole, project)
    in_server(run_night, project, SECOND, (2, 3))
    expected = outputs_of(project)
    assert rows_of(project) >= GONE
    project.put_back("before")
    in_server(apply_whole, project)
    in_server(run_night, project, SECOND, (2, 3))
    assert outputs_of(project) == expected
    runs = list(workspace.runs)
    try:
        workspace.runs += [run(900 + number, FLOW, of=number, rqa_s01e01_raw="biyo") for number in (1, STOPPED)]
        for number, one in enumerate(workspace.contacts):
            one["modified_on"] = at(900 + number)
        in_server(run_night, project, SECOND, (2, 3))
    finally:
        workspace.runs = runs
    rows = (project.data_root / "Outputs" / "production.csv").read_text()
    (new,) = table_of(project).find([number_of(1)]).values()
    assert new not in {uid_of(number) for number in range(100)}
    assert new in rows
    # Whoever said stop is known by the same uid, and is out.
    assert table_of(project).find([number_of(STOPPED)]) == {number_of(STOPPED): uid_of(STOPPED)}
    assert uid_of(STOPPED) not in rows


def test_whoever_withdrew_by_the_last_outputs_stays_even_if_that_message_goes(season):
    project, _ = season
    project.put_back("before")
    (coded,) = (project.data_root / "Coded Coda Files").glob("EXAMPLE_s01e01.json")
    messages = json.loads(coded.read_text())
    assert any(message["Labels"] for message in messages)
    coded.write_text(json.dumps([{**message, "Labels": []} for message in messages]))
    for _ in range(2):
        # The second time only the note tells, as stage 3's notes went with the messages.
        in_server(apply_whole, project)
        assert not names_in(project.data_root / "Raw Data", uid_of(STOPPED))
        assert read_silent_people(project.data_root).stays == {uid_of(STOPPED)}
        assert rows_of(project) & {*GONE, STOPPED} == {STOPPED}


def test_whoever_never_wrote_leaves_once_that_is_known_for_as_long(season):
    project, _ = season
    project.put_back("before")
    in_server(apply_whole, project)
    soon = in_server(retention_at, project, NOW + timedelta(days=20))
    assert soon.status == 0, soon.told
    assert NEVER_WROTE in rows_of(project)
    # The others' messages are over age by then, too.
    document = json.loads(project.configuration.read_text())
    periods = {"RawTexts": "P50D", "UuidTable": "P60D", "UuidTableIsUnshared": True}
    project.configuration.write_text(json.dumps({**document, "Retention": periods}))
    late = in_server(retention_late, project)
    assert late.status == 0, late.told
    assert NEVER_WROTE not in rows_of(project)
    assert {LISTED, STOPPED} <= rows_of(project)


def retention_late(project):
    run_stage(project.arguments(1, SECOND), now=NOW + timedelta(days=62))
    return retention(project, "--accept-all", now=NOW + timedelta(days=62))


def watch(changes):
    changes.watch()
    return changes


def state_after(project):
    """What a removal leaves, but for State/, whose databases have their own order, and Outputs/ that was not made again."""
    left_out = ("data root/State", "data root/Outputs/", "embedded/coda", "records of runs")
    found = {name: content for name, content in project.contents().items() if not name.startswith(left_out)}
    return {name: content for name, content in found.items() if not name.endswith((".partial", "receipts.jsonl"))}


class ChangesOnceRowsGo(Changes):
    """Counts changes from the moment at which the journal of rows is there."""

    def __init__(self, project, last=None):
        super().__init__(project.folder, last)
        self.journal = project.data_root / "Runs" / "retention" / "uuid_table_journal.json"

    def _make_change(self, what):
        if self.count or self.journal.exists():
            super()._make_change(what)


def kill(project, moment):
    killed = retention(project, prepare=lambda: watch(ChangesOnceRowsGo(project, moment)))
    assert abs(killed.status) == KILLED, (moment, killed.told)


def kill_and_repeat(project, moments):
    project.put_back("before")
    whole = retention(project, prepare=lambda: watch(ChangesOnceRowsGo(project)))
    assert whole.status == 0, whole.told
    expected = state_after(project)
    chosen = sorted({1 + whole.changes * number // moments for number in range(moments)} | {whole.changes})
    assert len(chosen) > moments
    for number, moment in enumerate(chosen):
        project.put_back("before")
        kill(project, moment)
        fetches = number % 2 == 1
        if fetches:
            fetched = run_stage(project.arguments(2, SECOND), now=NOW)
            assert fetched.status == 0, (moment, fetched.told)
        again = retention(project)
        assert again.status == 0, (moment, again.told)
        assert table_of(project).count_ids([uid_of(number) for number in GONE]) == 0, moment
        assert [one["Removed"][0]["Count"] for one in receipts_of_table(project)] == [len(GONE)], moment
        if not fetches:
            # After a fetch whoever RapidPro sent again may be there as somebody new.
            assert differences(state_after(project), expected) == [], (
                moment,
                differences(state_after(project), expected),
            )


def receipts_of_table(project):
    return [one for one in read_receipts(project.data_root) if "UuidTable" in one["Periods"]]


def test_a_killed_removal_is_completed_by_the_same_command(season):
    project, _ = season
    in_server(kill_and_repeat, project, MOMENTS)


def test_whoever_writes_before_a_killed_removal_is_completed_stays(season):
    project, workspace = season
    project.put_back("before")
    in_server(kill, project, 1)
    runs = list(workspace.runs)
    try:
        workspace.runs.append(run(950, FLOW, of=1, rqa_s01e01_raw="biyo"))
        in_server(run_night, project, SECOND, (2,))
        in_server(apply_whole, project)
    finally:
        workspace.runs = runs
    assert table_of(project).find([number_of(1)]) == {number_of(1): uid_of(1)}
    assert rows_of(project) & GONE == {1}
    assert receipts_of_table(project)[0]["Removed"][0]["Count"] == len(GONE) - 1


def test_a_person_who_is_forgotten_leaves_the_note_too(season):
    project, _ = season
    project.put_back("before")
    in_server(apply_whole, project)
    assert (project.data_root / "State" / "retention" / "raw_participants.json").exists()
    never_wrote = uid_of(NEVER_WROTE)
    assert never_wrote in read_silent_people(project.data_root).since
    ended = in_server(forget, project, never_wrote)
    assert ended.status == 0, ended.told
    assert "Note on silent people: time of the last message" in ended.told
    assert "Still names them" not in ended.told
    assert never_wrote not in read_silent_people(project.data_root).since
    # Notes of the ages and people of all may tell of them.
    assert list((project.data_root / "State").glob("retention/*")) == []


@pytest.mark.parametrize(
    "damaged", ['{"Since": {}, "Sta', "[]", '{"Since": {}, "Stays": "avf-phone-uuid-1", "Version": 1}']
)
def test_nobody_leaves_by_a_damaged_note(season, damaged):
    project, _ = season
    project.put_back("before")
    path = project.data_root / "Runs" / "retention" / "silent_people.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(damaged)
    before = project.contents()
    ended = in_server(retention, project, "--dry-run")
    assert ended.status == 11, ended.told
    assert "silent_people.json: can't be read" in ended.told
    assert project.contents() == before


@pytest.mark.parametrize("damaged", ['{"Version": 1, "By', '{"Version": 1, "By": "me"}'])
def test_of_a_damaged_journal_the_remedy_is_told_and_right(season, damaged):
    project, _ = season
    project.put_back("before")
    path = project.data_root / "Runs" / "retention" / "uuid_table_journal.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(damaged)
    refused = in_server(retention, project)
    assert refused.status == 11, refused.told
    assert "Remove the file, and run this again" in refused.told
    path.unlink()
    in_server(apply_whole, project)
    assert receipts_of_table(project)[0]["Removed"][0]["Count"] == len(GONE)


def test_another_projects_table_and_missing_credentials_are_refused_before_anything_goes(season, tmp_path):
    project, _ = season
    project.put_back("before")
    before = project.contents()
    (tmp_path / "storage" / "keys").mkdir(parents=True)
    (tmp_path / "storage" / "keys" / "embedded.json").write_text('{"type": "embedded", "directory": "../.."}')
    EmbeddedUuidTable(tmp_path, "EXAMPLE").uuids_for(["252615009999"])
    other = tmp_path / "credentials.json"
    other.write_text('{"type": "embedded", "directory": "."}')
    refused = in_server(retention_with, project, other)
    assert refused.status == 10
    assert "uuid table 'EXAMPLE': it knows none of" in refused.told
    arguments = ["apply-retention", "--user", "me", "--pipeline-configuration", str(project.configuration)]
    arguments += ["--data-root", str(project.data_root), "--backups-dir", str(project.backups)]
    arguments += ["--performance-logs-dir", str(project.logs), "--credentials", str(project.credentials)]
    refused = in_server(run_stage, arguments)
    assert refused.status == 2
    assert "Retention.UuidTable: no --uuid-table-credentials; expected those that stage 2 has" in refused.told
    assert project.contents() == before


def test_a_table_with_many_ids_of_others_is_refused_before_anything_goes(season):
    project, _ = season
    project.put_back("before")
    document = json.loads(project.configuration.read_text())
    document["Retention"].pop("UuidTableIsUnshared")
    project.configuration.write_text(json.dumps(document))
    before = project.contents()
    refused = in_server(retention, project)
    assert refused.status == 11
    # 101 ids, and twelve who wrote and one who did not.
    assert (
        "uuid table 'EXAMPLE': it has about 88 ids of people whom this data root never knew, beside 13" in refused.told
    )
    left = differences(project.contents(), before)
    assert [name for name in left if "State/retention" not in name] == []
    # A few may be of people whom a source lost.
    table_of(project).remove([uid_of(number) for number in range(22, 100)])
    assert "Removed 3 uuid table participant(s)" in in_server(apply_whole, project)


def forget(project, uid):
    return forgotten_person.forget(project, who=("--uid", uid))


def retention_with(project, credentials):
    return retention(project, credentials=credentials)
