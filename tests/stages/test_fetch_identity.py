"""Who contacts are, end to end: whose workspace, which uuid table, and what data roots of earlier versions hold."""

import json
import re
import shutil

import pytest

import fake_rapidpro
from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from fake_rapidpro import Workspace, contact, once, run
from fetch_project import warnings_of

OTHER = "7b0e2a44-9d1c-4f3a-a6c5-2e8f1d0b9a73"


@pytest.fixture
def workspace():
    """One episode with a run of each of four contacts."""
    contacts = [contact(number) for number in range(1, 5)]
    return Workspace(["s01e01", "s01e02", "demog"], contacts, [answer(number) for number in range(1, 5)])


def answer(number, of=None, flow="s01e01"):
    return run(number, flow, of=of or number, answer=f"haa {number}")


def uids(project, flow="s01e01"):
    return {record.values[f"run_id - {flow}"] - 9000: record.values["avf_phone_id"] for record in project.read(flow)}


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def contacts_file(project, workspace=fake_rapidpro.WORKSPACE):
    return project.data_root / "Contacts" / f"{workspace}.jsonl"


def forget_state(project):
    shutil.rmtree(project.data_root / "State")


class TestUrns:
    @pytest.mark.parametrize("urns", [["tel:"], [""], ["+252615001001"], ["tel:********"], ["whatsapp:", "252:1"]])
    def test_contacts_whose_urns_identify_nobody_are_left_out_and_counted_and_not_shown(
        self, project, workspace, caplog, urns
    ):
        workspace.contacts[0]["urns"] = workspace.contacts[1]["urns"] = urns
        project.fetch()
        assert set(uids(project)) == {3, 4}
        (warning,) = [text for text in warnings_of(caplog) if "identify nobody" in text]
        assert warning.startswith(
            f"RapidPro {project.source['Domain']}: 2 contacts with only URNs that identify nobody"
        )
        assert "252615001001" not in caplog.text
        assert not [path for path, content in contents(project.data_root).items() if b"252615001001" in content]

    def test_a_contact_that_gets_a_usable_urn_comes_in_with_its_runs(self, project, workspace):
        workspace.contacts[0]["urns"] = ["tel:"]
        project.fetch()
        workspace.contacts[0] = contact(1, modified=100)
        project.fetch()
        assert set(uids(project)) == {1, 2, 3, 4}

    def test_ids_of_whatsapp_and_names_of_senders_are_participants_of_their_own(self, project, workspace):
        workspace.contacts = [
            contact(1, "whatsapp:KE.A1b2c4"),
            contact(2, "whatsapp:KE.a1B2c4"),
            contact(3, "tel:mtn124"),
            contact(4, "tel:124"),
        ]
        project.fetch()
        assert len(set(uids(project).values())) == 4

    def test_a_national_number_is_the_international_one_where_the_workspace_tells_its_country(self, project, workspace):
        workspace.contacts[1]["urns"] = ["tel:0615000001"]
        project.fetch()
        found = uids(project)
        assert found[1] == found[2]
        assert project.read("s01e01")[1].values["operator_raw"] == "25261"


