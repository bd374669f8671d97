"""What came from outside never ends in a traceback: it is accepted, or refused with the status of its kind.

Each test begins with a valid document and changes its structure; see `hostile`. HOSTILE_EXAMPLES asks for more examples.
"""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.foundation.errors import PipelineError
from engagement.provenance import read_traced_data
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.embedded import EmbeddedStorage
from engagement.services.storage.protocol import open_storage, read_credentials, read_token
from engagement.services.uuid_tables.protocol import open_uuid_table
from example_project import EPISODE_FLOW, SURVEY_FLOW, DataRoot, coda_message, label, uid_of
from fetch_project import FetchProject
from hostile import RUNS, as_chain, changed_documents, changed_files, ends_well, write

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "25"))
hostile = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="HOSTILE_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CODED = {
    "gender": [
        coda_message("naag", label("gender", "woman"), label("gender", "man")),
        coda_message("nin", label("gender", "WS"), label("ws", "age")),
    ],
    "s01e01": [
        coda_message("biyo", label("episode1", "water"), label("episode1", "school", copy="-1")),
        coda_message("waa 25", label("episode1", "water")),
    ],
}
EXTRAS = {
    "TestParticipantUUIDs": [uid_of("z")],
    "ParticipantPrefix": "avf-other-uuid-",
    "TimestampRemappings": [
        {"TimeKey": "sent_on", "ShowPipelineKeyToRemapTo": "rqa_s01e02_raw", "RangeStartInclusive": "2026-04-01T24:00:00+03:00",
         "RangeEndExclusive": "2026-04-05T00:00:00+03:00", "TimeToAdjustTo": "2026-04-05T00:00:00+03:00"}
    ],
    "AutomatedAnalysis": {
        "TrafficLabels": [{"StartDate": "2026-04-01T00:00:00+03:00", "EndDate": "2026-04-05T24:00:00+03:00", "Label": "April"}],
        "Maps": [{"Level": "region", "CodedField": "region_coded"}],
    },
    "DataArchiveUploadURLPrefix": "gs://example-archives",
    "CodaUsers": ["coder@example.org"],
    "Disclosure": {"KAnonymity": 3, "Columns": ["age"]},
}  # fmt: skip


@pytest.mark.parametrize("file", ["pipeline_configuration.json", "coding_plans.json", "code_schemes/age.json"])
def test_configuration_files_are_accepted_or_refused(tmp_path: Path, file: str):
    root = DataRoot(tmp_path)
    if file == "pipeline_configuration.json":
        document = json.loads(root.configuration.read_text())
        source = {"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://example-recovered/lost.csv"]}
        document["RawDataSources"].append({**source, "Keys": {"Text": "lost", "Time": "lost_on", "RunID": "lost_id"}})
        document["RapidProKeyRemappings"] += [
            {"RapidProKey": "lost", "PipelineKey": "rqa_s01e01_raw", "IsActivationMessage": True},
            {"RapidProKey": "lost_on", "PipelineKey": "sent_on"},
        ]
        root.configuration.write_text(json.dumps(document | EXTRAS))
        root.write_flow("lost")
    root.write_runs(*RUNS)
    path = root.configuration.parent / file
    valid = json.loads(path.read_text())
    assert main(["check", str(root.configuration)]) == 0

    def use(content: bytes) -> None:
        path.write_bytes(content)
        ends_well(lambda: main(["check", str(root.configuration)]), 10)
        try:
            load_project(root.configuration)
        except PipelineError as error:
            assert error.exit_status == 10
        else:
            ends_well(root.generate, 10, 11)

    hostile(given(strategies.one_of(changed_files(valid), changed_documents(valid).map(write)))(use))()


@pytest.mark.parametrize("dataset", CODED)
def test_coda_files_are_accepted_or_refused(root: DataRoot, dataset: str):
    for other, messages in CODED.items():
        root.write_coded(other, *messages)
    root.write_runs(*RUNS)
    root.generate()
    path = root.path / "Coded Coda Files" / f"EXAMPLE_{dataset}.json"
    configuration = ["--pipeline-configuration", str(root.configuration)]

    def use(content: bytes) -> None:
        path.write_bytes(content)
        ends_well(lambda: main(["check", str(root.configuration), "--data-root", str(root.path)]), 11)
        ends_well(lambda: main(["explain", str(root.path), uid_of("a"), *configuration]), 11)
        ends_well(root.generate, 11)

    valid = CODED[dataset]
    try:
        hostile(given(strategies.one_of(changed_files(valid), changed_documents(valid).map(write)))(use))()
    finally:
        path.unlink()


