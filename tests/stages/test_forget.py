"""Forgetting a person: the next night leaves what a project has in which they never were."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import sys

import pytest

import fake_rapidpro
from chain_project import ChainProject, add_night, differences, make_workspace
from engagement.custody.backups.archive import verify_archive
from engagement.custody.backups.checksums import compare_checksum
from engagement.custody.backups.last_archive import NothingToCopy, find_last_archive
from engagement.custody.backups.restore import restore_archive
from engagement.labelling.datasets.adjudications import Decision, keep_decisions, read_decisions
from engagement.services.coda.embedded import FolderCoda
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.forgotten import read_forgotten
from example_project import EPISODE_FLOW, label
from faults import KILLED, NOW, Changes, in_server, run_stage

FIRST, SECOND, THIRD = (f"2026-04-0{day}T023000Z-unknown" for day in (3, 4, 5))
PERSON = 4
UID, CONTACT = f"avf-phone-uuid-{PERSON:04}", f"contact-{PERSON}"
ONLY_THEIRS = "biyo 2"
MOMENTS = int(os.environ.get("FAULT_MOMENTS", "6"))
OF_CODA = ("Coded Coda Files", "Outputs/Coda Files", "coda")
# Of this project alone, or digests of the files of Coda.
UNLIKE = ("State/run_inputs/", "Forgotten", ".", "State/coda", "State/outputs/labels.array")


def run_night(project, run_id, stages=(1, 2, 3, 4)):
    for stage in stages:
        ended = run_stage(project.arguments(stage, run_id), now=NOW)
        assert ended.status == 0, ended.told


def label_messages(project):
    coda = FolderCoda(project.embedded, clock=lambda: NOW)
    messages = coda.read_messages("EXAMPLE_s01e01")
    labelled = [
        {**message, "Labels": [label("episode1", "water")]} for message in messages if "biyo" in message["Text"]
    ]
    assert labelled
    coda.save_labels("EXAMPLE_s01e01", labelled)


def begin_season(project):
    run_night(project, FIRST)
    label_messages(project)
    run_night(project, SECOND)


def without_person(workspace):
    workspace.contacts = [one for one in workspace.contacts if one["uuid"] != CONTACT]
    workspace.runs = [one for one in workspace.runs if one["contact"]["uuid"] != CONTACT]
    return workspace


def forget(project, *options, who=("--uid", UID), prepare=lambda: None):
    arguments = [str(project.configuration), str(project.data_root), str(project.credentials)]
    return run_stage(["forget", *arguments, *who, "--user", "me", *options], prepare, now=NOW)


def forget_other(project, uid):
    return forget(project, who=("--uid", uid))


@pytest.fixture(scope="module")
def seasons(tmp_path_factory):
    """A project with the person, and the contents of one in which they never were after a third night."""
    workspace, other = make_workspace(), without_person(make_workspace())
    with fake_rapidpro.serve(workspace) as address, fake_rapidpro.serve(other) as elsewhere:
        folder = tmp_path_factory.mktemp("season")
        never = ChainProject(folder / "never" / "a project", elsewhere)
        in_server(begin_season, never)
        add_night(other, range(13, 19))
        in_server(run_night, never, THIRD)
        project = ChainProject(folder / "with" / "a project", address)
        in_server(begin_season, project)
        project.keep("before")
        add_night(workspace, range(13, 19))
        yield project, comparable(never, elsewhere), workspace


def comparable(project, address):
    """All that a night leaves, but for Forgotten/, addresses, and what Coda says of texts that others wrote too.

    Those keep the time of whoever wrote them first; numbers have a gap where Coda lost a message.
    """
    found = {}
    for name, content in project.contents().items():
        _, _, rest = name.partition("/")
        if rest.startswith((*UNLIKE, "storage", "uuid_tables")) or not name.startswith(("data root/", "embedded/")):
            continue
        if isinstance(content, bytes):
            content = content.replace(address.encode(), b"")
            if rest.startswith(OF_CODA) and rest.endswith(".json"):
                content = without_places(json.loads(content))
        elif rest == "State/outputs/notes.json":
            content["notes"].pop("labels.array")
        found[name] = content
    return found


def without_places(document):
    """Messages without their numbers and times."""
    if isinstance(document, list):
        return [without_places(one) for one in document]
    if not isinstance(document, dict):
        return document
    left_out = ("SequenceNumber", "CreationDateTimeUTC", "DateTimeUTC", "LastUpdated")
    return {key: without_places(value) for key, value in document.items() if key not in left_out}


def names_of(project):
    """Name the files of the data root that hold the person's uid or contact, or a text that only they wrote."""
    needles = [UID.encode(), f'"{CONTACT}"'.encode(), ONLY_THEIRS.encode()]
    files = [path for path in project.data_root.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(needle in path.read_bytes() for needle in needles)]


