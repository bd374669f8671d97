"""A small project with a source of every type, whose participants answer by all of them; each service is on this machine."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fake_facebook
import fake_kobo
import fake_rapidpro
from chain_project import ChainProject
from engagement.provenance import Metadata, encode_fresh_chain
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from example_project import EPISODE_FLOW, SURVEY_FLOW, make_coding_plans
from fake_facebook import PAGE, Page, comment, post
from fake_google_forms import FakeGoogleForms, ServedForm, question, response
from fake_kobo import ASSET, Kobo, submission
from fake_rapidpro import Workspace, contact, run
from telegram_exports import GROUP, message, write_export

PEOPLE = range(12)
# Who answers by every other way, too.
TALKATIVE = range(4)
FORM, PHONE, WATER, GENDER = "1InventedFormOfEveryDoor", "5a1b0001", "5a1b0002", "5a1b0003"
SHEET, FORMS, KOBO, BUCKET, LOST = "groups_s01e01", "forms_s01e01", "kobo_s01e01", "earlier_s01e01", "lost_s01e01"
COMMENTS, LISTENERS = "facebook_s01e01", "telegram_s01e01"
SELECTION = {"Name": "everybody", "TookPartIn": ["any"], "To": {"Group": "Advert", "Field": "advert"}}
_FLOW = EPISODE_FLOW.format(1)
_METADATA = Metadata("earlier", "2026-03-02T00:00:00+00:00", "earlier@example.org")


def digits(person: int) -> str:
    """A participant's phone number."""
    return f"2526160{person:05}"


def uid(person: int) -> str:
    """A participant's id, by their number."""
    return f"avf-phone-uuid-{uuid.uuid5(uuid.NAMESPACE_OID, digits(person))}"


def _workspace() -> Workspace:
    workspace = Workspace([_FLOW, SURVEY_FLOW])
    workspace.contacts += [contact(person, f"tel:+{digits(person)}") for person in PEOPLE]
    workspace.runs += [run(person, _FLOW, of=person, rqa_s01e01_raw=f"biyo {person}") for person in PEOPLE]
    workspace.runs += [run(500 + person, SURVEY_FLOW, of=person, gender="naag") for person in PEOPLE if person % 2]
    return workspace


