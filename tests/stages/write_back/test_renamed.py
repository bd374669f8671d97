"""Groups and fields that somebody renames, deletes or makes again in RapidPro: whoever stops is still taken out everywhere."""

import logging
import sqlite3

import pytest

from engagement.__main__ import main
from engagement.foundation.errors import LimitError, ServiceError
from write_back_project import EVERYBODY, QUIET, SELECTION, WRITE_BACK, uuids


@pytest.fixture
def project(project, caplog):
    caplog.set_level(logging.INFO)
    project.prepare(3)
    project.write_back()
    caplog.clear()
    return project


def rename(workspace, name, new):
    """Rename a group, as somebody does in RapidPro's pages: its uuid and members stay."""
    (row,) = (row for row in workspace.groups if row["name"] == name)
    row["name"] = new
    for contact in workspace.contacts:
        contact["groups"] = [
            {**one, "name": new} if one["uuid"] == row["uuid"] else one for one in contact.get("groups", [])
        ]
    return row["uuid"]


def delete(workspace, name):
    """Delete a group: its members leave it."""
    workspace.groups[:] = [row for row in workspace.groups if row["name"] != name]
    for contact in workspace.contacts:
        contact["groups"] = [one for one in contact.get("groups", []) if one["name"] != name]


def add_group(workspace, name, *numbers):
    """Make a group by hand, with members."""
    row = {"uuid": f"made-by-hand-{len(workspace.groups)}", "name": name, "query": None}
    workspace.groups.append(row)
    for contact in workspace.contacts:
        if contact["uuid"] in uuids(*numbers):
            contact.setdefault("groups", []).append({"uuid": row["uuid"], "name": name})


def names(workspace):
    return sorted(row["name"] for row in workspace.groups)


def test_whoever_stops_later_leaves_a_renamed_group_which_is_told_once(project, workspace, caplog):
    rename(workspace, "Advert", "Advert of March")
    for _ in range(2):
        project.write_back()
    assert caplog.text.count("group 'Advert' is now called 'Advert of March' there") == 1
    project.prepare(5)
    project.write_back()
    assert names(workspace) == ["Advert of March", "stopped"]
    assert workspace.members("Advert of March") == uuids(*(EVERYBODY - {3, 5}))
    assert caplog.text.count("is now called") == 1
    rename(workspace, "Advert of March", "Advert of April")
    project.write_back()
    assert "is now called 'Advert of April' there" in caplog.text


def test_the_renamed_group_of_stop_is_followed(project, workspace):
    rename(workspace, "stopped", "never write to")
    project.prepare(5)
    project.write_back()
    assert names(workspace) == ["Advert", "never write to"]
    assert workspace.members("never write to") == uuids(3, 5)


def test_giving_the_new_name_in_the_configuration_changes_nothing_else(project, workspace, caplog):
    rename(workspace, "Advert", "Advert of March")
    rename(workspace, "stopped", "never write to")
    project.write_back()
    caplog.clear()
    workspace.requests.clear()
    project.configure(
        WriteBack={**WRITE_BACK, "Withdrawn": {"Group": "never write to", "Field": "consent_withdrawn"}},
        Contacts=[{**SELECTION, "To": {**SELECTION["To"], "Group": "Advert of March"}}],
    )
    project.write_back()
    assert workspace.requests == QUIET
    assert "called" not in caplog.text
    project.prepare(5)
    project.write_back()
    assert workspace.members("Advert of March") == uuids(*(EVERYBODY - {3, 5}))


def test_where_another_group_takes_the_name_that_one_is_filled_and_nobody_who_stops_stays_in_the_old_one(
    project, workspace, caplog
):
    rename(workspace, "Advert", "Advert of March")
    add_group(workspace, "Advert", 3, 4)
    project.write_back()
    assert "another one is called 'Advert': that one is filled from now on" in caplog.text
    assert workspace.members("Advert") == workspace.members("Advert of March") == uuids(*(EVERYBODY - {3}))
    project.prepare(5)
    project.write_back()
    assert workspace.members("Advert") == workspace.members("Advert of March") == uuids(*(EVERYBODY - {3, 5}))
    assert caplog.text.count("is now called") == 1
    workspace.requests.clear()
    project.write_back()
    assert workspace.requests == QUIET


@pytest.mark.parametrize("group", ["Advert", "stopped"])
@pytest.mark.parametrize("is_made_again", [True, False])
def test_a_deleted_group_is_filled_anew(project, workspace, caplog, group, is_made_again):
    members = workspace.members(group)
    delete(workspace, group)
    if is_made_again:
        add_group(workspace, group)
    project.write_back()
    assert workspace.members(group) == members
    assert names(workspace) == ["Advert", "stopped"]
    project.write_back()
    assert caplog.text.count(f"group {group!r} was deleted there") == 1


def test_of_two_groups_of_one_name_the_one_that_was_written_to_is_meant(project, workspace):
    add_group(workspace, "advert", 7)
    project.prepare(5)
    project.write_back()
    assert workspace.members("Advert") == uuids(*(EVERYBODY - {3, 5}))
    assert workspace.members("advert") == uuids(7)


def test_of_two_groups_of_one_name_none_is_guessed(project, workspace):
    add_group(workspace, "ADVERT", 7)
    project.forget()
    project.prepare(5)
    with pytest.raises(ServiceError, match="2 groups are called 'Advert'; expected one"):
        project.write_back()
    assert workspace.members("stopped") == uuids(3, 5)


