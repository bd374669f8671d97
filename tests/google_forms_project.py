"""A small invented project that fetches from a server that speaks the Google Forms API."""

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engagement.services.retries import RetryPolicy
from engagement.stages import fetch_raw_data
from fake_google_forms import FakeGoogleForms, ServedForm, grid, question, response
from fetch_project import FetchProject

FORM = "1InventedFormOfTheFirstWeek"
PHONE, WATER, AGE, HEARD, RADIO, PICTURE = "5a1b0001", "5a1b0002", "5a1b0003", "5a1b0004", "5a1b0005", "5a1b0008"
COUNT = 60
NUMBER = "What is your phone number?"


def make_form() -> ServedForm:
    """The form, without responses."""
    return ServedForm(
        [
            question(PHONE, NUMBER),
            {"itemId": "break", "pageBreakItem": {}},
            question(WATER, "What about water?"),
            {"itemId": "text", "description": "no title here", "textItem": {}},
            question(AGE, "How old are you?"),
            question(HEARD, "How did you hear of us?", choiceQuestion={"type": "CHECKBOX"}),
            grid("How often?", **{RADIO: "Radio", "5a1b0006": "SMS"}),
            question(PICTURE, "Send a picture", fileUploadQuestion={"folderId": "1"}),
        ]
    )


def number_of(of: int) -> str:
    """The invented phone number of a listener."""
    return f"+25261500{of:04}"


def answered(
    number: int, of: int | None = None, edited: float | None = None, email: str | None = None, **answers: Any
) -> dict[str, Any]:
    """A response, by default of a listener with a number, to the questions about water and age."""
    told = {PHONE: number_of(number if of is None else of), WATER: f"biyo {number}", AGE: str(20 + number % 50)}
    return response(number, edited, email, **{**told, **answers})


class GoogleFormsProject(FetchProject):
    """The project; `source` is its Google Forms source."""

    def __init__(self, folder: Path, server: FakeGoogleForms):
        super().__init__(folder, "no-rapidpro.invalid")
        self.server = server
        self.form = server.forms.setdefault(FORM, make_form())
        (self.keys / "forms.json").write_text(json.dumps(server.key()))
        self.source = {
            "SourceType": "GoogleForms",
            "CredentialsFileURL": "gs://keys/forms.json",
            "SurveyFlowName": "forms_survey",
            "Forms": [
                {
                    "FlowName": "forms_s05",
                    "FormId": FORM,
                    "EpisodeQuestions": [{"Field": "S05", "Questions": ["What about water?"]}],
                }
            ],
            "SurveyQuestions": [
                {"Field": "Age", "Questions": ["How old are you?"]},
                {"Field": "Heard", "Questions": ["How did you hear of us?"]},
                {"Field": "Radio", "Questions": ["How often? [Radio]"]},
            ],
            "PhoneNumberQuestions": [NUMBER],
        }
        self.sources = [self.source]

    def texts(self, field: str = "S05", flow: str = "forms_s05") -> dict[str, str]:
        """The answers to a question, by response id."""
        return {
            record.values[f"run_id - {flow}"]: record.values[f"{field} (Text) - {flow}"]
            for record in self.read(flow)
            if f"{field} (Text) - {flow}" in record.values
        }

    def participants(self, flow: str = "forms_s05") -> dict[str, str]:
        """The participant of each response."""
        return {record.values[f"run_id - {flow}"]: record.values["avf_phone_id"] for record in self.read(flow)}


@contextlib.contextmanager
def serve_forms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogleForms]:
    """Serve forms, 25 responses a page, to a fetch that does not wait."""
    with FakeGoogleForms(page_size=25).running() as server:
        monkeypatch.setenv("FORMS_EMULATOR_HOST", server.address)
        monkeypatch.setattr(fetch_raw_data, "RetryPolicy", functools.partial(RetryPolicy, sleep=lambda _: None))
        yield server


def answered_project(folder: Path, server: FakeGoogleForms) -> GoogleFormsProject:
    """A project whose form has sixty responses."""
    project = GoogleFormsProject(folder, server)
    project.form.add(*(answered(number) for number in range(COUNT)))
    return project


def id_of(number: int) -> str:
    """The id of a response."""
    return str(response(number)["responseId"])


def raw_data(project: FetchProject) -> dict[str, bytes]:
    """What is in Raw Data, by the files' names."""
    return {path.name: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()}


def texts_of_disk(project: FetchProject) -> bytes:
    """All that is on the disk, but for the embedded services."""
    files = [path for path in project.folder.rglob("*") if path.is_file() and "embedded" not in path.parts]
    return b"".join(path.read_bytes() for path in files)