@pytest.mark.parametrize(("flow", "run"), [(EPISODE_FLOW.format(1), RUNS[0]), (SURVEY_FLOW, RUNS[2])])
def test_raw_data_are_accepted_or_refused(root: DataRoot, flow: str, run: str):
    updates = json.loads(run)
    data = [update["Data"] for update in reversed(updates)]
    path = root.path / "Raw Data" / f"{flow}.jsonl"

    def use(line: bytes) -> None:
        root.write_runs(*RUNS)
        path.write_bytes(line.replace(b"\n", b" ").rstrip() + b"\n" + path.read_bytes())
        ends_well(lambda: list(read_traced_data(path)) and None, 11)
        ends_well(root.generate, 11)
        ends_well(lambda: main(["check", str(root.configuration), "--data-root", str(root.path)]), 11)

    lines = strategies.one_of(changed_files(updates), changed_documents(data).map(as_chain))
    hostile(given(lines)(use))()


CSV = (
    ("Sender", "Message", "ReceivedOn"),
    ("avf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11", "haa, waan\narkay", "02/03/2026 08:15"),
    ("avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11", "=1+1", "01/03/2026 23:59:30"),
    ("avf-facebook-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11", 'a "b" c', "2026-03-01T24:00:00+03:00"),
)
ODD_CELLS = (
    "", "\0", "\ud83d", '"', '""', "a\r\nb", "\r", ";", ",", "\t", "x" * 20_000, "24:00", "31/12/9999 24:00", "01/01/0001 00:00", "Sender",
    "Message", "\ufeff", "\u2028", "\u0661/\u0663/\u0662\u0660\u0662\u0666 \u0661\u0660:\u0660\u0660", "2026-W10-1T00:00Z",
    "20260301T240000Z", "avf-phone-uuid-252615001001", "+252 61 5001001",
)  # fmt: skip


@strategies.composite
def csv_files(draw: Callable[..., Any]) -> bytes:
    rows = [list(row) for row in CSV]
    for _ in range(draw(strategies.integers(0, 3))):
        row = draw(strategies.sampled_from(rows))
        place = draw(strategies.integers(0, len(row)))
        match draw(strategies.sampled_from(["drop", "insert", "replace", "double", "remove", "blank", "turn"])):
            case "drop":
                del row[place:]
            case "insert":
                row.insert(place, draw(strategies.sampled_from(ODD_CELLS)))
            case "replace":
                row[place : place + 1] = [draw(strategies.sampled_from(ODD_CELLS))]
            case "double":
                rows.append(list(row))
            case "remove" if len(rows) > 1:
                rows.remove(row)
            case "blank":
                rows.append([])
            case "turn":
                row.reverse()
    text = io.StringIO()
    separator = draw(strategies.sampled_from(",,,;\t|"))
    if draw(strategies.booleans()):
        end = draw(strategies.sampled_from(["\n", "\r\n"]))
        csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    else:
        text.write("\n".join(separator.join(row) for row in rows))
    encoding = draw(strategies.sampled_from(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"]))
    content = text.getvalue().encode(encoding, "replace" if encoding == "cp1252" else "surrogatepass")
    return content[: draw(strategies.integers(0, len(content)))] if draw(strategies.integers(0, 9)) == 0 else content


def test_recovery_files_are_accepted_or_refused(tmp_path: Path):
    project = FetchProject(tmp_path, "no-rapidpro.invalid")
    project.sources = [{"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/lost.csv"]}]
    file = tmp_path / "embedded" / "storage" / "recovered" / "lost.csv"
    file.parent.mkdir(parents=True)

    def use(content: bytes) -> None:
        file.write_bytes(content)
        project.file("lost").unlink(missing_ok=True)
        ends_well(project.fetch, 11)
        if project.file("lost").exists():
            assert "5001001" not in "".join(record.values["avf_phone_id"] for record in project.read("lost"))

    hostile(given(csv_files())(use))()


@pytest.mark.parametrize(
    "valid",
    [
        {"type": "service_account", "project_id": "example", "client_email": "a@example.org", "private_key": "not one", "token_uri": "https://token.invalid"},
        {"type": "embedded", "directory": "embedded"},
    ],
    ids=["service account", "embedded"],
)  # fmt: skip
def test_credentials_and_tokens_are_accepted_or_refused(tmp_path: Path, monkeypatch, valid: dict[str, str]):
    for name in ("FIRESTORE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    storage = EmbeddedStorage(tmp_path)
    file = tmp_path / "storage" / "keys" / "key.json"
    file.parent.mkdir(parents=True)

    def use(content: bytes) -> None:
        file.write_bytes(content)

        def open_services() -> None:
            credentials = read_credentials(storage, "gs://keys/key.json")
            open_uuid_table(credentials, "EXAMPLE", RetryPolicy())
            open_storage(credentials, RetryPolicy())

        ends_well(open_services, 10, 14)
        ends_well(lambda: load_credentials(file) and None, 2)
        ends_well(lambda: read_token(storage, "gs://keys/key.json") and None, 10)

    hostile(given(strategies.one_of(changed_files(valid), changed_documents(valid).map(write)))(use))()
