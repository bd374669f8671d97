"""The first fetch of a project, end to end: what is written, what is refused, what stays secret."""

import contextlib
import json
import logging
import sqlite3

import pytest

import fake_rapidpro
from engagement.foundation.errors import ConfigurationError, ServiceError
from fake_rapidpro import at, contact, once, run
from fetch_project import give_uuid, warnings_of


class TestFirstFetch:
    def test_every_run_of_a_known_contact_is_written_once(self, project):
        project.fetch()
        assert project.run_ids("s01e01") == [9000 + number for number in range(1, 11)]
        assert project.run_ids("demog") == [9030, 9031]

    def test_a_run_has_the_keys_of_the_raw_data_format(self, project, workspace):
        project.source["TestContactUUIDs"] = [give_uuid(workspace, 1)]
        project.fetch()
        survey = project.read("demog")[0].values
        participant = survey.pop("avf_phone_id")
        assert participant.startswith("avf-phone-uuid-")
        assert survey == {
            "urn_type": "tel",
            "test_run": True,
            "run_id - demog": 9030,
            "run_created_on - demog": "2026-03-01T09:30:00.123456+00:00",
            "run_modified_on - demog": "2026-03-01T09:30:00.123456+00:00",
            "run_exited_on - demog": None,
            "run_exit_type - demog": None,
            **{
                f"{category} ({part}) - demog": value
                for category, text, name in (("Gender", "nin", "gender"), ("Age", "32", "age"))
                for part, value in {
                    "Category": "Has Text",
                    "Value": text,
                    "Text": text,
                    "Name": name,
                    "Time": "2026-03-01T09:30:00.123456+00:00",
                    "Run ID": 9030,
                }.items()
            },
        }
        assert project.read("s01e01")[0].values["avf_phone_id"] == participant

    def test_activation_runs_are_labelled_with_their_operator(self, project):
        project.fetch()
        first, *_, telegram = project.read("s01e01")
        assert (first.values["operator_raw"], telegram.values["operator_raw"]) == ("25261", "telegram")
        assert first.values["operator_coded"] == {
            "Checked": False,
            "CodeID": "operator-hormud",
            "DateTimeUTC": "2026-03-01T09:01:00.123456+00:00",
            "Origin": {
                "Name": "Pipeline Auto-Coder",
                "OriginID": "engagement.cleaning.operators",
                "OriginType": "External",
            },
            "SchemeID": "Scheme-operator",
        }
        assert telegram.values["operator_coded"]["CodeID"] == "operator-telegram"
        assert "operator_raw" not in project.read("demog")[0].values

    def test_operators_without_a_code_are_counted_in_one_warning(self, project, workspace, caplog):
        workspace.contacts[0]["urns"] = ["tel:+252680000001"]  # somnet: the scheme lacks it
        workspace.contacts[1]["urns"] = ["tel:+447700900001"]  # of no operator that is listed
        project.fetch()
        found = [record.values["operator_coded"]["CodeID"] for record in project.read("s01e01")[:2]]
        assert found == ["operator-NC", "operator-NC"]
        assert [text for text in warnings_of(caplog) if "Operator scheme" in text] == [
            "Operator scheme 'operator': 3 runs of operators without a code, kept as not coded: 25268 (2), 44770 (1)"
        ]

    def test_runs_are_in_order_of_modification_then_uuid(self, project, workspace):
        for row, minutes in zip(workspace.runs, (50, 40, 40, 45), strict=False):
            row["modified_on"] = at(minutes)
        project.fetch()
        assert project.run_ids("s01e01")[-4:] == [9002, 9003, 9004, 9001]

    def test_all_updates_of_one_run_of_the_stage_have_one_timestamp(self, project):
        project.fetch()
        lines = [line for flow in ("s01e01", "demog") for line in project.file(flow).read_text().splitlines()]
        metadata = [json.dumps(update["Metadata"]) for line in lines for update in json.loads(line)]
        assert len(set(metadata)) == 1
        assert json.loads(metadata[0])["Source"] == "engagement.sources.rapidpro"
        assert json.loads(metadata[0])["User"] == "tester@example.org"

    def test_a_flow_without_runs_is_an_empty_file(self, project):
        project.source["SurveyFlowNames"] = ["demog", "other"]
        project.fetch()
        assert project.file("other").read_bytes() == b""

    def test_flows_are_listed_once_and_messages_never(self, project, workspace):
        project.fetch()
        assert len([request for request in workspace.requests if "flows.json" in request]) == 1
        assert not [request for request in workspace.requests if "messages" in request]

    def test_only_what_was_asked_for_is_fetched(self, project):
        project.fetch()
        assert sorted(path.name for path in (project.data_root / "Raw Data").iterdir()) == [
            "demog.jsonl",
            "manifest.json",
            "s01e01.jsonl",
            "s01e02.jsonl",
        ]

    def test_whole_texts_come_from_the_input_where_it_is_sent(self, project, workspace):
        workspace.runs = [run(1, "demog", of=1, age="32"), run(2, "demog", of=2, age="33")]
        workspace.runs[0]["values"]["age"]["input"] = "waxaan ahay 32 jir"
        del workspace.runs[1]["values"]["age"]["input"], workspace.runs[1]["id"]
        project.fetch()
        first, second = project.read("demog")
        assert (first.values["Age (Value) - demog"], first.values["Age (Text) - demog"]) == ("32", "waxaan ahay 32 jir")
        assert second.values["Age (Text) - demog"] == "33"
        assert second.values["run_id - demog"] == "run-0002"