class TestChangedNumbers:
    def change_hands(self, workspace):
        workspace.contacts[0] = contact(1, "tel:+252615009999", modified=200)
        workspace.contacts.append({**contact(5), "urns": ["tel:+252615000001"]})
        workspace.runs += [answer(50, of=1), answer(60, of=5)]

    def test_owner_and_heir_of_a_number_are_two_with_and_without_state(self, project, workspace):
        project.fetch()
        before = uids(project)
        self.change_hands(workspace)
        project.fetch()
        after = uids(project)
        assert after[1] == after[50] == before[1] != after[60]
        assert len(set(after.values())) == 5
        forget_state(project)
        project.fetch()
        assert uids(project) == after

    def test_who_was_deleted_and_made_again_stays_one_participant(self, project, workspace):
        project.fetch()
        before = uids(project)
        del workspace.contacts[0]
        workspace.contacts.append({**contact(5), "urns": ["tel:+252615000001"]})
        workspace.runs.append(answer(60, of=5))
        project.fetch()
        assert uids(project) == before | {60: before[1]}

    def test_the_contacts_file_outlives_the_uuid_tables_view_of_numbers(self, project, workspace):
        """No number is in it."""
        project.fetch()
        lines = contacts_file(project).read_text().splitlines()
        assert [json.loads(line)["contact"] for line in lines] == [f"contact-{number}" for number in range(1, 5)]
        assert "25261500" not in contacts_file(project).read_text()

    def test_nothing_new_leaves_the_file_alone(self, project):
        project.fetch()
        stamp = contacts_file(project).stat().st_mtime_ns
        project.fetch()
        assert contacts_file(project).stat().st_mtime_ns == stamp

    def test_a_server_that_tells_no_uuid_has_its_contacts_under_their_configured_name(self, project, workspace):
        told = workspace.workspace
        workspace.workspace = {"name": "Old"}
        project.fetch()
        before = uids(project)
        unnamed = contacts_file(project, "project_contacts")
        assert len(unnamed.read_text().splitlines()) == 4
        workspace.workspace = told
        self.change_hands(workspace)
        project.fetch()
        assert not unnamed.exists()
        assert len(contacts_file(project).read_text().splitlines()) == 5
        assert uids(project)[1] == before[1] != uids(project)[60]


class TestAnonymousWorkspaces:
    @pytest.fixture(autouse=True)
    def hide(self, workspace):
        self.was = [row["urns"] for row in workspace.contacts]
        self.set(workspace, True)

    def set(self, workspace, anon):
        workspace.workspace["anon"] = anon
        for row, urns in zip(workspace.contacts, self.was, strict=False):
            row["urns"] = ["tel:********"] if anon else urns

    def test_one_is_refused_before_anything_is_fetched(self, project, workspace):
        with pytest.raises(ConfigurationError, match=r"'Invented' is anonymous: .* add \"Identity\": \"contact\""):
            project.fetch()
        assert not project.data_root.exists()
        assert not [request for request in workspace.requests if "contacts" in request or "runs" in request]

    def test_each_contact_is_a_participant_where_the_source_says_so(self, project, workspace, caplog):
        project.source["Identity"] = "contact"
        project.fetch()
        found = uids(project)
        assert len(set(found.values())) == 4
        first = project.read("s01e01")[0].values
        assert (first["urn_type"], first["operator_raw"]) == ("tel", "tel")
        assert first["operator_coded"]["CodeID"] == "operator-NC"
        assert "4 runs of operators without a code, kept as not coded: tel (4)" in caplog.text
        forget_state(project)
        contacts_file(project).unlink()
        project.fetch()
        assert uids(project) == found

    def test_who_was_met_before_stays_who_they_are(self, project, workspace):
        self.set(workspace, False)
        project.fetch()
        before = uids(project)
        self.set(workspace, True)
        workspace.contacts += [{**contact(number), "urns": ["tel:********"]} for number in (5, 6)]
        workspace.runs += [answer(5), answer(6), answer(50, of=1)]
        with pytest.raises(ConfigurationError, match="anonymous"):
            project.fetch()
        assert uids(project) == before
        project.source["Identity"] = "contact"
        project.fetch()
        assert uids(project).items() >= before.items()
        assert uids(project)[50] == before[1]
        assert len(set(uids(project).values())) == 6


