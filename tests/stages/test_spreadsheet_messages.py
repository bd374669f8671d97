"""Answers from a spreadsheet to the table of messages, in the demo's project, configured as the manual says."""

import csv
import json
import re
import shutil
from pathlib import Path

from engagement.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "configurations" / "README.md").read_text()
SECTION = MANUAL.partition("\n## Answers in spreadsheets\n")[2].partition("\n## ")[0]
SHEET = """Mobile No,Received On,What do you think?,Gender
0712 000 001,26/08/2026 17:05,the school is too far,woman
+254712000001,27/08/2026 17:05,and has no water,woman
0712 000 002,27/08/2026 18:00,it is good,man
"""


def examples(key: str) -> list[dict]:
    """What the section adds to a key of the configuration."""
    found = re.findall(rf"add\s+to\s+`{key}`:\n\n```json\n(.*?)```", SECTION, re.DOTALL)
    return [row for block in found for row in json.loads(f"[{block}]")]


def test_rows_of_a_spreadsheet_answer_an_episode(tmp_path: Path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "configurations" / "demo", project)
    keys = tmp_path / "embedded" / "storage" / "demo-keys"
    keys.mkdir(parents=True)
    (keys / "firebase.json").write_text('{"type": "embedded", "directory": "../.."}')
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"type": "embedded", "directory": "embedded"}')
    (tmp_path / "groups.csv").write_text(SHEET)
    (source,) = examples("RawDataSources")
    source["Tables"][0]["URLs"] = [(tmp_path / "groups.csv").as_uri()]
    file = project / "pipeline_configuration.json"
    document = json.loads(file.read_text())
    document["PhoneNumberUuidTable"]["FirebaseCredentialsFileURL"] = "gs://demo-keys/firebase.json"
    del document["DriveUpload"]
    document["RawDataSources"] = [source]
    document["RapidProKeyRemappings"] += examples("RapidProKeyRemappings")
    file.write_text(json.dumps(document))
    data_root = tmp_path / "data root"
    arguments = ["--user", "tester@example.org", "--credentials", str(credentials), "--pipeline-configuration"]
    arguments += [str(file), "--data-root", str(data_root)]
    assert main(["fetch-raw-data", *arguments]) == 0
    assert main(["generate-outputs", *arguments, "--jobs", "1"]) == 0
    with (data_root / "Outputs" / "messages.csv").open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    uids = {row["s01e02_raw"]: row["uid"] for row in rows}
    assert list(uids) == ["the school is too far", "and has no water", "it is good"]
    assert uids["the school is too far"] == uids["and has no water"] != uids["it is good"]
    assert {row["gender_raw"] for row in rows} == {"woman", "man"}