class EverySourceProject(ChainProject):
    """The project in a folder."""

    def __init__(self, folder: Path, domain: str, kobo: str, facebook: str, forms: FakeGoogleForms):
        self._addresses = {"Domain": domain, "Kobo": kobo, "Facebook": facebook}
        super().__init__(folder, domain, Contacts=[SELECTION], WriteBack={"Contacts": ["everybody"]}, DriveUpload=None)
        keys = self.embedded / "storage" / "keys"
        (keys / "kobo.txt").write_text(f"{fake_kobo.TOKEN}\n")
        (keys / "facebook.txt").write_text(f"{fake_facebook.TOKEN}\n")
        (keys / "forms.json").write_text(json.dumps(forms.key()))
        numbers = {digits(person): uid(person) for person in PEOPLE}
        EmbeddedUuidTable(self.embedded, "EXAMPLE").import_mappings(numbers)
        self._write_files()
        document = json.loads(self.configuration.read_text())
        document["RawDataSources"] += self._sources()
        document["RapidProKeyRemappings"] += self._remappings()
        self.configure(**document)
        plans = self.configuration.with_name("coding_plans.json")
        plan = next(one for one in make_coding_plans()["DemographicCodingPlans"] if one["RawField"] == "operator_raw")
        coding_plans = json.loads(plans.read_text())
        coding_plans["DemographicCodingPlans"].append(plan)
        plans.write_text(json.dumps(coding_plans))

    def configure(self, **settings: Any) -> None:
        """Change the configuration."""
        document = json.loads(self.configuration.read_text()) if self.configuration.exists() else {}
        self.configuration.write_text(json.dumps({**document, **settings}))

    def link(self, *rows: tuple[str, ...]) -> None:
        """Let the ids of each row be one person."""
        lines = ["uid," + ",".join(f"uid_{number}" for number in range(2, 1 + max(map(len, rows))))]
        self.configuration.with_name("linked.csv").write_text("\n".join([*lines, *map(",".join, rows)]) + "\n")
        self.configure(LinkedParticipants=["linked.csv"])

    def uids_of(self, flow: str) -> list[str]:
        """The participants of a flow's raw data, in its order."""
        lines = (self.data_root / "Raw Data" / f"{flow}.jsonl").read_text().splitlines()
        return [json.loads(line)[-1]["Data"]["avf_phone_id"] for line in lines]

    def _write_files(self) -> None:
        files = self.embedded / "storage" / "files"
        files.mkdir()
        rows = [f"{uid(person)},0{person}/04/2026 10:00:00,buug {person}\n" for person in TALKATIVE if person]
        (files / f"{LOST}.csv").write_text("Sender,ReceivedOn,Message\n" + "".join(rows))
        (files / f"{SHEET}.csv").write_text(
            "uid,When,What,Gender\n"
            + "".join(f"{uid(person)},{20 + person}/03/2026 10:00,sheet {person},nin\n" for person in TALKATIVE)
        )
        lines = []
        for person in TALKATIVE:
            # The other pipeline knew nothing of operators.
            keys = {"Text": f"hore {person}", "Time": f"2026-03-04T10:0{person}:00+03:00", "Run ID": 70 + person}
            data = {"avf_phone_id": uid(person)} | {
                f"Answer ({part}) - {BUCKET}": value for part, value in keys.items()
            }
            lines.append(encode_fresh_chain([(data, _METADATA)]) + "\n")
        (files / f"{BUCKET}.jsonl").write_text("".join(lines))
        write_export(self.folder / "exports" / "result.json", *(message(n, f"koox {n}", of=n) for n in TALKATIVE if n))

    def _sources(self) -> list[dict[str, Any]]:
        return [
            {"SourceType": "GCloudBucket", "ActivationFlowURLs": [f"gs://files/{BUCKET}.jsonl"]},
            {"SourceType": "RecoveryCSV", "ActivationFlowURLs": [f"gs://files/{LOST}.csv"]},
            {
                "SourceType": "Spreadsheet",
                "SurveyFlowName": "groups_survey",
                "Tables": [
                    {
                        "FlowName": SHEET,
                        "URLs": [f"gs://files/{SHEET}.csv"],
                        "ParticipantColumn": "uid",
                        "TimeColumns": ["When"],
                        "TimeZone": "Africa/Mogadishu",
                        "EpisodeQuestions": [{"Field": "Answer", "Column": "What"}],
                    }
                ],
                "SurveyQuestions": [{"Field": "Gender", "Column": "Gender"}],
            },
            {
                "SourceType": "KoboToolbox",
                "Server": self._addresses["Kobo"],
                "TokenFileURL": "gs://keys/kobo.txt",
                "Country": "SO",
                "SurveyFlowName": "kobo_survey",
                "Forms": [
                    {
                        "FlowName": KOBO,
                        "Asset": ASSET,
                        "EpisodeQuestions": [{"Field": "Answer", "Keys": ["show/s05"]}],
                    }
                ],
                "SurveyQuestions": [{"Field": "Gender", "Keys": ["about/gender"]}],
                "PhoneNumberKeys": ["about/phone"],
            },
            {
                "SourceType": "GoogleForms",
                "CredentialsFileURL": "gs://keys/forms.json",
                "SurveyFlowName": "forms_survey",
                "Forms": [
                    {
                        "FlowName": FORMS,
                        "FormId": FORM,
                        "EpisodeQuestions": [{"Field": "Answer", "QuestionIds": [WATER]}],
                    }
                ],
                "SurveyQuestions": [{"Field": "Gender", "QuestionIds": [GENDER]}],
                "PhoneNumberQuestions": ["Your number?"],
            },
            {
                "SourceType": "FacebookComments",
                "TokenFileURL": "gs://keys/facebook.txt",
                "Posts": [{"FlowName": COMMENTS, "PostIDs": [f"{PAGE}_5001"]}],
                "OpenDays": 3000,
                "Server": self._addresses["Facebook"],
            },
            {
                "SourceType": "TelegramGroup",
                "FlowName": LISTENERS,
                "GroupID": GROUP,
                "ExportURLs": [(self.folder / "exports").as_uri()],
            },
        ]

    def _remappings(self) -> list[dict[str, Any]]:
        fields = {COMMENTS: "Comment", LISTENERS: "Message"}
        remappings: list[dict[str, Any]] = []
        for flow in (BUCKET, SHEET, KOBO, FORMS, COMMENTS, LISTENERS):
            category = fields.get(flow, "Answer")
            remappings += _remap(*(f"{category} ({part}) - {flow}" for part in ("Text", "Time", "Run ID")))
        remappings += _remap("message", "received_on", "run_id")
        for flow in ("groups_survey", "kobo_survey", "forms_survey"):
            for part, name in (("Text", "raw"), ("Time", "time")):
                remappings.append({"RapidProKey": f"Gender ({part}) - {flow}", "PipelineKey": f"gender_{name}"})
        return remappings


def _remap(text: str, time: str, run_id: str) -> list[dict[str, Any]]:
    return [
        {"RapidProKey": text, "PipelineKey": "rqa_s01e01_raw", "IsActivationMessage": True},
        {"RapidProKey": time, "PipelineKey": "sent_on"},
        {"RapidProKey": run_id, "PipelineKey": "rqa_s01e01_run_id"},
    ]


@contextlib.contextmanager
def serve_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EverySourceProject]:
    """Serve what everybody answered; gives the project that fetches it."""
    kobo = Kobo(
        {
            ASSET: [
                submission(person, {"about/phone": digits(person), "show/s05": f"foom {person}"})
                for person in TALKATIVE
                if person
            ]
        }
    )
    page = Page([post(1)], [comment(person, f"faallo {person}", of=f"2400000000{person}") for person in TALKATIVE])
    form = ServedForm([question(PHONE, "Your number?"), question(WATER, "Water?"), question(GENDER, "Gender?")])
    form.add(
        *(
            response(person, **{PHONE: f"+{digits(person)}", WATER: f"su'aal {person}", GENDER: "woman"})
            for person in TALKATIVE
        )
    )
    with contextlib.ExitStack() as stack:
        forms = stack.enter_context(FakeGoogleForms({FORM: form}).running())
        monkeypatch.setenv("FORMS_EMULATOR_HOST", forms.address)
        addresses = (
            stack.enter_context(fake_rapidpro.serve(_workspace())),
            stack.enter_context(fake_kobo.serve(kobo)),
            stack.enter_context(fake_facebook.serve(page)),
        )
        yield EverySourceProject(folder, *addresses, forms)
