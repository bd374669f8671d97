"""What RapidPro says of a project, and what comes first where several services say something."""

import dataclasses
import urllib.request
import uuid

import pytest

from engagement.sandbox.api import Api, Reply
from engagement.sandbox.server import serve
from engagement.services.credentials import EmbeddedCredentials
from online_desk import GENDER


def test_a_project_that_fits_its_services_gets_no_finding_and_leaves_nothing_behind(desk):
    assert desk.check() == (0, [])


def test_a_flow_that_was_renamed_is_an_error_with_the_nearest_names(desk):
    desk.change(
        lambda document: document["RawDataSources"][0]["SurveyFlowNames"].__setitem__(0, "demo_s01_demografics")
    )
    status, lines = desk.check()
    assert status == 10
    (error,) = [line for line in lines if line.startswith("ERROR")]
    assert error.startswith(
        "ERROR: pipeline_configuration.json, at $.RawDataSources[0].SurveyFlowNames[0]: the workspace at http://127.0.0.1:"
    )
    told = "has no flow 'demo_s01_demografics'; expected one; nearest: 'demo_s01_demographics', "
    assert told in error


def test_an_anonymous_workspace_is_an_error_unless_a_participant_is_a_contact(desk, workspace):
    hidden = dataclasses.replace(workspace, workspace=workspace.workspace | {"anon": True})
    with serve(hidden) as address:
        desk.change(lambda document: document["RawDataSources"][0].update(Domain=address))
        status, (error,) = desk.check()
        assert status == 10
        assert error.startswith("ERROR: pipeline_configuration.json, at $.RawDataSources[0]: workspace ")
        assert "is anonymous: it hides the URNs of its contacts; expected URNs" in error
        assert 'add "Identity": "contact" to the source' in error
        desk.change(lambda document: document["RawDataSources"][0].update(Identity="contact"))
        assert desk.check() == (0, [])


def test_participants_that_are_contacts_though_urns_are_shown_are_a_warning(desk):
    desk.change(lambda document: document["RawDataSources"][0].update(Identity="contact"))
    status, (warning,) = desk.check()
    assert status == 0
    assert "at $.RawDataSources[0].Identity: 'contact', though workspace " in warning


def test_two_flows_of_one_name_are_an_error_with_both_uuids_until_one_is_chosen(desk, workspace):
    name = "demo_s01_demographics"
    first = next(row for row in workspace.flows if row["name"] == name)
    other = first | {"uuid": str(uuid.UUID(int=7))}
    with serve(dataclasses.replace(workspace, flows=(*workspace.flows, other))) as address:
        desk.change(lambda document: document["RawDataSources"][0].update(Domain=address))
        status, (error,) = desk.check()
        assert status == 10
        assert "at $.RawDataSources[0].SurveyFlowNames[0]: 2 flows are called 'demo_s01_demographics'" in error
        assert first["uuid"] in error
        assert other["uuid"] in error

        def choose(uid):
            choice = {"Name": name, "UUID": uid}
            desk.change(lambda document: document["RawDataSources"][0]["SurveyFlowNames"].__setitem__(0, choice))

        choose(first["uuid"])
        assert desk.check() == (0, [])
        choose("mistyped")
        status, (error,) = desk.check()
        assert status == 10
        assert "has no flow of the uuid 'mistyped'; expected one. Change it." in error


def test_one_flow_by_name_and_by_uuid_is_an_error(desk, workspace):
    flow = next(row for row in workspace.flows if row["name"] == "demo_s01e01_activation")
    again = {"Name": "again", "UUID": flow["uuid"]}
    desk.change(lambda document: document["RawDataSources"][0]["ActivationFlowNames"].append(again))
    status, lines = desk.check()
    assert status == 10
    (error,) = [line for line in lines if line.startswith("ERROR")]
    assert "it is the flow at $.RawDataSources[0].ActivationFlowNames[0]; expected each once. Remove one." in error


def test_a_result_that_the_flow_does_not_keep_is_an_error_and_one_that_nobody_reads_a_warning(desk):
    def misspell(document):
        for remapping in document["RapidProKeyRemappings"]:
            remapping["RapidProKey"] = remapping["RapidProKey"].replace("Location (", "Locaton (")

    desk.change(misspell)
    status, lines = desk.check()
    assert status == 10
    flow = "flow 'demo_s01_demographics'"
    assert [line.partition(": ")[2].partition(": ")[2] for line in lines] == [
        f"{flow} keeps no result 'Locaton', and nothing else writes 'location_raw'; expected one of its results; nearest: 'Location'. "
        "Change it.",
        f"{flow} keeps no result 'Locaton', and nothing else writes 'location_time'; expected one of its results; nearest: "
        "'Location'. Change it.",
        f"no remapping reads the result 'Location' that {flow} keeps; expected one. Add 'Location (Text) - demo_s01_demographics', "
        "or leave it be if nobody needs it.",
    ]


def test_an_earlier_result_beside_the_one_that_came_in_its_place_is_right(desk):
    def keep_earlier(document):
        for part, field in (("Text", "gender_raw"), ("Time", "gender_time")):
            key = f"Sex ({part}) - demo_s01_demographics"
            document["RapidProKeyRemappings"].insert(1, {"RapidProKey": key, "PipelineKey": field})

    desk.change(keep_earlier)
    assert desk.check() == (0, [])


