"""What `audit` tells of hand-overs, from the records of a data root."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.custody.run_manifests.kept_inputs import keep_document
from engagement.custody.run_manifests.manifest import RunManifest, write_manifest
from engagement.delivery.hand_over_log import log_hand_over, log_path
from engagement.delivery.selections.hand_overs import BEGUN, DONE, make_hand_over, record_hand_over
from engagement.foundation.files import write_json

UID = "avf-participant-uuid-1"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "Runs").mkdir()
    return tmp_path


def audit(root: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict]:
    assert main(["audit", str(root), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def hand_over_contacts(root: Path, day: int) -> None:
    at = datetime(2026, 11, day, tzinfo=UTC)
    for event, counts in ((BEGUN, {}), (DONE, {"numbers": 1})):
        record_hand_over(root, make_hand_over(at, "asha", event, "advert", "file", [UID], counts), [UID])


def test_each_kind_of_record_is_a_line_in_the_order_of_time(root, capsys):
    hand_over_contacts(root, 2)
    receipt = {"By": "asha", "Completed": "2026-11-03T00:00:00+00:00", "Found": [{"Count": 4, "Removed": True}]}
    (root / "Forgotten" / "receipts").mkdir(parents=True)
    write_json(root / "Forgotten" / "receipts" / "0a1b.json", receipt)
    stage = {"stage": 7, "name": "upload logs", "started": "2026-11-01T00:00:00Z", "counts": {"uploaded": 2}}
    run = {"run_id": "r", "started": "2026-11-01T00:00:00Z", "ended": None, "exit_status": 0, "stages": [stage]}
    write_json(root / "Runs" / "r.json", run)
    with log_hand_over(root, "drive", "Drive: project") as counts:
        counts["updated"] = 3
    found = audit(root, capsys)
    assert [event["what"] for event in found] == ["upload-logs", "contacts", "forget", "drive"]
    assert [event["counts"] for event in found] == [
        {"uploaded": 2}, {"numbers": 1, "participants": 1}, {"removed": 4}, {"updated": 3},
    ]  # fmt: skip
    assert all(event["is_done"] for event in found)
    assert "@" in found[-1]["by"]
    assert UID not in json.dumps(found)


def upload_in_run(root: Path, **addresses: str) -> None:
    stage = {"stage": 7, "name": "upload logs", "started": "2026-11-01T00:00:00Z", "counts": {"uploaded": 2}}
    run = {"run_id": "r", "started": "2026-11-01T00:00:00Z", "ended": None, "exit_status": 0, "stages": [stage]}
    write_json(root / "Runs" / "r.json", run)
    secrets = {"WriteBack": {"Token": "a-secret-token"}, "RawDataSources": [{"TokenFileURL": "gs://keys/token.txt"}]}
    kept = keep_document(root, {**secrets, **addresses})
    empty = {"versions": {}, "options": {}, "files": {}, "project_files": {}, "schemes": {}}
    same = {"version": 1, "time": "", "user": "asha", "account": "me@here", "is_full": True, "configuration_file": ""}
    write_manifest(root, RunManifest(run_id="r", configuration=kept, coding_plans="", **same, **empty))


@pytest.mark.parametrize(
    ("addresses", "target"),
    [
        (
            {
                "MemoryProfileUploadURLPrefix": "gs://logs-2026/+252612345678/memory-",
                "DataArchiveUploadURLPrefix": "gs://archives/data-",
            },
            "gs://archives, gs://logs-2026 of run r",
        ),
        ({"DataArchiveUploadBucket": "gs://archives", "BucketDirPath": "2026/x/"}, "gs://archives of run r"),
        ({"DataArchiveUploadURLPrefix": "file:///srv/archives/data-"}, "buckets of run r"),
    ],
)
def test_an_upload_names_its_buckets_and_nothing_else_of_the_configuration(root, capsys, addresses, target):
    upload_in_run(root, **addresses)
    (found,) = audit(root, capsys)
    assert (found["target"], found["by"]) == (target, "asha (me@here)")
    assert main(["audit", str(root)]) == 0
    told = capsys.readouterr().out
    assert target in told
    assert not any(one in told + json.dumps(found) for one in ("secret", "252612345678", "token", "gs://keys"))


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_an_upload_is_listed_without_its_buckets_where_state_has_them_no_longer(root, capsys, how):
    upload_in_run(root, DataArchiveUploadURLPrefix="gs://archives/data-")
    (kept,) = (root / "State" / "run_inputs").iterdir()
    if how == "gone":
        kept.unlink()
    else:
        kept.write_bytes(kept.read_bytes().replace(b"archives", b"ARCHIVES"))
    assert [event["target"] for event in audit(root, capsys)] == ["buckets of run r"]


def test_write_backs_and_exports_name_their_targets(root, capsys):
    at = datetime(2026, 11, 2, tzinfo=UTC)
    for event, counts in ((BEGUN, {}), (DONE, {"added": 1})):
        record_hand_over(root, make_hand_over(at, "asha", event, "advert", "group advert", [UID], counts), [UID])
    with log_hand_over(root, "export-participant", "folder outside the data root") as counts:
        counts["messages"] = 3
    found = audit(root, capsys)
    assert [event["target"] for event in found] == ["advert: group advert", "folder outside the data root"]
    assert UID not in json.dumps(found)


def test_a_hand_over_that_failed_is_listed_as_not_completed(root, capsys):
    with pytest.raises(OSError, match="gone"), log_hand_over(root, "drive", "Drive: project"):
        raise OSError("gone")
    assert [event["is_done"] for event in audit(root, capsys)] == [False]
    assert main(["audit", str(root)]) == 0
    assert "not known to be completed" in capsys.readouterr().out


def test_since_leaves_out_what_was_earlier(root, capsys):
    hand_over_contacts(root, 2)
    hand_over_contacts(root, 9)
    assert [event["time"][:10] for event in audit(root, capsys, "--since", "2026-11-05")] == ["2026-11-09"]
    assert main(["audit", str(root), "--since", "yesterday"]) == 2


def test_a_damaged_record_is_named(root, capsys):
    log_path(root).write_text("{\n")
    assert main(["audit", str(root)]) == 11
    assert "hand_overs.jsonl, line 1" in capsys.readouterr().err


def test_a_data_root_without_hand_overs_says_so(root, capsys):
    assert main(["audit", str(root)]) == 0
    assert "Nothing was handed over" in capsys.readouterr().out


def test_the_record_is_for_the_user_alone(root, capsys):
    audit(root, capsys)
    with log_hand_over(root, "drive", "Drive: project"):
        pass
    assert log_path(root).stat().st_mode & 0o077 == 0
