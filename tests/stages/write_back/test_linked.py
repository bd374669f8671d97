"""People with several ids: what is written reaches every contact of theirs, and STOP by one id takes all of them out."""

import argparse
import csv
import json
import shutil

import pytest

from engagement.configuration import load_project
from engagement.configuration.contact_selections import WithdrawnElsewhere
from engagement.delivery.selections.withdrawn import find_withdrawn_elsewhere
from engagement.desk import contacts
from write_back_project import EVERYBODY, QUIET, WRITE_BACK, uuids

# The survey of 2 and 3 is 2's alone: 3 is who is written to first, and 2 is another phone of theirs.
ROW = (3, 2)
PHONES = set(ROW)


@pytest.fixture
def project(project):
    project.configure(LinkedParticipants=["linked.csv"])
    # The project's own table has short ids, which no file of links may have.
    for path in project.chain.embedded.glob("uuid_tables.*"):
        path.unlink()
    link(project)
    project.prepare()
    return project


def uid_of(project, number):
    (path,) = (project.data_root / "Contacts").glob("*.jsonl")
    rows = map(json.loads, path.read_text().splitlines())
    return next(row["participant"] for row in rows if row["contact"] == f"contact-{number}")


def link(project, *numbers):
    with (project.chain.configuration.parent / "linked.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["uid", "uid_2"])
        if numbers:
            writer.writerow([uid_of(project, number) for number in numbers])


def hand_over(project, *options):
    parser = argparse.ArgumentParser()
    contacts.add_arguments(parser)
    paths = (project.chain.configuration, project.data_root, project.chain.credentials)
    contacts.run(parser.parse_args([*map(str, paths), "--for", "advert", *options]))


def flagged(workspace, key):
    return {uuid for uuid, value in workspace.values(key).items() if value == "yes"}


@pytest.mark.parametrize("row", [ROW, ROW[::-1]])
def test_groups_flags_and_answers_reach_every_contact(project, workspace, row):
    link(project, *row)
    project.prepare(9)
    project.write_back()
    staying = uuids(*(EVERYBODY - {9}))
    assert workspace.members("Advert") == flagged(workspace, "advert") == staying
    assert {"contact-2", "contact-3"} <= flagged(workspace, "gender_answered")
    assert "contact-5" not in flagged(workspace, "gender_answered")
    workspace.requests.clear()
    project.write_back()
    assert workspace.requests == QUIET


@pytest.mark.parametrize("stopped", ROW)
@pytest.mark.parametrize("row", [ROW, ROW[::-1]])
def test_stop_by_either_takes_both_out(project, workspace, caplog, stopped, row):
    caplog.set_level("INFO")
    link(project, *row)
    project.prepare()
    project.write_back()
    assert uuids(*PHONES) <= workspace.members("Advert")
    project.prepare(stopped)
    project.write_back()
    assert workspace.members("stopped") == flagged(workspace, "consent_withdrawn") == uuids(*PHONES)
    assert workspace.members("Advert") == flagged(workspace, "advert") == uuids(*(EVERYBODY - PHONES))
    assert "1 participant withdrew" in caplog.text
    outputs = [path.read_bytes() for path in (project.data_root / "Outputs").rglob("*") if path.is_file()]
    for number in PHONES:
        assert not any(uid_of(project, number).encode() in content for content in outputs)


@pytest.mark.parametrize("stopped", ROW)
def test_stop_in_another_project_by_either_takes_both_out(project, workspace, stopped):
    link(project, *ROW)
    (project.chain.configuration.parent / "elsewhere.csv").write_text(f"uid\n{uid_of(project, stopped)}\n")
    project.configure(WithdrawnElsewhere={"Files": ["elsewhere.csv"]})
    project.prepare()
    project.write_back()
    assert workspace.members("stopped") == uuids(*PHONES)
    assert workspace.members("Advert") == uuids(*(EVERYBODY - PHONES))


@pytest.mark.parametrize("stopped", ROW)
def test_another_project_learns_that_both_withdrew(project, tmp_path, stopped):
    link(project, *ROW)
    project.prepare(stopped)
    everybody = [uid_of(project, number) for number in EVERYBODY]
    wanted = WithdrawnElsewhere(DataRoots=(str(project.data_root),))
    prefix = load_project(project.chain.configuration).configuration.participant_prefix
    found = find_withdrawn_elsewhere(wanted, tmp_path, prefix, everybody)
    assert found.uids == {uid_of(project, number) for number in PHONES}


@pytest.mark.parametrize("row", [ROW, ROW[::-1]])
def test_a_link_that_the_outputs_do_not_know_yet_lets_nobody_in_who_stopped(project, workspace, row, capsys):
    project.prepare(3)
    link(project, *row)
    hand_over(project, "--to-group")
    assert "did not withdraw under another id" in capsys.readouterr().out
    assert workspace.members("Advert") == uuids(*(EVERYBODY - PHONES))
    shutil.rmtree(project.data_root / "State" / "write_back")
    project.write_back()
    assert workspace.members("stopped") == uuids(*PHONES)
    assert workspace.members("Advert") == flagged(workspace, "advert") == uuids(*(EVERYBODY - PHONES))


def test_a_hand_over_reaches_every_contact_and_is_of_one_participant(project, workspace, capsys):
    link(project, *ROW)
    project.prepare(9)
    hand_over(project, "--to-group", "--to-field")
    assert workspace.members("Advert") == flagged(workspace, "advert") == uuids(*(EVERYBODY - {9}))
    assert "Selected: 10 participants" in capsys.readouterr().out


def test_a_file_of_numbers_has_one_of_each_person(project, workspace, tmp_path, capsys):
    link(project, *ROW)
    project.prepare(9)
    hand_over(project, "--to-file", str(tmp_path / "call.xlsx"), "--csv")
    assert "10 numbers" in capsys.readouterr().out
    called = (tmp_path / "call.csv").read_text()
    urns = {row["uuid"]: row["urns"][0].removeprefix("tel:") for row in workspace.contacts}
    assert urns["contact-3"] in called
    assert urns["contact-2"] not in called


def test_no_contact_is_made_for_another_id_of_somebody_who_has_one(project, workspace):
    project.configure(WriteBack={**WRITE_BACK, "Create": True})
    link(project, *ROW)
    project.prepare()
    project.write_back()
    assert len(workspace.contacts) == len(EVERYBODY)
