"""A cut that moves reads only the raw files of which something may be over age, and misses nothing. All is invented."""

import json
import random
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from engagement.configuration import load_project
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.raw_participants import RawParticipants
from engagement.custody.retention.raw_texts import find_aged
from engagement.foundation import file_stamps
from engagement.foundation.file_stamps import FULL_AFTER
from engagement.provenance import read_traced_data
from engagement.sources.message_cut import LineAges, MessageCut, texts_that_stay
from example_project import DataRoot, episode_run

BEGIN = datetime(2026, 1, 1, 21, tzinfo=UTC)
TEXTS = ["biyo", "jooji", "caafimaad", "stop", "waddo"]
OPENED: list[str] = []
hook_is_set = False


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 0)
    root = DataRoot(tmp_path)
    root.project = load_project(root.configuration)
    for path in (root.path / "Raw Data").iterdir():
        path.unlink()
    for number in range(3):
        write(root, number, [line(number * 100 + one, BEGIN + timedelta(days=5 + one)) for one in range(6)])
    return root


def line(number, at, text="biyo"):
    return episode_run(f"o{number}", text, time=at.isoformat(), run_id=number).rstrip("\n")


def raw_file(root, number):
    return root.path / "Raw Data" / f"flow_{number}.jsonl"


def write(root, number, lines):
    raw_file(root, number).parent.mkdir(parents=True, exist_ok=True)
    raw_file(root, number).write_text("".join(f"{one}\n" for one in lines))


def cut_at(day, *stays):
    return MessageCut(BEGIN + timedelta(days=day), texts_that_stay(stays, ";"))


def look(root, cut, is_noted=True):
    # Longer than the file system's clock takes from one time to the next.
    time.sleep(0.02)
    aged = find_aged(root.project, root.path, cut)
    if is_noted:
        aged.raw_ages.write()
    return aged


def look_and_list(root, cut):
    """Look, and list the raw files that were read."""
    global hook_is_set
    if not hook_is_set:
        sys.addaudithook(lambda event, details: OPENED.append(str(details[0])) if event == "open" else None)
        hook_is_set = True
    OPENED.clear()
    look(root, cut)
    return {name.rpartition("/")[2] for name in OPENED if "/Raw Data/" in name}


def count_all(root, cut):
    """What there is by reading everything: the lines over age by flow, and how many are younger."""
    ages, flows, younger = LineAges(cut, root.project.configuration), {}, 0
    for path in (root.path / "Raw Data").glob("*.jsonl"):
        for record in read_traced_data(path):
            times = [time for time in ages.times_of(record.values) if time is not None]
            younger += max(times) >= cut.before
            if ages.removes(record.values):
                flows[path.stem] = flows.get(path.stem, 0) + 1
    return flows, younger


def test_a_quiet_day_reads_no_raw_file(root):
    assert look_and_list(root, cut_at(1)) == {f"flow_{number}.jsonl" for number in range(3)}
    assert look_and_list(root, cut_at(2)) == set()
    write(root, 1, [line(1, BEGIN + timedelta(days=9))])
    assert look_and_list(root, cut_at(3)) == {"flow_1.jsonl"}
    assert look_and_list(root, cut_at(4)) == set()
    # The first lines of the others are over age.
    assert look_and_list(root, cut_at(6)) == {"flow_0.jsonl", "flow_2.jsonl"}


def test_one_look_in_a_few_reads_everything(root):
    found = [len(look_and_list(root, cut_at(1))) for _ in range(FULL_AFTER + 3)]
    assert found == [3, *[0] * FULL_AFTER, 3, 0]


def test_an_old_message_that_a_stop_keeps_does_not_keep_its_file_being_read(root):
    write(root, 0, [line(1, BEGIN, "jooji"), line(2, BEGIN + timedelta(days=9))])
    look(root, cut_at(1, "jooji"))
    assert look_and_list(root, cut_at(2, "jooji")) == set()
    assert look(root, cut_at(3, "jooji")).younger == 13
    # Once it is no STOP any more, it goes.
    assert look_and_list(root, cut_at(3)) == {"flow_0.jsonl"}
    assert look(root, cut_at(3)).flows == {"flow_0": 1}


def test_a_file_that_had_just_changed_is_not_believed(root, monkeypatch):
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 60 * 10**9)
    assert [len(look_and_list(root, cut_at(1))) for _ in range(3)] == [3, 3, 3]