def address_of(project):
    return json.loads(project.configuration.read_text())["RawDataSources"][0]["Domain"]


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
    problems = []
    for last in sorted({round(1 + number * (count - 1) / (MOMENTS - 1)) for number in range(MOMENTS)}):
        project.put_back("before")
        killed = forget(project, prepare=lambda last=last: watch(Changes(project.folder, last)))
        ended = forget(project)
        if killed.status != KILLED or ended.status or what_is_left(project):
            problems.append((last, killed.status, ended.status, ended.told[-600:], what_is_left(project)))
    return count, problems


def forget_and_count(project):
    project.put_back("before")
    return forget(project, prepare=lambda: watch(Changes(project.folder))).changes


def watch(changes):
    changes.watch()
    return changes


def what_is_left(project):
    """What is left of them, where the next run does not make everything again."""
    again = ("Outputs", "State/analysis", "State/drive")
    left = [name.partition("data root/")[2] for name in names_of(project)]
    return [name for name in left if not name.startswith(again) or "Coda Files" in name] + [
        path.name for path in (project.data_root / "Forgotten").glob("journal*")
    ]


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


def type_number(project, number, *options):
    """Forget whoever has a number."""

    def type_it():
        sys.stdin = io.StringIO(f"{number}\n")

    return forget(project, *options, who=("--phone-number-from-stdin",), prepare=type_it)


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


def rows_of(project):
    """The person's number in the uuid table, with its uid."""
    return EmbeddedUuidTable(project.embedded, "EXAMPLE").find([f"25261500{PERSON:04}"])


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


def with_archives(project):
    """Back up the data root twice: plainly, and as if the second archive were encrypted."""
    ended = run_stage(project.arguments(6, SECOND), now=NOW)
    assert ended.status == 0, ended.told
    (archive,) = project.backups.glob("data-*.tar.gz")
    encrypted = archive.with_name(archive.name.replace(SECOND, THIRD) + ".age")
    encrypted.write_bytes(b"age-encryption.org/v1\n")
    return archive, encrypted


def forget_in_archives(project):
    archive, encrypted = with_archives(project)
    ended = forget(project, "--backups-dir", str(project.backups))
    assert ended.status == 0, ended.told
    return archive, encrypted, ended


def restore(archive, folder):
    restore_archive(archive, folder)
    return folder


