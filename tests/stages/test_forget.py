"""Forgetting a person: the next night leaves what a project has in which they never were."""

import contextlib
import json
import sqlite3

import pytest

import fake_rapidpro
from chain_project import differences
from engagement.delivery.selections.hand_overs import digest_uids
from engagement.desk.held_data.handed_over import COUNTS_STAY
from engagement.labelling.datasets.adjudications import Decision, keep_decisions, read_decisions
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.forgotten import read_forgotten
from example_project import EPISODE_FLOW
from faults import KILLED, Changes, in_server
from forgotten_person import (
    MOMENTS,
    ONLY_THEIRS,
    PERSON,
    THIRD,
    UID,
    address_of,
    comparable,
    forget,
    kept_bytes,
    names_of,
    rows_of,
    run_night,
    type_number,
    watch,
    what_is_left,
)


def forget_other(project, uid):
    return forget(project, who=("--uid", uid))


def check_whole(project):
    ended = forget(project)
    assert ended.status == 0, ended.told
    assert "Forgotten. Receipt: " in ended.told
    run_night(project, THIRD)
    again = forget(project)
    assert (again.status, "Forgotten already. Receipt: " in again.told) == (0, True), again.told


def test_the_next_night_leaves_what_a_project_has_in_which_they_never_were(seasons):
    project, never, _ = seasons
    project.put_back("before")
    assert len(names_of(project)) > 5
    in_server(check_whole, project)
    assert differences(comparable(project, address_of(project)), never) == []
    assert names_of(project) == []
    folder = project.data_root / "Forgotten"
    (receipt,) = (folder / "receipts").glob("*.json")
    found = {
        (one["Place"], one["Kind"]): one["Count"] for one in json.loads(receipt.read_text())["Found"] if one["Removed"]
    }
    assert found[("Raw Data", "run")] == 2
    assert found[("Contacts", "contact")] == 1
    assert receipt.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.glob("journal*")] == []
    page = receipt.with_suffix(".html").read_text()
    assert "A participant was forgotten" in page
    assert "0004" not in page


def kill_and_repeat(project):
    """Kill it before some of its changes; the same command then completes it."""
    count = forget_and_count(project)
    undisturbed = kept_bytes(project)
    problems = []
    for last in sorted({round(1 + number * (count - 1) / (MOMENTS - 1)) for number in range(MOMENTS)}):
        project.put_back("before")
        killed = forget(project, prepare=lambda last=last: watch(Changes(project.folder, last)))
        ended = forget(project)
        is_same = kept_bytes(project) == undisturbed and rows_of(project) == {}
        if killed.status != KILLED or ended.status or what_is_left(project) or not is_same:
            problems.append((last, killed.status, ended.status, ended.told[-600:], what_is_left(project)))
    return count, problems


def forget_and_count(project):
    project.put_back("before")
    return forget(project, prepare=lambda: watch(Changes(project.folder))).changes


def test_a_killed_run_is_completed_by_the_same_command(seasons):
    project, *_ = seasons
    count, problems = in_server(kill_and_repeat, project)
    assert count > 30
    assert problems == []
    in_server(run_night, project, THIRD)
    assert differences(comparable(project, address_of(project)), seasons[1]) == []


def test_a_dry_run_counts_and_changes_nothing(seasons):
    project, *_ = seasons
    project.put_back("before")
    before = project.contents()
    ended = in_server(forget, project, "--dry-run")
    assert ended.status == 0, ended.told
    assert "2  Raw Data: run\n" in ended.told
    assert [
        name for name in differences(project.contents(), before) if "/.lock" not in name and "/.working" not in name
    ] == []


def test_nothing_is_held_of_somebody_unknown_and_nothing_is_left(seasons):
    project, *_ = seasons
    project.put_back("before")
    ended = in_server(forget_other, project, "avf-phone-uuid-9999")
    assert (ended.status, ended.told) == (0, "Nothing is held of this participant.\n")
    assert not (project.data_root / "Forgotten").exists()


def test_a_number_is_no_uid_and_is_not_shown(seasons):
    project, *_ = seasons
    ended = in_server(forget_other, project, "252615000004")
    assert ended.status == 2
    assert "--phone-number-from-stdin" in ended.told
    assert "252615" not in ended.told


def forget_number(project, number):
    """Count what is held of whoever has a number."""
    return type_number(project, number, "--dry-run")


def test_a_number_is_exchanged_for_its_holder_and_an_unknown_one_for_nobody(seasons):
    project, *_ = seasons
    project.put_back("before")
    known = in_server(forget_number, project, f"+252 61 500{PERSON:04}")
    assert (known.status, "2  Raw Data: run\n" in known.told) == (0, True), known.told
    unknown = in_server(forget_number, project, "+252 61 7654321")
    assert (unknown.status, unknown.told) == (0, "Nothing is held of this participant.\n")