@pytest.mark.parametrize("how", ["gone", "empty", "cut", "flipped", "older version", "a folder"])
def test_notes_that_are_of_no_use_do_no_harm(root, how):
    look(root, cut_at(1))
    notes = root.path / "State" / "retention" / "raw_ages.json"
    whole = notes.read_bytes()
    if how in ("gone", "a folder"):
        notes.unlink()
    if how == "a folder":
        shutil.rmtree(notes.parent)
        notes.parent.write_text("in the way")
        assert find_aged(root.project, root.path, cut_at(7)).flows == count_all(root, cut_at(7))[0]
        return
    changed = {
        "empty": b"",
        "cut": whole[:-20],
        "flipped": whole.replace(b'"oldest":2', b'"oldest":3'),
        "older version": whole.replace(b'"version":1', b'"version":0'),
    }
    if how in changed:
        assert changed[how] != whole
        notes.write_bytes(changed[how])
    aged = look(root, cut_at(7))
    assert (aged.flows, aged.younger) == count_all(root, cut_at(7))
    assert aged.count == 6
    assert look_and_list(root, cut_at(1)) == set()


def test_a_dry_run_notes_nothing(root):
    look(root, cut_at(1), is_noted=False)
    assert not (root.path / "State" / "retention").exists()


def test_notes_hold_neither_texts_nor_people(root):
    look(root, cut_at(1))
    noted = json.loads((root.path / "State" / "retention" / "raw_ages.json").read_bytes().partition(b"\n")[2])
    assert set(noted["files"]["flow_0.jsonl"]) == {"stamp", "read_at", "lines", "oldest", "staying"}
    assert noted["files"]["flow_0.jsonl"]["oldest"] == (BEGIN + timedelta(days=5)).timestamp() // 60


def who_writes(root):
    """Who has a line, and the raw files that were read to know; noted for the next look."""
    global hook_is_set
    time.sleep(0.02)
    if not hook_is_set:
        sys.addaudithook(lambda event, details: OPENED.append(str(details[0])) if event == "open" else None)
        hook_is_set = True
    OPENED.clear()
    found = RawParticipants(root.path)
    read = {name.rpartition("/")[2] for name in OPENED if "/Raw Data/" in name}
    found.write()
    return found.uids, read


def by_reading(root):
    files = (root.path / "Raw Data").glob("*.jsonl")
    return {record.values[PARTICIPANT_KEY] for path in files for record in read_traced_data(path)}


def test_a_quiet_night_reads_no_raw_file_to_know_who_writes(root):
    everybody = by_reading(root)
    assert who_writes(root) == (everybody, {f"flow_{number}.jsonl" for number in range(3)})
    assert who_writes(root) == (everybody, set())
    write(root, 1, [line(900, BEGIN)])
    assert who_writes(root) == (by_reading(root), {"flow_1.jsonl"})
    raw_file(root, 0).unlink()
    assert who_writes(root) == (by_reading(root), set())
    assert [len(who_writes(root)[1]) for _ in range(FULL_AFTER)] == [0, 0, 0, 2, 0, 0]
    notes = root.path / "State" / "retention" / "raw_participants.json"
    notes.write_bytes(notes.read_bytes()[:-9])
    assert who_writes(root) == (by_reading(root), {"flow_1.jsonl", "flow_2.jsonl"})


def test_who_writes_in_a_file_that_had_just_changed_is_not_believed(root, monkeypatch):
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 60 * 10**9)
    assert [len(who_writes(root)[1]) for _ in range(3)] == [3, 3, 3]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_to_the_files_nothing_over_age_is_missed(root, seed):
    """Files come, change and go, messages of any age arrive late, texts become STOP and cease to be, cuts move."""
    chosen, day, number, skipped = random.Random(seed), 0, 1000, 0
    lines = {one: [line(one, BEGIN + timedelta(days=one))] for one in range(4)}
    for one, held in lines.items():
        write(root, one, held)
    stays = set()
    for _ in range(25):
        day += chosen.randrange(3)
        for _ in range(chosen.choice([0, 0, 1, 2])):
            number += 1
            one = chosen.randrange(5)
            held = lines.setdefault(one, [])
            sent = BEGIN + timedelta(minutes=chosen.randrange(60 * 24 * 40), seconds=chosen.randrange(60))
            how = chosen.choice(["add", "add", "replace", "remove"])
            if how == "add" or not held:
                held.append(line(number, sent, chosen.choice(TEXTS)))
            elif how == "replace":
                held[chosen.randrange(len(held))] = line(number, sent, chosen.choice(TEXTS))
            else:
                held.pop()
            write(root, one, held)
        if chosen.random() < 0.15:
            stays ^= {chosen.choice(TEXTS)}
        cut = cut_at(day, *stays)
        aged = look(root, cut)
        assert (aged.flows, aged.younger) == count_all(root, cut), seed
        skipped += len(look_and_list(root, cut)) < len(list((root.path / "Raw Data").glob("*.jsonl")))
        # What a removal leaves, on most days.
        if chosen.random() < 0.7:
            ages = LineAges(cut, root.project.configuration)
            for one, held in lines.items():
                young = [text for text in held if not ages.removes_line(text.encode())]
                if young != held:
                    held[:] = young
                    write(root, one, held)
    assert skipped > 3