class TestArchives:
    def test_archived_and_live_runs_are_merged_and_the_newest_counts(self, project, workspace):
        old = run(1, "s01e01", of=1, answer="hore")
        newer = run(3, "s01e01", of=3, modified=90, answer="cusub")
        only_archived = run(50, "demog", of=5, gender="naag")
        workspace.archives = {"2026-02-01": [old, newer, only_archived, run(60, "other", of=1)]}
        workspace.runs[0]["modified_on"] = at(80)
        project.fetch()
        texts = {record.values["run_id - s01e01"]: record.values for record in project.read("s01e01")}
        assert texts[9001]["Answer (Text) - s01e01"] == "haa 1"
        assert texts[9003]["Answer (Text) - s01e01"] == "cusub"
        assert len(texts) == 10
        assert 9050 in project.run_ids("demog")

    def test_an_archive_is_read_once_and_new_ones_are_found(self, project, workspace):
        workspace.archives = {"2026-01-01": [run(50, "demog", of=5, gender="naag")]}
        project.fetch()
        workspace.archives["2026-02-01"] = [run(51, "demog", of=6, gender="nin")]
        project.fetch()
        assert [request for request in workspace.requests if request.startswith("/archives/")] == [
            "/archives/2026-01-01",
            "/archives/2026-02-01",
        ]
        assert {9050, 9051} <= set(project.run_ids("demog"))

    def test_a_flow_that_is_added_later_is_read_from_the_archives_too(self, project, workspace):
        workspace.archives = {"2026-01-01": [run(60, "other", of=1, late="haa")]}
        project.fetch()
        project.source["SurveyFlowNames"].append("other")
        project.fetch()
        assert project.run_ids("other") == [9060]

    def test_nothing_of_a_damaged_archive_is_kept_or_counted(self, project, workspace, caplog):
        workspace.archives = {"2026-01-01": [run(number, "demog", of=5, gender="naag") for number in range(100, 900)]}
        damaged = bytearray(fake_rapidpro.pack(workspace.archives["2026-01-01"]))
        damaged[-5] ^= 0xFF  # in the last bytes: all runs can be read before it shows
        workspace.trouble += [once("/archives/", lambda request: request.reply(200, bytes(damaged))) for _ in range(3)]
        project.fetch()
        (warning,) = [text for text in warnings_of(caplog) if "Archives" in text]
        assert "archive 2026-01-01 (monthly): its md5 is" in warning
        assert project.run_ids("demog") == [9030, 9031]
        (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
        with contextlib.closing(sqlite3.connect(state)) as connection:
            assert connection.execute("SELECT count(*) FROM runs").fetchone() == (13,)
        caplog.clear()
        workspace.trouble.append(once("/archives/", lambda request: request.reply(200, bytes(damaged))))
        with caplog.at_level(logging.INFO):
            project.fetch()
        assert len(project.run_ids("demog")) == 802
        assert "Flow 'demog': 802 runs held: 800 new, 0 changed, 2 came again as they were; 0 left out" in caplog.text


class TestRefusals:
    def test_unknown_flows_are_named_together_with_the_nearest(self, project):
        project.source["ActivationFlowNames"] = ["s01e01", "s01e09"]
        project.source["SurveyFlowNames"] = ["demgo"]
        with pytest.raises(ConfigurationError) as refused:
            project.fetch()
        text = str(refused.value)
        assert "2 problem(s)" in text
        assert "no flow named 's01e09'; nearest: 's01e0" in text
        assert "'demog'" in text
        assert "SurveyFlowNames[0]" in text

    def test_a_wrong_token_is_refused_and_not_shown(self, project, caplog):
        (project.keys / "token.txt").write_text("not-the-token-77")
        with pytest.raises(ServiceError, match="token was refused") as refused:
            project.fetch()
        assert "not-the-token-77" not in str(refused.value) + caplog.text


class TestPrivacy:
    def test_no_number_name_or_token_is_anywhere_under_the_data_root_or_in_the_logs(self, project, workspace, caplog):
        """1,000 known numbers, contacts that are known, unknown and without URN, archives, and a failure on the way."""
        numbers = [f"2526{position % 9 + 1}{7_000_000 + 37 * position}" for position in range(1000)]
        workspace.page_size = 100
        workspace.contacts = [contact(n, f"tel:+{number}", f"whatsapp:{number}") for n, number in enumerate(numbers)]
        workspace.contacts += [contact(5000, "telegram:88112233#Zzyzx"), {**contact(5001), "urns": []}]
        workspace.runs = [run(n, "s01e01", of=n, answer="haa") for n in range(500)]
        workspace.runs += [
            run(600, "s01e01", of=5000, answer="x"),
            run(601, "s01e01", of=5001),
            run(602, "s01e01", of=7777),
        ]
        for row in workspace.runs + (archived := [run(n, "demog", of=n, gender="naag") for n in range(500, 1000)]):
            number = int(row["contact"]["uuid"].split("-")[1])
            row["contact"]["urn"] = f"tel:+{numbers[number]}" if number < 1000 else "telegram:88112233#Zzyzx"
        workspace.archives = {"2026-01-01": archived}
        workspace.trouble.append(once("runs.json", lambda request: request.reply(400, b"{}"), skip=3))
        with caplog.at_level(logging.DEBUG):
            with pytest.raises(ServiceError):
                project.fetch()
            self.search(project, numbers, caplog.text)
            project.fetch()
        assert len(project.run_ids("demog")) == 500
        self.search(project, numbers, caplog.text)

    def search(self, project, numbers, logs):
        content = {path: path.read_bytes() for path in project.data_root.rglob("*") if path.is_file()}
        assert content
        secrets = [*numbers, "88112233", "Zzyzx", fake_rapidpro.TOKEN]
        found = [path.name for path, data in content.items() if any(secret.encode() in data for secret in secrets)]
        assert not found
        assert not [secret for secret in secrets if secret in logs]
