"""The whole way of a label: outputs, Coda, a coder, Coda again, outputs, on the Firestore emulator."""

import hashlib
import uuid

import pytest
from google.cloud import firestore

from coda_examples import run_stage, write
from example_project import DataRoot, episode_run, survey_run, uid_of, write_project


@pytest.fixture
def project(firestore_emulator, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return f"t-{uuid.uuid4().hex[:12]}"


class Coder:
    """Does with a plain client what Coda's page does for the person who sits before it."""

    def __init__(self, project):
        self._client = firestore.Client(project=project)

    def datasets(self):
        return sorted(found.id for found in self._client.collection("datasets").stream())

    def label(self, dataset, text, code_value):
        """Put the code with this StringValue on a text, found among the schemes that the page shows."""
        segment = self._client.document("datasets", dataset)
        assert "coder@example.org" in segment.get().get("users")
        scheme, code = next(
            (scheme.id, code)
            for scheme in segment.collection("code_schemes").stream()
            for code in scheme.get("Codes")
            if code["StringValue"] == code_value
        )
        message = segment.collection("messages").document(hashlib.sha256(text.encode()).hexdigest())
        label = {
            "SchemeID": scheme,
            "CodeID": code["CodeID"],
            "DateTimeUTC": "2026-04-05T08:00:00.000000+00:00",
            "Checked": True,
            "Confidence": 0.95,
            "Origin": {"OriginID": "coder@example.org", "Name": "Coder", "OriginType": "Manual"},
        }
        labels = [label, *message.get().get("Labels")]
        message.update({"Labels": labels, "LastUpdated": firestore.SERVER_TIMESTAMP})


def test_a_label_that_a_coder_makes_is_in_the_messages_of_the_next_run(project, tmp_path):
    configuration = write_project(
        tmp_path / "configuration", lambda document: document.update(CodaUsers=["coder@example.org"])
    )
    data_root = DataRoot(tmp_path, configuration)
    data_root.write_runs(
        episode_run("a", "biyo ayaan rabnaa"),
        episode_run("b", "wado", run_id=2),
        survey_run("a", gender="naag"),
    )
    credentials = write(tmp_path / "coda.json", {"type": "service_account", "project_id": project})
    files = ["--credentials", credentials, "--data-root", data_root.path, "--pipeline-configuration", configuration]

    def run_all():
        run_stage("coda_get", *files)
        data_root.generate()
        run_stage("coda_add", *files)
        return {row["uid"]: row for row in data_root.table("messages")}

    rows = run_all()
    assert {row["rqa_s01e01_NR"] for row in rows.values()} == {"1"}
    coder = Coder(project)
    assert {"EXAMPLE_s01e01", "EXAMPLE_gender"} <= set(coder.datasets())

    coder.label("EXAMPLE_s01e01", "biyo ayaan rabnaa", "water")
    coder.label("EXAMPLE_gender", "naag", "woman")
    rows = run_all()
    assert [rows[uid_of("a")][f"rqa_s01e01_{value}"] for value in ("water", "school", "NR")] == ["1", "0", "0"]
    assert rows[uid_of("a")]["gender"] == "woman"
    assert rows[uid_of("b")]["rqa_s01e01_NR"] == "1"

    # The coder goes on: one text more, and a change of mind.
    coder.label("EXAMPLE_s01e01", "wado", "roads")
    coder.label("EXAMPLE_s01e01", "biyo ayaan rabnaa", "school")
    rows = run_all()
    assert rows[uid_of("b")]["rqa_s01e01_roads"] == "1"
    assert [rows[uid_of("a")][f"rqa_s01e01_{value}"] for value in ("water", "school", "NR")] == ["0", "1", "0"]
