"""Suggestions for messages that Coda has, while people label there: nothing of theirs is lost or overwritten."""

import random
import threading
import time
import uuid
from datetime import UTC, datetime

import pytest
from google.cloud import firestore

from coda_examples import WS_SCHEME, code_scheme, label, make_credentials, make_project, message, read, run_stage, write
from engagement.services.coda.embedded import FolderCoda
from engagement.services.coda.firestore import FirestoreCoda
from engagement.services.credentials import GoogleCredentials

MESSAGES = 120
A_LABEL_EVERY = 0.05


def suggestion(code="code-water", version="1", **more):
    origin = {"OriginID": f"suggestion:{version}", "Name": "Pipeline Suggestions", "OriginType": "External"}
    return {**label(code, checked=False), "Origin": origin, "Confidence": 0.95, **more}


def proposal():
    origin = {"OriginID": "somali.gender", "Name": "Pipeline Auto-Coder", "OriginType": "External"}
    return {**label("code-health", checked=False), "Origin": origin}


def taken_off():
    return {**label("SPECIAL-MANUALLY_UNCODED", checked=False)}


class Embedded:
    def __init__(self, directory):
        self.credentials = make_credentials(directory, "embedded")
        self.coda = FolderCoda(directory / "embedded")

    def add_label(self, number, new):
        """As Coda's page does: what is shown, with one label more."""
        [shown] = [one for one in read_all(self.coda) if one["MessageID"] == message(number)["MessageID"]]
        self.coda.save_labels("show", [{**shown, "Labels": [new, *shown["Labels"]]}])


class Emulator:
    def __init__(self, directory):
        project = f"t-{uuid.uuid4().hex[:12]}"
        self.credentials = write(directory / "key.json", {"type": "service_account", "project_id": project})
        self.coda = FirestoreCoda(GoogleCredentials(project, {"project_id": project}))
        self._client = firestore.Client(project=project)

    def add_label(self, number, new):
        found = self._client.document("datasets", "show", "messages", message(number)["MessageID"])
        shown = found.get().to_dict()
        found.set({**shown, "Labels": [new, *shown["Labels"]], "LastUpdated": firestore.SERVER_TIMESTAMP})


def read_all(coda):
    return coda.read_messages("show")


class Project:
    def __init__(self, directory, kind, **more):
        self.kind = kind
        self.coda = kind.coda
        self.data_root = directory / "data root"
        configuration = make_project(directory / "configuration", **more)
        self.arguments = ["--credentials", kind.credentials, "--data-root", self.data_root]
        self.arguments += ["--pipeline-configuration", configuration]
        self.coda.create_dataset("show", ["coder@example.org"], [code_scheme("Scheme-theme", "show"), WS_SCHEME])

    def put(self, labels_in_coda, suggested):
        """Put messages into Coda, download them, and let stage 3 have suggested these labels."""
        self.coda.add_messages("show", [message(number, labels) for number, labels in enumerate(labels_in_coda)])
        run_stage("coda_get", *self.arguments)
        self.suggest(suggested)

    def suggest(self, suggested):
        messages = [message(number, labels) for number, labels in enumerate(suggested)]
        write(self.data_root / "Outputs" / "Coda Files" / "show.json", messages)

    def tell_results(self):
        write(self.data_root / "Outputs" / "Suggestions" / "show.json", {"dataset": "show", "schemes": []})

    def add(self):
        run_stage("coda_add", *self.arguments)

    def labels(self):
        by_id = {found["MessageID"]: found["Labels"] for found in read_all(self.coda)}
        return [by_id[message(number)["MessageID"]] for number in range(len(by_id))]


@pytest.fixture(params=["embedded", "firestore"])
def make(request, tmp_path, monkeypatch):
    def make(**more):
        if request.param == "embedded":
            return Project(tmp_path, Embedded(tmp_path), **more)
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_emulator"))
        return Project(tmp_path, Emulator(tmp_path), **more)

    return make


def forget_the_night(project):
    for path in (project.data_root / "State" / "coda").rglob("*.suggestions.json"):
        path.unlink()


def test_only_messages_that_nobody_touched_get_a_suggestion(make):
    project = make(UpdateSuggestions=True)
    in_coda = [
        [],
        [suggestion("code-health")],
        [label("code-health")],
        [taken_off()],
        [proposal()],
        [label("code-health"), suggestion("code-water")],
        [suggestion("code-health", Checked=True)],
        [suggestion("code-water", Confidence=0.91)],
        [],
    ]
    project.put(in_coda, [[suggestion()]] * 8 + [[]])
    project.add()
    # A confidence that changed is not worth a write.
    assert project.labels() == [[suggestion()], [suggestion()], *in_coda[2:]]


