"""Where the files of a run go, by the configuration's newer and older keys."""

import json

import pytest

from engagement.configuration import PipelineConfiguration
from engagement.delivery.logs import RunFiles, find_upload_kinds, find_uploads

RUN_ID = "2026-11-22T020511Z-" + "ab" * 20


def configure(**keys):
    document = {
        "RawDataSources": [{"SourceType": "RecoveryCSV"}],
        "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://keys/firebase.json", "TableName": "T"},
        "RapidProKeyRemappings": [],
        "ProjectStartDate": "2026-01-01T00:00:00+03:00",
        "ProjectEndDate": "2026-02-01T00:00:00+03:00",
        "FilterTestMessages": True,
        "MoveWSMessages": True,
        "CodingPlansFile": "coding_plans.json",
        **keys,
    }
    return PipelineConfiguration.model_validate_json(json.dumps(document))


@pytest.mark.parametrize(
    ("keys", "addresses"),
    [
        ({}, {}),
        (
            {
                "MemoryProfileUploadURLPrefix": "gs://logs/memory-",
                "DataArchiveUploadURLPrefix": "gs://archives/p/data-",
            },
            {
                "memory profile": f"gs://logs/memory-{RUN_ID}.profile",
                "log": f"gs://logs/log-{RUN_ID}.log",
                "archive": f"gs://archives/p/data-{RUN_ID}.tar.gz",
            },
        ),
        ({"DataArchiveUploadURLPrefix": "file:///far%20away/"}, {"archive": f"file:///far%20away/{RUN_ID}.tar.gz"}),
        # A bucket alone.
        ({"DataArchiveUploadURLPrefix": "gs://archives"}, {"archive": f"gs://archives/{RUN_ID}.tar.gz"}),
        (
            {"MemoryProfileUploadURLPrefix": "gs://logs"},
            {"memory profile": f"gs://logs/{RUN_ID}.profile", "log": f"gs://logs/log-{RUN_ID}.log"},
        ),
        (
            {
                "MemoryProfileUploadBucket": "gs://logs",
                "DataArchiveUploadBucket": "gs://archives/",
                "BucketDirPath": "2026/P/",
            },
            {
                "memory profile": f"gs://logs/2026/P/memory-{RUN_ID}.profile",
                "log": f"gs://logs/2026/P/log-{RUN_ID}.log",
                "archive": f"gs://archives/2026/P/data-{RUN_ID}.tar.gz",
            },
        ),
        # A folder may be written without its "/", and there may be none.
        (
            {"DataArchiveUploadBucket": "gs://archives", "BucketDirPath": "P"},
            {"archive": f"gs://archives/P/data-{RUN_ID}.tar.gz"},
        ),
        ({"DataArchiveUploadBucket": "gs://archives"}, {"archive": f"gs://archives/data-{RUN_ID}.tar.gz"}),
        # The newer key holds.
        (
            {"DataArchiveUploadURLPrefix": "gs://new/", "DataArchiveUploadBucket": "gs://old"},
            {"archive": f"gs://new/{RUN_ID}.tar.gz"},
        ),
    ],
)
def test_addresses_follow_the_configuration(keys, addresses):
    assert {kind.what: kind.address(RUN_ID) for kind in find_upload_kinds(configure(**keys))} == addresses


def test_files_of_other_runs_are_known_by_their_names(tmp_path):
    earlier = "2026-11-21T020511Z-unknown"
    for name in (
        *[f"data-{earlier}.tar.gz", f"data-{RUN_ID}.tar.gz", f"data-{earlier}.tar.gz.partial", "data-old.tar.gz"],
        *[
            "data-2026-11-21T020511Z-ABCD.tar.gz",
            f"x-data-{earlier}.tar.gz",
            f"{earlier}.log",
            f"memory-{earlier}.profile",
        ],
    ):
        (tmp_path / name).touch()
    (tmp_path / "data-2026-11-20T020511Z-unknown.tar.gz").mkdir()
    files = RunFiles(RUN_ID, tmp_path / f"memory-{RUN_ID}.profile", tmp_path / f"data-{RUN_ID}.tar.gz")
    prefixes = {"MemoryProfileUploadURLPrefix": "gs://logs/", "DataArchiveUploadURLPrefix": "gs://archives/"}
    kinds = find_upload_kinds(configure(**prefixes))
    found = {with_earlier: [] for with_earlier in (False, True)}
    for with_earlier, uploads in found.items():
        uploads += [upload for kind in kinds for upload in find_uploads(kind, files, with_earlier)]
    assert [upload.address for upload in found[False]] == [f"gs://archives/{RUN_ID}.tar.gz"]
    assert [upload.address for upload in found[True]] == [
        f"gs://logs/{earlier}.profile",
        f"gs://logs/log-{earlier}.log",
        f"gs://archives/{earlier}.tar.gz",
        f"gs://archives/{RUN_ID}.tar.gz",
    ]
