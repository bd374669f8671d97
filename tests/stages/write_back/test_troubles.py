"""Writing back where something is wrong: one clear line for each problem, and the rest is written."""

import json
import logging

import pytest

import fake_rapidpro
from chain_project import add_night, make_workspace
from engagement.foundation.errors import ConfigurationError, InputError, ServiceError
from fake_rapidpro import once
from write_back_project import EVERYBODY, QUIET, SELECTION, WRITE_BACK, expect_marks, uuids


@pytest.mark.parametrize(("key", "error"), [("DataRoots", InputError), ("Files", ConfigurationError)])
def test_nothing_is_sent_while_it_is_unknown_who_withdrew_elsewhere(project, workspace, key, error):
    project.prepare(3)
    project.configure(WithdrawnElsewhere={key: ["missing"]})
    with pytest.raises(error, match="missing"):
        project.write_back()
    assert workspace.requests == []


class TestBadInput:
    """One clear line each, and the rest is written."""

    def test_a_field_that_rapidpro_refuses(self, project, workspace):
        project.configure(WriteBack={**WRITE_BACK, "Demographics": [{"CodedField": "gender_coded", "Field": "uuid"}]})
        project.prepare(3)
        with pytest.raises(ServiceError, match="contact field 'uuid': RapidPro refused to make it") as caught:
            project.write_back()
        assert "1 problem(s)" in str(caught.value)
        expect_marks(workspace, 3)

    def test_a_smart_group(self, project, workspace):
        workspace.groups.append({"uuid": "g-1", "name": "advert", "query": "age > 5"})
        project.prepare(3)
        with pytest.raises(ServiceError, match="group 'Advert' is a smart one") as caught:
            project.write_back()
        assert "1 problem(s)" in str(caught.value)
        assert workspace.members("stopped") == uuids(3)
        assert len(workspace.values("advert")) == 11

    def test_a_token_that_may_only_read(self, project, workspace):
        project.prepare(3)
        workspace.trouble.append(
            once("groups", lambda request: request.command == "POST" and request.reply(403, b'{"detail": "No."}'), 1)
        )
        with pytest.raises(ServiceError, match=r"the token may not write \(status 403: No\.\)"):
            project.write_back()
        project.write_back()
        expect_marks(workspace, 3)

    def test_a_contact_that_is_gone(self, project, workspace, caplog):
        caplog.set_level(logging.INFO)
        project.prepare(3)
        gone = [workspace.contacts.pop(4), workspace.contacts.pop(2)]
        project.write_back()
        assert workspace.members("Advert") == uuids(*EVERYBODY) - uuids(3, 5)
        assert "1 contact that RapidPro has no more" in caplog.text
        assert len(workspace.contacts) == 10
        assert {row["uuid"] for row in gone} == uuids(3, 5)
        workspace.requests.clear()
        project.write_back()
        assert workspace.requests == QUIET

    def test_another_workspace(self, project, workspace):
        project.prepare(3)
        workspace.workspace = {**workspace.workspace, "uuid": "3f9d2c1a-5b7e-4c60-8f2d-1e4a9b7c6d51"}
        with pytest.raises(ServiceError, match="which Contacts/ does not know"):
            project.write_back()
        assert workspace.writes == []

    def test_outputs_that_are_older_than_the_data(self, project, workspace):
        project.prepare(3)
        add_night(workspace, range(13, 14))
        project.run("fetch-raw-data", *project.arguments())
        with pytest.raises(InputError, match="newer than Outputs/"):
            project.write_back()
        assert workspace.writes == []

    def test_a_selection_that_can_not_be_made_holds_nothing_else_up(self, project, workspace):
        project.prepare()
        project.write_back()
        folder = project.chain.configuration.parent
        (folder / "never.csv").write_text("uid\navf-phone-uuid-9999\n")
        project.configure(Contacts=[{**SELECTION, "ExclusionFiles": ["never.csv"]}])
        project.prepare(5)
        with pytest.raises(InputError, match="selection 'advert': "):
            project.write_back()
        assert workspace.members("stopped") == uuids(5)
        assert workspace.members("Advert") == uuids(*EVERYBODY) - uuids(5)
        assert workspace.values("advert")["contact-5"] == "no"

    def test_lost_notes_of_who_withdrew(self, project, workspace):
        project.prepare(3)
        (project.data_root / "State" / "outputs" / "notes.json").unlink()
        with pytest.raises(InputError, match="expected stage 3's notes, which tell who withdrew"):
            project.write_back()
        assert workspace.writes == []


def test_a_night_without_rapidpro_leaves_the_rest_to_the_next(project, workspace):
    project.prepare(3)
    workspace.trouble.append(
        once("contacts.json", lambda request: request.command == "POST" and request.reply(401, b"{}"), 6)
    )
    with pytest.raises(ServiceError, match="what is missing is written by the next run"):
        project.write_back()
    sent = len(workspace.writes)
    workspace.trouble.clear()
    project.write_back()
    expect_marks(workspace, 3)
    total = len(workspace.writes)
    project.forget()
    project.write_back()
    assert len(workspace.writes) == total > sent


def test_stop_is_told_to_every_workspace_whatever_becomes_of_the_others(project, workspace, tmp_path):
    other = make_workspace()
    other.flows, other.page_size = ["other_activation"], 250
    other.workspace = {**other.workspace, "uuid": "3f9d2c1a-5b7e-4c60-8f2d-1e4a9b7c6d51"}
    other.runs = []
    for row in other.contacts:
        row["uuid"] = row["uuid"].replace("contact", "other")
    with fake_rapidpro.serve(other) as address:
        sources = json.loads(project.chain.configuration.read_text())["RawDataSources"]
        more = {"Domain": address, "ContactsFileName": "other", "ActivationFlowNames": ["other_activation"]}
        project.configure(RawDataSources=[*sources, {**sources[0], **more, "SurveyFlowNames": []}])
        project.prepare(3, 4)
        workspace.trouble.append(once("groups", lambda request: request.reply(401, b'{"detail": "No."}')))
        with pytest.raises(ServiceError, match="the token was refused"):
            project.write_back()
        assert other.members("stopped") == {"other-3", "other-4"}
        assert other.values("consent_withdrawn") == {"other-3": "yes", "other-4": "yes"}
        assert workspace.writes == []
        sent = len(other.writes)
        project.write_back()
        expect_marks(workspace, 3, 4)
        assert len(other.writes) == sent


def test_nothing_is_done_without_the_key(project, workspace, caplog):
    caplog.set_level(logging.INFO)
    project.prepare(3)
    project.configure(WriteBack=None)
    project.write_back()
    assert workspace.requests == []
    assert "Nothing to write back" in caplog.text
