"""Comments and group messages from their services to the table of messages, in the demo's project."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

import fake_facebook
from engagement.__main__ import main
from fake_facebook import PAGE, TOKEN, Page, comment, post
from telegram_exports import message, write_export

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "configurations" / "README.md").read_text()


def examples(section: str, key: str) -> list[dict]:
    """What a section of the manual adds to a key of the configuration."""
    text = MANUAL.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"add\s+to\s+`{key}`:\n\n```json\n(.*?)```", text, re.DOTALL)
    return [row for block in found for row in json.loads(f"[{block}]")]


@pytest.fixture
def outputs(tmp_path: Path) -> list[dict[str, str]]:
    """The messages of a project that is configured as the manual says."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "configurations" / "demo", project)
    keys = tmp_path / "embedded" / "storage" / "demo-keys"
    keys.mkdir(parents=True)
    (keys / "facebook_page_token.txt").write_text(TOKEN)
    (keys / "firebase.json").write_text('{"type": "embedded", "directory": "../.."}')
    credentials = tmp_path / "credentials.json"
    credentials.write_text('{"type": "embedded", "directory": "embedded"}')
    (comments,) = examples("Comments on Facebook", "RawDataSources")
    (group,) = examples("Messages of a Telegram group", "RawDataSources")
    posts = [f"{PAGE}_5001", f"{PAGE}_5002"]
    comments["Posts"][0]["PostIDs"] = posts
    comments["OpenDays"] = 3000
    group["ExportURLs"] = [(tmp_path / "exports").as_uri()]
    page = Page([post(1), post(2)], [comment(n, f"biyo {n}", of=f"24{n}", post=1 + n % 2) for n in range(5)])
    write_export(tmp_path / "exports" / "result.json", *(message(n, f"waddo {n}") for n in range(1, 8)))
    file = project / "pipeline_configuration.json"
    document = json.loads(file.read_text())
    document["PhoneNumberUuidTable"]["FirebaseCredentialsFileURL"] = "gs://demo-keys/firebase.json"
    del document["DriveUpload"]
    document["ProjectStartDate"] = "2026-01-01T00:00:00+03:00"
    for section in ("Comments on Facebook", "Messages of a Telegram group"):
        document["RapidProKeyRemappings"] += examples(section, "RapidProKeyRemappings")
    (moved,) = examples("Messages of a Telegram group", "TimestampRemappings")
    # Telegram's messages come a minute apart; from the fourth on they answer the second episode.
    moved["RangeStartInclusive"] = "2026-03-02T10:04:00+03:00"
    document.setdefault("TimestampRemappings", []).append(moved)
    data_root = tmp_path / "data root"
    arguments = [
        *("--user", "tester@example.org", "--credentials", str(credentials)),
        *("--pipeline-configuration", str(file), "--data-root", str(data_root)),
    ]
    with fake_facebook.serve(page) as address:
        document["RawDataSources"] = [{**comments, "Server": address}, group]
        file.write_text(json.dumps(document))
        assert main(["fetch-raw-data", *arguments]) == 0
    assert main(["generate-outputs", *arguments, "--jobs", "1"]) == 0
    with (data_root / "Outputs" / "messages.csv").open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_comments_and_group_messages_answer_episodes(outputs: list[dict[str, str]]):
    first = {row["s01e01_raw"] for row in outputs if row["s01e01_raw"]}
    second = {row["s01e02_raw"] for row in outputs if row["s01e02_raw"]}
    assert first == {*(f"biyo {n}" for n in range(5)), "waddo 1", "waddo 2", "waddo 3"}
    assert second == {f"waddo {n}" for n in range(4, 8)}
    assert len(outputs) == 12
    assert len({row["uid"] for row in outputs}) == 5 + 5