def test_plain_archives_lose_them_and_know_them_and_encrypted_ones_are_listed(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    archive, encrypted, ended = in_server(forget_in_archives, project)
    assert f"Archive {archive.name}: rewritten: " in ended.told
    assert f"Archive {encrypted.name}: stays until somebody removes it: it is encrypted" in ended.told
    # A drill knows it as it is now, and the next backup copies nothing from before.
    assert compare_checksum(archive)
    assert find_last_archive(project.backups, project.data_root) == NothingToCopy(
        "this is the first archive here that later ones can copy from"
    )
    restored = restore(archive, tmp_path / "restored")
    needles = [UID.encode(), f'"{CONTACT}"'.encode(), ONLY_THEIRS.encode()]
    files = [path for path in restored.rglob("*") if path.is_file()]
    assert [path for path in files if any(needle in path.read_bytes() for needle in needles)] == []
    assert read_forgotten(restored).find(UID) is not None
    # Whoever else is there keeps every byte.
    raw = {path.name: path.read_bytes() for path in (restored / "Raw Data").iterdir()}
    assert raw == {path.name: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()}
    assert not (project.backups / ".forgetting").exists()
    (receipt,) = (project.data_root / "Forgotten" / "receipts").glob("*.json")
    document = json.loads(receipt.read_text())
    assert f"archive {archive.name}" in {one["Place"] for one in document["Found"]}
    assert f"archive {encrypted.name}" in {one["Where"] for one in document["Remains"]}


def kill_in_archives(project):
    """Kill it before some of its changes; return the moments after which an archive was broken or anything was left."""
    kept = project.folder.parent / "archives"
    project.put_back("before")
    with_archives(project)
    project.keep("with archives")
    options = ("--backups-dir", str(project.backups))
    count = forget(project, *options, prepare=lambda: watch(Changes(project.folder))).changes
    problems = []
    for last in sorted({round(1 + number * (count - 1) / (MOMENTS - 1)) for number in range(MOMENTS)}):
        project.put_back("with archives")
        killed = forget(project, *options, prepare=lambda last=last: watch(Changes(project.folder, last)))
        (archive,) = project.backups.glob("data-*.tar.gz")
        verify_archive(archive, lambda entry, content: None)
        ended = forget(project, *options)
        shutil.rmtree(kept, ignore_errors=True)
        found = [
            path for path in restore(archive, kept).rglob("*") if path.is_file() and UID.encode() in path.read_bytes()
        ]
        if killed.status != KILLED or ended.status or found or what_is_left(project) or rows_of(project):
            problems.append((last, killed.status, ended.status, ended.told[-600:], found))
    return count, problems


def test_a_kill_leaves_archives_whole_and_the_same_command_goes_on(seasons):
    project, *_ = seasons
    count, problems = in_server(kill_in_archives, project)
    assert count > 100
    assert problems == []


def damage(project):
    archive, _ = with_archives(project)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    return archive, bytes(content), forget(project, "--backups-dir", str(project.backups))


def test_a_damaged_archive_stays_and_is_told_while_the_rest_is_forgotten(seasons):
    project, *_ = seasons
    project.put_back("before")
    archive, content, ended = in_server(damage, project)
    assert ended.status == 11, ended.told
    assert f"{archive.name}: stays until somebody removes it: it is damaged" in ended.told
    assert archive.read_bytes() == content
    assert what_is_left(project) == []


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


def export(project, output, *who):
    arguments = [str(project.configuration), str(project.data_root), str(project.credentials)]
    return run_stage(["export-participant", *arguments, *who, "--output", str(output)], now=NOW)


def read_labelled(project):
    return json.loads((project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json").read_text())


def test_everything_of_a_person_is_exported_for_its_user_alone(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    ended = in_server(export, project, tmp_path / "export", "--uid", UID)
    assert ended.status == 0, ended.told
    folder = tmp_path / "export"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "everything.csv": 0o600, "everything.html": 0o600, "everything.json": 0o600,
    }  # fmt: skip
    document = json.loads((folder / "everything.json").read_text())
    assert document["uids"] == [UID]
    runs = document["held"]["Raw Data"]
    assert {run["content"]["avf_phone_id"] for run in runs} == {UID}
    texts = [item["content"] for item in document["held"]["Coda files"] if item["file"].startswith("Coded")]
    assert next(text["Labels"] for text in texts if text["Text"] == ONLY_THEIRS)
    assert ONLY_THEIRS in (folder / "everything.html").read_text()
    assert ONLY_THEIRS in (folder / "everything.csv").read_text()
    others = [f"avf-phone-uuid-{number:04}" for number in range(1, 13) if number != PERSON]
    coders = {one["Origin"]["Name"] for text in read_labelled(project) for one in text["Labels"]}
    assert coders
    for path in folder.iterdir():
        text = path.read_text()
        assert [text[text.index(name) - 80 :][:160] for name in (*others, *coders) if name in text] == []


def test_an_export_never_goes_into_the_data_root(seasons):
    project, *_ = seasons
    ended = in_server(export, project, project.data_root / "export", "--uid", UID)
    assert ended.status == 2
    assert "outside" in ended.told
