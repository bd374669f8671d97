"""The invented workspace: repeatable, growing from round to round, and as varied as the demo needs it."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime

import pytest

from engagement.sandbox.participants import make_participants
from engagement.sandbox.runs import make_runs
from engagement.sandbox.season import LAST_ROUND, end_of_round
from engagement.sandbox.workspace import DEFAULT_SEED, InventedWorkspace, make_workspace
from engagement.sources.operator_prefixes import operator_of
from sandbox_season import cached_workspace

PROJECT_STARTS = datetime.fromisoformat("2026-08-03T00:00:00+03:00")
WORKSPACE = cached_workspace(DEFAULT_SEED, 0)


def archived_runs(workspace: InventedWorkspace) -> list[dict]:
    return [
        json.loads(line)
        for archive in workspace.archives
        if archive.row["archive_type"] == "run"
        for line in gzip.decompress(archive.content).decode().splitlines()
    ]


def all_runs(workspace: InventedWorkspace) -> dict[str, dict]:
    return {run["uuid"]: run for run in (*archived_runs(workspace), *workspace.runs)}


def texts_of(workspace: InventedWorkspace, flow_part: str) -> list[str | None]:
    return [
        value["input"]
        for run in all_runs(workspace).values()
        if flow_part in run["flow"]["name"]
        for value in run["values"].values()
    ]


def test_the_same_seed_and_round_give_the_same_workspace():
    assert make_workspace(DEFAULT_SEED, 0) == WORKSPACE


def test_another_seed_gives_other_participants():
    other = make_workspace(1, 0)
    assert not {contact["uuid"] for contact in other.contacts} & {contact["uuid"] for contact in WORKSPACE.contacts}
    assert other.token != WORKSPACE.token


def test_another_process_gives_the_same_workspace():
    # Hashes of strings differ from process to process: nothing may depend on them.
    program = (
        "import hashlib; from engagement.sandbox.workspace import make_workspace;"
        f"print(hashlib.sha256(repr(make_workspace({DEFAULT_SEED}, 0)).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == hashlib.sha256(repr(WORKSPACE).encode()).hexdigest()


@pytest.mark.parametrize("round_number", [0, 1, 8])  # between 8 and 9 the archives of August are rolled up
def test_a_round_adds_runs_and_participants_and_changes_some_runs(round_number):
    before, after = (cached_workspace(DEFAULT_SEED, number) for number in (round_number, round_number + 1))
    runs_before, runs_after = all_runs(before), all_runs(after)
    assert set(runs_before) < set(runs_after)
    assert {contact["uuid"] for contact in before.contacts} - {contact["uuid"] for contact in after.contacts} <= {
        contact["uuid"] for contact in after.deleted_contacts
    }
    assert {contact["uuid"] for contact in after.contacts} - {contact["uuid"] for contact in before.contacts}
    changed = [uuid for uuid, run in runs_before.items() if runs_after[uuid]["exit_type"] != run["exit_type"]]
    assert changed
    boundary = end_of_round(round_number)
    for uuid, run in runs_after.items():
        is_new = uuid not in runs_before or uuid in changed
        if is_new:
            assert datetime.fromisoformat(run["modified_on"]) > boundary, "a later fetch would not see it"
        assert run["id"] == runs_before.get(uuid, run)["id"]


def test_the_season_ends_with_the_last_round():
    assert make_workspace(DEFAULT_SEED, LAST_ROUND + 5) == cached_workspace(DEFAULT_SEED, LAST_ROUND)
    newest = max(run["modified_on"] for run in cached_workspace(DEFAULT_SEED, LAST_ROUND).runs)
    assert newest < "2026-11-01"


def test_a_survey_is_completed_in_a_later_round():
    runs = all_runs(WORKSPACE)
    later = all_runs(cached_workspace(DEFAULT_SEED, 10))
    grown = [
        uuid
        for uuid, run in runs.items()
        if run["exit_type"] is None and 0 < len(run["values"]) < len(later[uuid]["values"])
    ]
    assert len(grown) >= 5
    assert all(later[uuid]["exit_type"] == "completed" for uuid in grown if len(later[uuid]["values"]) == 5)


def test_there_are_people_of_every_kind():
    runs = list(all_runs(WORKSPACE).values())
    messages_by_contact = Counter(run["contact"]["uuid"] for run in runs if "activation" in run["flow"]["name"])
    flows_by_contact: dict[str, set[str]] = {}
    for run in runs:
        flows_by_contact.setdefault(run["contact"]["uuid"], set()).add(run["flow"]["name"].rpartition("_")[2])
    channels = Counter(urn.partition(":")[0] for contact in WORKSPACE.contacts for urn in contact["urns"][:1])

    assert 380 <= len(WORKSPACE.contacts) <= 400
    assert len(WORKSPACE.test_contact_uuids) == 3
    assert all(messages_by_contact[uuid] for uuid in WORKSPACE.test_contact_uuids)
    assert sum(not contact["urns"] for contact in WORKSPACE.contacts) == 4
    assert sum(len(contact["urns"]) == 2 for contact in WORKSPACE.contacts) == 2
    assert WORKSPACE.deleted_contacts
    assert min(channels["telegram"], channels["whatsapp"]) >= 5
    assert max(messages_by_contact.values()) >= 36
    assert sum(count > 1 for count in messages_by_contact.values()) >= 100
    assert sum("activation" not in flows for flows in flows_by_contact.values()) >= 10  # survey only
    assert sum(flows == {"activation"} for flows in flows_by_contact.values()) >= 10  # no survey


def test_there_are_runs_of_every_kind():
    runs = list(all_runs(WORKSPACE).values())
    assert sum(not run["values"] for run in runs) >= 100
    assert sum(run["exit_type"] is None and run["exited_on"] is None for run in runs) >= 50
    assert {run["exit_type"] for run in runs} == {"completed", "expired", None}
    assert sum(datetime.fromisoformat(run["created_on"]) < PROJECT_STARTS for run in runs) >= 8
    assert sum(run["contact"].get("urn", "") is None for run in runs) >= 4
    # A night's sweep ends many runs at one moment.
    assert max(Counter(run["modified_on"] for run in runs).values()) >= 3
    assert any("." not in value["time"] for run in runs for value in run["values"].values())


@pytest.mark.parametrize("flow_part", ["activation", "demographics"])
def test_there_are_texts_of_every_kind(flow_part):
    texts = texts_of(WORKSPACE, flow_part)
    written = [text for text in texts if text]
    assert None in texts
    assert "" in texts
    assert any("\n" in text.strip() for text in written)
    assert any(text.startswith(("=", "+", "-", "@")) for text in written)
    assert any("<" in text for text in written)
    assert any(ord(character) > 0x1F000 for text in written for character in text)
    assert any(not text.strip() for text in written)
    assert any("STOP" in WORKSPACE.meanings[text].get("*", ()) for text in written)
    assert any("NC" in WORKSPACE.meanings[text].get("*", ()) for text in written)
    kinds = Counter(dataset for text in written for dataset in WORKSPACE.meanings[text])
    assert {"s01e01", "s01e02", "s01e03", "gender", "age", "location"} <= set(kinds)  # right and wrong schemes


def test_answers_to_an_episode_come_in_another_episodes_flow():
    texts = texts_of(WORKSPACE, "s01e02")
    assert any("s01e01" in WORKSPACE.meanings[text] for text in texts if text)


def test_themes_differ_between_women_and_men_and_places_are_spread():
    gender_of, theme_counts, places = {}, {"man": Counter(), "woman": Counter()}, Counter()
    runs = list(all_runs(WORKSPACE).values())
    for run in runs:
        for key, value in run["values"].items():
            meaning = WORKSPACE.meanings.get(value["input"], {})
            if key == "gender" and "gender" in meaning:
                gender_of[run["contact"]["uuid"]] = meaning["gender"][0]
            if key == "location" and "location" in meaning:
                places[meaning["location"][0]] += 1
    for run in runs:
        if run["contact"]["uuid"] in gender_of:
            for value in run["values"].values():
                themes = WORKSPACE.meanings.get(value["input"], {}).get("s01e02", ())
                theme_counts[gender_of[run["contact"]["uuid"]]].update(themes)
    shares = {gender: counts["girls_kept_at_home"] / counts.total() for gender, counts in theme_counts.items()}
    assert shares["woman"] > 2 * shares["man"]
    assert len(places) >= 45
    assert {"mogadishu", "hodan", "hargeysa", "kismayo"} <= set(places)


def test_archives_are_what_their_rows_say():
    for archive in WORKSPACE.archives:
        assert hashlib.md5(archive.content).hexdigest() == archive.row["hash"]
        assert len(archive.content) == archive.row["size"]
        assert len(gzip.decompress(archive.content).splitlines()) == archive.row["record_count"]
    periods = {(archive.row["archive_type"], archive.row["period"]) for archive in WORKSPACE.archives}
    assert periods == {(kind, period) for kind in ("run", "message") for period in ("daily", "monthly")}
    assert any(archive.row["record_count"] == 0 for archive in WORKSPACE.archives)


def test_archived_runs_have_ended_and_most_are_in_archives_only():
    archived, live = archived_runs(WORKSPACE), {run["uuid"] for run in WORKSPACE.runs}
    assert len({run["uuid"] for run in archived}) == len(archived) >= 300
    assert all(run["exited_on"] for run in archived)
    overlap = [run for run in archived if run["uuid"] in live]
    assert 10 <= len(overlap) < len(archived) / 5


def test_archived_runs_have_the_shape_of_archives():
    archived = archived_runs(WORKSPACE)
    urns = [event["msg"]["urn"] for run in archived for event in run["events"]]
    assert any(urn and urn.startswith("tel:+252") for urn in urns)
    for run in archived:
        assert "start" not in run
        assert set(run["contact"]) == {"uuid", "name"}
        assert run["modified_on"].endswith("+00:00")
        assert all("input" in value for value in run["values"].values())
    assert all(run["modified_on"].endswith("Z") and "events" not in run for run in WORKSPACE.runs)


def test_runs_of_a_deleted_contact_stay_and_no_new_ones_come():
    deleted_on = {contact["uuid"]: contact["modified_on"] for contact in WORKSPACE.deleted_contacts}
    runs = [run for run in all_runs(WORKSPACE).values() if run["contact"]["uuid"] in deleted_on]
    assert runs
    assert all(run["created_on"] < deleted_on[run["contact"]["uuid"]] for run in runs)
    live = [run for run in WORKSPACE.runs if run["contact"]["uuid"] in deleted_on]
    assert live
    assert all(run["contact"]["urn"] is None and run["contact"]["name"] is None for run in live)


def test_phone_numbers_are_everybodys_own_and_of_known_operators():
    season = cached_workspace(DEFAULT_SEED, LAST_ROUND)
    urns = [urn for contact in season.contacts for urn in contact["urns"]]
    assert len(set(urns)) == len(urns)
    numbers = [urn.removeprefix("tel:+") for urn in urns if urn.startswith("tel:")]
    assert all(number.isdigit() and len(number) == 12 for number in numbers)
    operators = Counter(operator_of("tel", number) for number in numbers)
    assert None not in operators
    assert {"hormud", "telesom", "golis", "somtel", "kenyan telephone"} <= set(operators)


def test_every_urn_has_a_uuid_of_its_own():
    season = cached_workspace(DEFAULT_SEED, LAST_ROUND)
    assert season.uuid_mappings == WORKSPACE.uuid_mappings
    assert len(set(WORKSPACE.uuid_mappings.values())) == len(WORKSPACE.uuid_mappings)
    for contact in season.contacts:
        if contact["urns"]:
            scheme, _, path = contact["urns"][0].partition("#")[0].partition(":")
            key = path.lstrip("+") if scheme in ("tel", "whatsapp") else f"{scheme}:{path}"
            assert WORKSPACE.uuid_mappings[key].startswith("avf-phone-uuid-")


def test_a_negative_round_is_refused():
    with pytest.raises(ValueError, match="negative"):
        make_workspace(DEFAULT_SEED, -1)


def test_a_text_means_the_same_whoever_sent_it():
    meant: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for run in make_runs(DEFAULT_SEED, make_participants(DEFAULT_SEED)):
        for result in run.results:
            for dataset, codes in result.answer.meaning.items():
                meant.setdefault((result.answer.text, dataset), set()).add(codes)
    assert len(meant) > 1500
    assert [key for key, meanings in meant.items() if len(meanings) > 1] == []