class TestOtherWorkspaces:
    def move(self, workspace):
        workspace.workspace |= {"uuid": OTHER, "name": "Another"}
        workspace.contacts = [{**row, "uuid": f"other {row['uuid']}"} for row in workspace.contacts]
        workspace.runs = [
            {**row, "uuid": f"other {row['uuid']}", "contact": {"uuid": f"other {row['contact']['uuid']}"}}
            for row in workspace.runs
        ]
        workspace.flows = [
            {"uuid": f"other {name}", "name": name, "archived": False} for name in ("s01e01", "s01e02", "demog")
        ]
        for row in workspace.runs:
            row["flow"] = {"uuid": f"other {row['flow']['name']}", "name": row["flow"]["name"]}

    @pytest.mark.parametrize("keeps_state", [True, False])
    def test_another_ones_token_is_refused_and_nothing_changes(self, project, workspace, keeps_state):
        project.fetch()
        if not keeps_state:
            forget_state(project)
        before = contents(project.data_root)
        self.move(workspace)
        with pytest.raises(ConfigurationError, match=rf"token is of workspace {OTHER} \('Another'\)") as refused:
            project.fetch()
        assert fake_rapidpro.TOKEN not in str(refused.value)
        assert "--accept-workspace" in str(refused.value)
        kept = {path: content for path, content in contents(project.data_root).items() if "State" not in path.parts}
        assert kept == {path: content for path, content in before.items() if "State" not in path.parts}

    def test_the_right_token_goes_on_as_if_nothing_had_been(self, project, workspace):
        project.fetch()
        before, rows = uids(project), (workspace.contacts, workspace.runs, workspace.flows, dict(workspace.workspace))
        self.move(workspace)
        with pytest.raises(ConfigurationError):
            project.fetch()
        workspace.contacts, workspace.runs, workspace.flows, workspace.workspace = rows
        workspace.runs.append(answer(50, of=1))
        project.fetch()
        assert uids(project) == before | {50: before[1]}

    def test_whoever_did_move_begins_anew_and_everybody_stays_who_they_are(self, project, workspace):
        project.fetch()
        before = uids(project)
        old = contacts_file(project).read_bytes()
        self.move(workspace)
        project.fetch("--accept-workspace")
        assert uids(project) == before
        assert contacts_file(project).read_bytes() == old
        assert len(contacts_file(project, OTHER).read_text().splitlines()) == 4
        project.fetch()
        assert uids(project) == before

    def test_it_still_may_not_bring_much_less(self, project, workspace):
        project.fetch()
        self.move(workspace)
        del workspace.runs[1:]
        with pytest.raises(ServiceError, match="far fewer runs"):
            project.fetch("--accept-workspace")
        assert len(uids(project)) == 4


class TestFlowsOfOneName:
    @pytest.fixture(autouse=True)
    def second(self, workspace):
        workspace.flows.append({"uuid": "uuid of the second", "name": "s01e01", "archived": False})
        second = answer(90, of=2)
        second["flow"] = {"uuid": "uuid of the second", "name": "s01e01"}
        workspace.runs.append(second)

    def test_two_active_ones_are_refused_with_both_uuids(self, project, workspace):
        with pytest.raises(ConfigurationError) as refused:
            project.fetch()
        text = str(refused.value)
        assert "2 flows are called 's01e01': uuid of s01e01 and uuid of the second; expected one." in text
        assert '{"Name": "s01e01", "UUID": "uuid of s01e01"}' in text
        assert "ActivationFlowNames[0]" in text
        assert not project.file("s01e01").exists()

    def test_two_archived_ones_are_refused_too(self, project, workspace):
        workspace.flows = [
            {"uuid": uuid, "name": "s01e01", "archived": True} for uuid in ("uuid of s01e01", "uuid of the second")
        ] + ["s01e02", "demog"]
        with pytest.raises(ConfigurationError, match="2 flows are called"):
            project.fetch()

    def test_one_that_is_not_archived_counts(self, project, workspace):
        workspace.flows[-1]["archived"] = True
        project.fetch()
        assert set(uids(project)) == {1, 2, 3, 4}

    def test_a_flow_is_chosen_by_its_uuid(self, project):
        project.source["ActivationFlowNames"][0] = {"Name": "s01e01", "UUID": "uuid of the second"}
        project.fetch()
        assert set(uids(project)) == {90}

    def test_both_come_under_two_names(self, project):
        project.source["ActivationFlowNames"] = [
            {"Name": "s01e01", "UUID": "uuid of s01e01"},
            {"Name": "s01e01 again", "UUID": "uuid of the second"},
            "s01e02",
        ]
        project.fetch()
        assert set(uids(project)) == {1, 2, 3, 4}
        assert set(uids(project, "s01e01 again")) == {90}

    def test_a_uuid_that_no_flow_has_is_told_with_those_of_the_name(self, project):
        project.source["ActivationFlowNames"][0] = {"Name": "s01e01", "UUID": "mistyped"}
        found = r"no flow has the uuid 'mistyped'; those called 's01e01': uuid of s01e01, uuid of the second"
        with pytest.raises(ConfigurationError, match=re.escape(found)):
            project.fetch()

    def test_one_flow_is_not_taken_twice(self, project, workspace):
        del workspace.flows[-1]
        project.source["ActivationFlowNames"] = ["s01e01", {"Name": "again", "UUID": "uuid of s01e01"}]
        with pytest.raises(ConfigurationError, match=r"uuid of s01e01 is already at ActivationFlowNames\[0\]"):
            project.fetch()