def test_a_contact_for_tests_of_another_workspace_is_a_warning(desk):
    other = str(uuid.UUID(int=1))
    desk.change(lambda document: document["RawDataSources"][0]["TestContactUUIDs"].append(other))
    status, (line,) = desk.check()
    assert status == 0
    assert line.startswith(
        "WARNING: pipeline_configuration.json, at $.RawDataSources[0].TestContactUUIDs[1]: the workspace has no "
    )
    assert other not in line


def test_a_wrong_token_exits_12_after_all_the_others_were_asked(desk):
    desk.token.write_text("not-the-token\n")
    desk.change(lambda document: document["PhoneNumberUuidTable"].update(TableName="DEM0"))
    status, lines = desk.check()
    assert status == 12
    warning, failed = lines
    assert "at $.PhoneNumberUuidTable.TableName: there is no uuid table 'DEM0' yet" in warning
    assert "nearest: 'DEMO'" in warning
    assert failed.startswith("FAILED: RapidPro http://127.0.0.1")
    assert "the token was refused (status 403: Invalid token)" in failed
    assert "not-the-token" not in "".join(lines)


def test_a_server_that_is_down_is_told_beside_what_the_others_said(desk):
    desk.change(lambda document: document["RawDataSources"][0].update(Domain="http://127.0.0.1:1"))
    desk.change(lambda document: document.pop("CodaUsers"))
    (desk.embedded / "coda" / "DEMO_gender.json").unlink()
    lines = desk.ask(coda_credentials=(EmbeddedCredentials(desk.embedded),))
    error, failed = lines
    assert error.startswith(f"ERROR: coding_plans.json, at {GENDER}: Coda ")
    assert "has no dataset 'DEMO_gender'; expected it, or CodaUsers" in error
    assert "the connection was refused" in failed


def test_errors_come_before_what_failed_in_the_exit_status(desk):
    desk.token.write_text("not-the-token\n")
    desk.change(
        lambda document: document["PhoneNumberUuidTable"].update(
            FirebaseCredentialsFileURL="gs://demo-credentials/no.json"
        )
    )
    status, lines = desk.check()
    assert status == 10
    assert [line.partition(":")[0] for line in lines] == ["ERROR", "FAILED"]
    assert (
        "at $.PhoneNumberUuidTable.FirebaseCredentialsFileURL: gs://demo-credentials/no.json: no such file" in lines[0]
    )


def test_groups_and_fields_that_can_not_be_written_are_errors(desk):
    fields = [{"CodedField": "gender_coded", "Field": "joined_on"}, {"CodedField": "age_coded", "Field": "remark"}]
    desk.change(lambda document: document.update(WriteBack={"Withdrawn": {"Group": "stopped"}, "Demographics": fields}))
    status, lines = desk.check()
    assert status == 10
    assert [line.partition(" takes")[0] for line in lines] == [
        "ERROR: pipeline_configuration.json, at $.WriteBack.Demographics[0].Field: 'joined_on'"
    ]


def test_keys_that_rapidpro_keeps_for_itself_are_errors(desk):
    contacts = [{"Name": "a", "To": {"Field": "urns"}}]
    desk.change(lambda document: document.update(Contacts=contacts, WriteBack={"Withdrawn": {"Field": "status"}}))
    status, lines = desk.check()
    assert status == 10
    assert sorted(line.partition("; expected")[0] for line in lines) == [
        "ERROR: pipeline_configuration.json, at $.Contacts[0].To.Field: RapidPro keeps 'urns' for itself",
        "ERROR: pipeline_configuration.json, at $.WriteBack.Withdrawn.Field: RapidPro keeps 'status' for itself",
    ]


@pytest.mark.parametrize(
    "keys",
    [{"WriteBack": {"Withdrawn": {"Block": True}}}, {"Contacts": [{"Name": "a", "To": {"Group": "advert"}}]}],
)
def test_a_token_that_may_only_read_is_found_where_something_is_to_be_written(desk, rapid_pro, monkeypatch, keys):
    desk.change(lambda document: [document.pop(key, None) for key in ("WriteBack", "Contacts")])
    refusal = Reply(403, b'{"detail": "You do not have permission."}')
    with monkeypatch.context() as patch:
        patch.setattr(Api, "post", lambda self, path, body, authorization: refusal)
        assert desk.check()[0] == 0
        desk.change(lambda document: document.update(keys))
        status, lines = desk.check()
    assert status == 12
    (line,) = lines
    assert "the token may not write (status 403: You do not have permission.)" in line
    before = read_rows(desk, rapid_pro)
    assert desk.check()[0] == 0
    assert read_rows(desk, rapid_pro) == before


def read_rows(desk, rapid_pro):
    """All that a write could change."""
    found = []
    for endpoint in ("contacts", "groups", "fields"):
        request = urllib.request.Request(
            f"{rapid_pro}/api/v2/{endpoint}.json", headers={"Authorization": f"Token {desk.token.read_text().strip()}"}
        )
        with urllib.request.urlopen(request) as response:
            found.append(response.read())
    return found