def write_again(project, until):
    """Let the person write on a new contact of the same number, after they were forgotten."""
    assert forget(project, *(("--until", until) if until else ())).status == 0
    run_night(project, THIRD, (2,))


@pytest.mark.parametrize(
    ("until", "runs"), [(None, []), ("2026-03-01T20:00:00+00:00", ["late"]), ("2027-01-01T00:00:00+00:00", [])]
)
def test_what_they_send_later_is_left_out_for_good_or_until_a_time(seasons, until, runs):
    project, _, workspace = seasons
    project.put_back("before")
    kept = list(workspace.contacts), list(workspace.runs)
    late = fake_rapidpro.contact(90, f"tel:+25261500{PERSON:04}", modified=9000)
    workspace.contacts.append(late)
    workspace.runs.append(fake_rapidpro.run(900, EPISODE_FLOW.format(1), of=90, modified=9000, rqa_s01e01_raw="late"))
    try:
        in_server(write_again, project, until)
    finally:
        workspace.contacts, workspace.runs = kept
    raw = b"".join(path.read_bytes() for path in (project.data_root / "Raw Data").glob("*.jsonl"))
    assert (b'"late"' in raw) == bool(runs)
    assert ONLY_THEIRS.encode() not in raw
    state = next((project.data_root / "State" / "fetch").glob("*.sqlite"))
    with contextlib.closing(sqlite3.connect(state)) as connection:
        assert connection.execute("SELECT count(*) FROM waiting").fetchone() == (0,)
    assert UID.encode() not in raw
    assert read_forgotten(project.data_root).find("contact-90") is not None
    # A new row is made for whoever is a new person only.
    assert len(rows_of(project)) == len(runs)
    assert UID not in rows_of(project).values()


def forget_and_ask_by_number(project, *options):
    first = forget(project, *options)
    return first, type_number(project, f"+252 61 500{PERSON:04}", *options)


def test_their_number_leaves_the_uuid_table_and_is_known_all_the_same(seasons):
    project, *_ = seasons
    project.put_back("before")
    assert list(rows_of(project).values()) == [UID]
    first, again = in_server(forget_and_ask_by_number, project)
    assert (first.status, again.status) == (0, 0), first.told + again.told
    assert "1  Uuid table: number or other id with its uid\n" in first.told
    assert "Forgotten already. Receipt: " in again.told
    assert rows_of(project) == {}


def test_a_row_that_other_projects_need_stays_and_is_told(seasons):
    project, *_ = seasons
    project.put_back("before")
    first, again = in_server(forget_and_ask_by_number, project, "--keep-uuid-table-row")
    assert (first.status, again.status) == (0, 0), first.told + again.told
    assert "Forgotten already. Receipt: " in again.told
    assert list(rows_of(project).values()) == [UID]
    (receipt,) = (project.data_root / "Forgotten" / "receipts").glob("*.json")
    assert "uuid table 'EXAMPLE': the number with its uid" in receipt.read_text()
    # The last of the projects.
    ended = in_server(forget, project)
    assert (ended.status, rows_of(project)) == (0, {}), ended.told
    assert "the number with its uid" not in receipt.read_text()


def test_decisions_and_labels_of_second_coders_on_their_texts_go_too(seasons):
    project, *_ = seasons
    project.put_back("before")
    coded = project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json"
    second = coded.with_name("EXAMPLE_s01e01_second.json")
    messages = json.loads(coded.read_text())
    second.write_text(json.dumps(messages))
    ids = {message["Text"]: message["MessageID"] for message in messages}
    theirs, other = ids[ONLY_THEIRS], next(one for text, one in ids.items() if text != ONLY_THEIRS)
    decisions = [Decision(one, "scheme", ("code",), "me", "2026-04-03T00:00:00+00:00") for one in (theirs, other)]
    keep_decisions(project.data_root, "EXAMPLE_s01e01", decisions)
    learnt = project.data_root / "State" / "suggestions" / "EXAMPLE_s01e01.json"
    learnt.parent.mkdir()
    learnt.write_text(json.dumps({"labels": {theirs: []}}))
    ended = in_server(forget, project)
    assert ended.status == 0, ended.told
    assert "1  Decisions on labels: decision on labels\n" in ended.told
    left = read_decisions(project.data_root, "EXAMPLE_s01e01")
    assert {one.message_id for one in left.values()} == {other}
    assert theirs not in second.read_text() + coded.read_text()
    assert other in second.read_text()
    assert not learnt.exists()