def test_suggestions_that_are_made_no_more_are_taken_back_where_nobody_touched_them(make):
    project = make(UpdateSuggestions=True)
    in_coda = [
        [suggestion()],
        [],
        [suggestion(Checked=True)],
        [label("code-health"), suggestion()],
        [taken_off(), suggestion()],
        [proposal(), suggestion()],
        [suggestion("code-health")],
        [suggestion("code-health")],
    ]
    project.put(in_coda, [[]] * 6 + [[suggestion()], [proposal()]])
    project.tell_results()
    # One that a coder takes up after the download.
    project.kind.add_label(0, label("code-health"))
    project.add()
    assert project.labels() == [[label("code-health"), suggestion()], *in_coda[1:6], [suggestion()], []]


def test_before_stage_3_judged_a_dataset_nothing_is_taken_back(make):
    project = make(UpdateSuggestions=True)
    project.put([[suggestion()], []], [[], [suggestion()]])
    project.add()
    assert project.labels() == [[suggestion()], [suggestion()]]


def test_without_the_key_nothing_that_coda_has_changes(make):
    project = make()
    project.put([[], [suggestion("code-health")]], [[suggestion()]] * 2)
    project.add()
    assert project.labels() == [[], [suggestion("code-health")]]


def test_suggestions_are_updated_once_a_night(make, caplog):
    caplog.set_level("INFO")
    project = make(UpdateSuggestions=True)
    project.put([[], []], [[suggestion()], []])
    project.add()
    project.suggest([[suggestion()], [suggestion()]])
    project.add()
    assert project.labels() == [[suggestion()], []]
    assert "got suggestions within the last 12 hours" in caplog.text
    forget_the_night(project)
    project.add()
    assert project.labels() == [[suggestion()], [suggestion()]]


def test_who_labels_after_the_download_is_left_alone(make):
    project = make(UpdateSuggestions=True)
    project.put([[], [], []], [[suggestion()]] * 3)
    project.kind.add_label(1, label("code-health"))
    project.add()
    assert project.labels() == [[suggestion()], [label("code-health")], [suggestion()]]


def test_a_coder_who_labels_beside_it_loses_nothing(make):
    project = make(UpdateSuggestions=True)
    project.put([[] for _ in range(MESSAGES)], [[suggestion()]] * MESSAGES)
    numbers = list(range(MESSAGES))
    random.Random(20).shuffle(numbers)
    given, is_over = {}, threading.Event()

    def work():
        for number in numbers:
            if is_over.is_set() and len(given) >= 40:
                return
            given[number] = {**label("code-health"), "DateTimeUTC": datetime.now(UTC).isoformat()}
            project.kind.add_label(number, given[number])
            time.sleep(A_LABEL_EVERY)

    coder = threading.Thread(target=work)
    coder.start()
    try:
        while len(given) < 10:
            time.sleep(0.01)
        for version in range(1, 4):
            project.suggest([[suggestion("code-water" if version % 2 else "code-health")]] * MESSAGES)
            forget_the_night(project)
            project.add()
            run_stage("coda_get", *project.arguments)
    finally:
        is_over.set()
        coder.join(60)
    labels = project.labels()
    assert len(labels) == MESSAGES
    lost = [number for number, one in given.items() if one not in labels[number]]
    overwritten = [number for number, one in given.items() if labels[number][0] != one]
    assert (lost, overwritten) == ([], [])
    untouched = set(range(MESSAGES)) - given.keys()
    assert all(labels[number] == [suggestion()] for number in untouched)
    assert len(given) >= 40


def test_after_a_kill_the_same_night_goes_on(make, monkeypatch):
    project = make(UpdateSuggestions=True)
    project.put([[] for _ in range(70)], [[suggestion()]] * 70)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("engagement.labelling.suggestions.updates.write_state", die)
        with pytest.raises(KeyboardInterrupt):
            project.add()
    project.add()
    assert project.labels() == [[suggestion()]] * 70
    [path] = (project.data_root / "State" / "coda").rglob("*.suggestions.json")
    assert set(read(path)) == {"Updated", "Version"}