class TestUuidTables:
    def lose_table(self, project):
        (project.folder / "embedded" / "uuid_tables.sqlite").unlink()
        (project.folder / "embedded" / "uuid_tables.key").unlink()

    def test_a_table_that_was_forgotten_is_refused_before_anything_is_fetched(self, project, workspace):
        project.fetch()
        before = contents(project.data_root)
        asked = len(workspace.requests)
        self.lose_table(project)
        with pytest.raises(ConfigurationError, match="knows none of 4 participants .* Nothing was fetched") as refused:
            project.fetch()
        assert "--accept-new-uuid-table" in str(refused.value)
        assert contents(project.data_root) == before
        assert len(workspace.requests) == asked
        # No new key that the old table would meet when it comes back.
        assert not (project.folder / "embedded" / "uuid_tables.key").exists()

    @pytest.mark.parametrize("folder", ["Contacts", "Raw Data"])
    def test_either_folder_tells_whom_the_project_knows(self, project, folder):
        project.fetch()
        shutil.rmtree(project.data_root / folder)
        self.lose_table(project)
        with pytest.raises(ConfigurationError, match="knows none of 4 participants"):
            project.fetch()

    def test_the_table_of_another_project_is_refused(self, project):
        project.fetch()
        self.lose_table(project)
        EmbeddedUuidTable(project.folder / "embedded", "PROJECT").uuids_for(["252615000077"])
        with pytest.raises(ConfigurationError, match="knows none of 4 participants"):
            project.fetch()

    def test_a_first_fetch_needs_no_table(self, project):
        project.fetch()
        assert len(uids(project)) == 4

    def test_whoever_means_it_goes_on_and_need_not_say_so_again(self, project, workspace):
        project.fetch()
        before = uids(project)
        self.lose_table(project)
        project.fetch("--accept-new-uuid-table")
        project.fetch()
        assert uids(project) == before
        workspace.contacts.append(contact(5))
        workspace.runs.append(answer(5))
        project.fetch()
        assert uids(project).items() > before.items()
        self.lose_table(project)
        shutil.rmtree(project.data_root / "State")
        with pytest.raises(ConfigurationError, match="knows none of 5"):
            project.fetch()


def test_a_contact_that_the_server_loses_while_it_is_asked_for_is_no_traceback(project, workspace):
    project.fetch()
    workspace.contacts.append({**contact(5), "urns": ["tel:+252615000001"]})
    workspace.trouble.append(once("contacts", lambda request: request.reply(403, b"{}"), skip=1))
    with pytest.raises(ServiceError, match="the token was refused"):
        project.fetch()
    project.fetch()
    assert len(contacts_file(project).read_text().splitlines()) == 5