def test_texts_that_were_joined_from_theirs_go_too_and_those_that_others_share_stay(seasons):
    project, *_ = seasons
    project.put_back("before")
    coded = project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json"
    messages = json.loads(coded.read_text())
    # The person wrote "biyo 2" and "naag", others "naag" and "wado 3".
    gone, stay = [f"{ONLY_THEIRS}; naag", f"naag; {ONLY_THEIRS}; naag"], [f"{ONLY_THEIRS}; wado 3", "naag; naag"]
    like = {name: value for name, value in messages[0].items() if name != "Labels"}
    for number, text in enumerate([*gone, *stay], len(messages) + 1):
        messages.append(
            {**like, "Labels": [], "Text": text, "MessageID": message_id_of(text), "SequenceNumber": number}
        )
    coded.write_text(json.dumps(messages))
    ended = in_server(forget, project)
    assert ended.status == 0, ended.told
    left = {message["Text"] for message in json.loads(coded.read_text())}
    assert (left & set(gone), left & set(stay)) == (set(), set(stay))


def leave_unfinished(project):
    """Leave what killed and failed runs leave."""
    downloads = project.data_root / "State" / "fetch" / "downloads"
    downloads.mkdir()
    raw = sorted((project.data_root / "Raw Data").glob("*.jsonl"))
    theirs = [line for path in raw for line in path.open() if UID in line]
    assert theirs
    (downloads / "earlier.jsonl").write_text("".join(theirs))
    (downloads / "of_others.jsonl").write_text("{}\n")
    coded = project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json"
    coded.with_name(f"{coded.name}.partial").write_bytes(coded.read_bytes()[:-20])
    replaced = project.data_root / "Outputs.partial"
    replaced.mkdir()
    (replaced / "messages.csv").write_text(f"uid\n{UID}\n")
    lost = project.data_root / "State" / "reports.partial"
    lost.mkdir()
    (lost / "page.html").write_text("nobody")


def test_what_killed_and_failed_runs_left_of_them_goes_too(seasons):
    project, *_ = seasons
    project.put_back("before")
    leave_unfinished(project)
    ended = in_server(forget, project)
    assert ended.status == 0, ended.told
    assert "3  Left by killed or failed runs: unfinished file or folder\n" in ended.told
    assert what_is_left(project) == []
    left = {
        path.name for path in project.data_root.rglob("*") if "partial" in path.name or path.parent.name == "downloads"
    }
    assert left == {"of_others.jsonl", "reports.partial"}


def test_a_receipt_says_what_stays_and_its_times_have_no_microseconds(seasons):
    project, *_ = seasons
    project.put_back("before")
    folder = project.data_root / "Hand-overs"
    (folder / "uids").mkdir(parents=True)
    uids = sorted([UID, "avf-phone-uuid-0007"])
    (folder / "uids" / f"{digest_uids(uids)}.txt").write_text("".join(f"{uid}\n" for uid in uids))
    record = {"digest": digest_uids(uids), "participants": 2}
    (folder / "hand_overs.jsonl").write_text(json.dumps(record) + "\n")
    ended = in_server(forget, project)
    assert ended.status == 0, ended.told
    (receipt,) = (project.data_root / "Forgotten" / "receipts").glob("*.json")
    document = json.loads(receipt.read_text())
    found = {one["Kind"]: (one["Removed"], one["Why"]) for one in document["Found"]}
    assert found["list of participants"] == (True, "")
    assert found["hand-over"] == (False, COUNTS_STAY)
    assert json.loads((folder / "hand_overs.jsonl").read_text()) == {
        "digest": digest_uids(["avf-phone-uuid-0007"]),
        "participants": 2,
    }
    assert [name for name in ("Begun", "Completed") if "." in document[name]] == []


def forget_by_other_table(project):
    """Ask with a table that other credentials lead to: by uid, by number, and by number once the right table is back."""
    for name in ("uuid_tables.sqlite", "uuid_tables.key"):
        (project.embedded / name).rename(project.embedded / f"right {name}")
    EmbeddedUuidTable(project.embedded, "EXAMPLE").import_mappings({"252615999999": "avf-phone-uuid-9999"})
    refused = [forget(project), type_number(project, f"+252 61 500{PERSON:04}")]
    (project.embedded / "right uuid_tables.key").replace(project.embedded / "uuid_tables.key")
    # The key of one table, and the mappings of another.
    refused.append(forget(project))
    return refused


def test_another_tables_credentials_are_refused_before_anything_is_removed(seasons):
    project, *_ = seasons
    project.put_back("before")
    before = names_of(project)
    *refused, mixed = in_server(forget_by_other_table, project)
    for ended in refused:
        assert ended.status == 10, ended.told
        assert "uuid table 'EXAMPLE': it knows none of 12 participants" in ended.told
    assert mixed.status in (10, 11, 14), mixed.told
    assert "uuid_tables" in mixed.told
    assert "Traceback" not in mixed.told
    assert names_of(project) == before
    assert not (project.data_root / "Forgotten").exists()