def test_a_selection_that_is_configured_no_more_or_goes_elsewhere_still_loses_whoever_stops(project, workspace):
    moved = {**SELECTION, "To": {"Group": "Next advert", "Field": "next_advert"}}
    project.configure(Contacts=[moved])
    project.prepare(5)
    project.write_back()
    for group in ("Advert", "Next advert"):
        assert workspace.members(group) == uuids(*(EVERYBODY - {3, 5}))
    assert workspace.values("advert")["contact-5"] == "no"
    assert workspace.values("gender_answered").get("contact-6") == "yes"
    project.configure(Contacts=[], WriteBack={"Withdrawn": WRITE_BACK["Withdrawn"]})
    project.prepare(6)
    project.write_back()
    for group in ("Advert", "Next advert"):
        assert workspace.members(group) == uuids(*(EVERYBODY - {3, 5, 6}))
    # Who answered a question still did.
    assert workspace.values("gender_answered")["contact-6"] == "yes"
    workspace.requests.clear()
    project.write_back()
    assert len(workspace.requests) <= len(QUIET)


def test_a_group_and_a_field_that_were_filled_by_hand_over_lose_whoever_stops(project, workspace, capsys):
    later = {"Name": "later", "TookPartIn": ["any"], "To": {"Group": "By hand", "Field": "by_hand"}}
    project.configure(Contacts=[SELECTION, later])
    chain = project.chain
    paths = map(str, (chain.configuration, project.data_root, chain.credentials))
    assert main(["contacts", *paths, "--for", "later", "--to-group", "--to-field"]) == 0
    assert workspace.members("By hand") == uuids(*(EVERYBODY - {3}))
    rename(workspace, "By hand", "By hand of March")
    project.prepare(5)
    project.write_back()
    assert workspace.members("By hand of March") == uuids(*(EVERYBODY - {3, 5}))
    assert workspace.values("by_hand")["contact-5"] == "no"
    paths = map(str, (chain.configuration, project.data_root, chain.credentials))
    assert main(["contacts", *paths, "--for", "later", "--to-group"]) == 0
    assert "By hand" not in names(workspace)


@pytest.mark.parametrize("key", ["consent_withdrawn", "advert", "gender_answered"])
def test_a_deleted_field_is_made_and_written_again(project, workspace, caplog, key):
    values = workspace.values(key)
    workspace.fields[:] = [row for row in workspace.fields if row["key"] != key]
    for contact in workspace.contacts:
        contact.get("fields", {}).pop(key, None)
    project.write_back()
    assert workspace.values(key) == values
    project.write_back()
    assert caplog.text.count(f"contact field {key!r} was deleted there") == 1


def test_a_renamed_field_keeps_its_key(project, workspace):
    for row in workspace.fields:
        row["name"] = row["label"] = f"Renamed {row['key']}"
    project.prepare(5)
    project.write_back()
    assert workspace.values("consent_withdrawn") == dict.fromkeys(uuids(3, 5), "yes")
    assert sorted(row["key"] for row in workspace.fields) == ["advert", "consent_withdrawn", "gender_answered"]


class TestManyWithdrawals:
    """The guard knows again whom RapidPro was told of."""

    @pytest.fixture
    def many(self, project, monkeypatch):
        monkeypatch.setattr("engagement.delivery.write_back.limits._FEW", 2)
        project.prepare(4, 5, 6, 7)
        project.write_back("--accept-many")
        return project

    def test_whatever_is_renamed_or_deleted(self, many, workspace):
        rename(workspace, "stopped", "never write to")
        workspace.fields[:] = [row for row in workspace.fields if row["key"] != "consent_withdrawn"]
        for contact in workspace.contacts:
            contact.get("fields", {}).pop("consent_withdrawn", None)
        many.write_back()
        delete(workspace, "never write to")
        many.configure(WriteBack={**WRITE_BACK, "Withdrawn": {"Group": "silent", "Field": "silent"}})
        many.write_back()
        assert workspace.members("silent") == uuids(3, 4, 5, 6, 7)

    def test_when_the_state_is_lost_but_rapidpro_has_them(self, many, workspace):
        many.forget()
        workspace.writes.clear()
        many.write_back()
        assert workspace.writes == []

    def test_when_both_are_lost_it_says_what_to_do(self, many, workspace):
        many.forget()
        rename(workspace, "stopped", "never write to")
        workspace.writes.clear()
        with pytest.raises(LimitError, match="if State/write_back/ was lost, bring it back from a back-up"):
            many.write_back()
        assert workspace.writes == []


def test_a_state_of_the_version_before_is_kept(project, workspace):
    (path,) = (project.data_root / "State" / "write_back").glob("*.sqlite")
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "DROP TABLE groups; DROP TABLE flags; CREATE TABLE groups (name TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;"
            "INSERT INTO groups VALUES ('advert', 'x');"
            "UPDATE settled SET what = 'group stopped', value = 'stopped' WHERE what = 'group'; PRAGMA user_version = 1;"
        )
    connection.close()
    workspace.writes.clear()
    project.write_back()
    assert workspace.writes == []
    rename(workspace, "Advert", "Advert of March")
    project.stops.clear()
    project.prepare(5)
    project.configure(WriteBack={**WRITE_BACK, "AllowClearing": True})
    project.write_back()
    assert workspace.members("stopped") == uuids(5)
    assert workspace.members("Advert of March") == uuids(*(EVERYBODY - {5}))
