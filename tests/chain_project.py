"""The smallest project that goes through every stage: one episode, gender, a RapidPro on this machine, embedded services.

Everything but RapidPro lies in one folder, so that a test can keep a copy of it, and put it back.
"""

import contextlib
import gzip
import io
import json
import re
import shutil
import sqlite3
import tarfile
from pathlib import Path

import fake_rapidpro
from engagement.analysis.reuse.kept_files import NOTE
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from example_project import EPISODE_FLOW, SURVEY_FLOW, Document, write_project
from fake_rapidpro import Workspace, contact, run

RUN_ID = "2026-04-03T023000Z-unknown"
STAGES = (1, 2, 3, 4, 5, 6, 7)
_NAMES = {
    1: "coda-get",
    2: "fetch-raw-data",
    3: "generate-outputs",
    4: "coda-add",
    5: "automated-analysis",
    6: "backup-data-root",
    7: "upload-logs",
}
_EPISODE_FLOW = EPISODE_FLOW.format(1)
_NOTES = "notes.json"
_RECORD_OF_RUN = re.compile(r"(^|/)Runs/(manifests/[^/]+\.json|hand_overs\.jsonl)$")
_ANSWERS = ("biyo", "dugsi", "wado", "biyo iyo dugsi")


def make_workspace() -> Workspace:
    """Twelve participants who answered the first night's question, half of them the survey; pages are small."""
    workspace = Workspace([_EPISODE_FLOW, SURVEY_FLOW], page_size=5)
    add_night(workspace, range(1, 13))
    return workspace


def add_night(workspace: Workspace, participants: range) -> None:
    """Let participants write for the first time."""
    workspace.contacts += [contact(number) for number in participants]
    workspace.runs += [
        run(number, _EPISODE_FLOW, of=number, rqa_s01e01_raw=f"{_ANSWERS[number % 4]} {number // 2}")
        for number in participants
    ]
    workspace.runs += [
        run(500 + number, SURVEY_FLOW, of=number, gender="nin" if number % 4 else "naag", modified=number)
        for number in participants
        if number % 2 == 0
    ]


class ChainProject:
    """The project in a folder. `change` may change its configuration."""

    def __init__(self, folder: Path, domain: str, **more: object) -> None:
        self.folder = folder
        self.data_root = folder / "data root"
        self.embedded = folder / "embedded"
        self.backups = folder / "back ups"
        self.logs = folder / "performance logs"
        self.credentials = folder / "credentials.json"
        for directory in (self.data_root, self.backups, self.logs):
            directory.mkdir(parents=True)

        def change(document: Document) -> None:
            document["RawDataSources"][0] |= {
                "Domain": domain,
                "TokenFileURL": "gs://keys/token.txt",
                "ActivationFlowNames": [_EPISODE_FLOW],
            }
            document["PhoneNumberUuidTable"]["FirebaseCredentialsFileURL"] = "gs://keys/embedded.json"
            document["RapidProKeyRemappings"] = [
                remapping
                for remapping in document["RapidProKeyRemappings"]
                if not any(name in remapping["PipelineKey"] for name in ("s01e02", "age", "location"))
                and "S01E02" not in remapping["RapidProKey"]
            ]
            document |= {
                "ProjectStartDate": "2026-01-01T00:00:00+03:00",
                "CodaUsers": ["coder@example.org"],
                "DriveUpload": {
                    "DriveCredentialsFileURL": "gs://keys/drive.json",
                    "ProductionUploadPath": "Season/production.csv",
                    "MessagesUploadPath": "Season/messages.csv",
                    "IndividualsUploadPath": "Season/individuals.csv",
                    "AutomatedAnalysisDir": "Season/analysis",
                },
                "MemoryProfileUploadURLPrefix": "gs://project/memory-",
                "DataArchiveUploadURLPrefix": "gs://project/data-",
                **more,
            }

        def change_plans(plans: Document) -> None:
            plans["RQACodingPlans"] = plans["RQACodingPlans"][:1]
            plans["DemographicCodingPlans"] = plans["DemographicCodingPlans"][:1]

        self.configuration = write_project(folder / "configuration", change, change_plans)
        self._fill_embedded_services()

    def _fill_embedded_services(self) -> None:
        self.credentials.write_text('{"type": "embedded", "directory": "embedded"}')
        keys = self.embedded / "storage" / "keys"
        keys.mkdir(parents=True)
        (keys / "token.txt").write_text(f"{fake_rapidpro.TOKEN}\n")
        for name in ("embedded.json", "drive.json"):
            (keys / name).write_text('{"type": "embedded", "directory": "../.."}')
        # The same participants in every copy of the project.
        EmbeddedUuidTable(self.embedded, "EXAMPLE").import_mappings(
            {f"25261500{number:04}": f"avf-phone-uuid-{number:04}" for number in range(100)}
        )

    def leave_log(self, run_id: str = RUN_ID) -> None:
        """Leave what run_pipeline.sh itself writes: a log, and a memory profile."""
        (self.logs / f"{run_id}.log").write_text(f"log of {run_id}\n")
        (self.logs / f"memory-{run_id}.profile").write_text(f"profile of {run_id}\n")

    def arguments(self, stage: int, run_id: str = RUN_ID) -> list[str]:
        """A stage's command line, its name first."""
        credentials = ["--credentials", str(self.credentials)]
        configuration = ["--pipeline-configuration", str(self.configuration)]
        root = ["--data-root", str(self.data_root)]
        options = {
            1: [*credentials, *configuration, *root],
            2: ["--user", "me", *credentials, *configuration, *root],
            3: ["--user", "me", *credentials, *configuration, *root, "--jobs", "1"],
            4: [*credentials, *configuration, *root],
            5: ["--user", "me", *credentials, *configuration, *root, "--jobs", "1"],
            6: [*root, "--backups-dir", str(self.backups), "--run-id", run_id],
            7: [
                *["--user", "me", *credentials, *configuration, "--run-id", run_id, "--pending"],
                *["--memory-profile", str(self.logs / f"memory-{run_id}.profile")],
                *["--data-archive", str(self.backups / f"data-{run_id}.tar.gz")],
                *["--sessions-dir", str(self.backups / ".uploads")],
            ],
        }
        return [_NAMES[stage], *options[stage]]

    def keep(self, name: str) -> None:
        """Keep a copy of everything under a name."""
        kept = self.folder.with_name(f"{self.folder.name}, {name}")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder, kept)

    def put_back(self, name: str) -> None:
        """Make everything as it was when it was kept."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.folder.with_name(f"{self.folder.name}, {name}"), self.folder)

    def contents(self) -> dict[str, object]:
        """All that a run leaves, by path: bytes, the rows of databases, and of archives what is in them, once each.

        Records of runs count once each, without their times: one more run after a killed one is recorded as well.
        """
        found: dict[str, object] = {}
        records: set[bytes] = set()
        for top in (self.data_root, self.embedded):
            for path in sorted(top.rglob("*")):
                name = str(path.relative_to(self.folder))
                if _RECORD_OF_RUN.search(name):
                    records.add(_read_record(name, path.read_bytes()))
                elif path.is_dir():
                    found[name] = "directory"
                elif path.suffix == ".sqlite":
                    found[name] = _read_rows(path)
                elif path.name.endswith(".tar.gz"):
                    found[f"{path.parent.name}: {_read_archive(path)}"] = "archive"
                elif path.name == _NOTES:
                    found[name] = _read_notes(path.read_bytes())
                elif path.name == NOTE:
                    found[name] = _read_kept_files(path.read_bytes())
                elif path.suffix != ".lines":
                    found[name] = path.read_bytes()
        found["records of runs"] = records
        archives = sorted(self.backups.glob("*"))
        found["back ups"] = {_read_archive(path) for path in archives if path.name.endswith(".tar.gz")}
        found["left in back ups"] = [path.name for path in archives if not path.name.endswith(".tar.gz")]
        return found


def _read_notes(content: bytes) -> dict[str, object]:
    """What stage 3 notes, but for when files were written and where the disk has them."""
    notes = json.loads(content)
    sizes = {name: size for name, (size, *_) in (notes.get("left") or {}).items()}
    return {name: notes[name] for name in notes if name not in ("raw files", "outputs")} | {"left": sizes}


def _read_record(name: str, content: bytes) -> bytes:
    """What stage 3 was made with, but for when, and where the disk has it; or what was handed over to its end."""
    if name.endswith(".jsonl"):
        events = map(json.loads, content.splitlines())
        done = {(event["what"], event["target"]) for event in events if event["event"] == "done"}
        return json.dumps(sorted(done)).encode()
    manifest = json.loads(content)
    for files in (manifest["files"], manifest["project_files"]):
        files.update({file: sha256 for file, (sha256, _) in files.items()})
    # A run after a killed one counts as one more.
    of_runs = ("run_id", "time", "is_full", "runs_since_full_read")
    return json.dumps({name: manifest[name] for name in manifest if name not in of_runs}).encode()


def _read_kept_files(content: bytes) -> dict[str, object]:
    """What stage 5 notes, but for digests: they are of files that tell of runs, and that are compared themselves."""
    note = json.loads(content)
    return {"counts": note["counts"], "files": sorted(note["files"])}


def _read_rows(path: Path) -> dict[str, object]:
    """What a database says, but for when files were written and where lines lie; the lines themselves count."""
    # Immutable: else SQLite would make files beside it.
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: list(map(dict, connection.execute(f"SELECT * FROM {table}"))) for table in tables}
    logs = rows.pop("line_log", [])
    for row in rows.get("flows", []):
        del row["written_at"]
    for row in rows.get("runs", []) if logs else []:
        with path.with_suffix(f".{logs[0]['number']}.lines").open("rb") as lines:
            lines.seek(row.pop("start"))
            row["line"] = lines.read(row.pop("length"))
    return {table: sorted(map(repr, found)) for table, found in rows.items()}


def _read_archive(path: Path) -> tuple[tuple[str, bytes], ...]:
    """Names and contents of what is in an archive; it is read to its end."""
    content = gzip.decompress(path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = [member for member in tar if member.isfile() and not member.name.endswith((".sqlite", ".lines"))]
        read = [(member.name, tar.extractfile(member).read()) for member in members]  # type: ignore[union-attr]
    # The checksums hold those of databases, whose bytes depend on what was written when.
    return tuple(
        (name, repr(_read_notes(content)).encode() if name.endswith(_NOTES) else content)
        for name, content in read
        if name != ".sha256sums" and not _RECORD_OF_RUN.search(name)
    ) + tuple(
        sorted({("records", _read_record(name, content)) for name, content in read if _RECORD_OF_RUN.search(name)})
    )


def differences(found: dict[str, object], expected: dict[str, object]) -> list[str]:
    """The names of what is not the same."""
    return sorted(name for name in {**found, **expected} if found.get(name) != expected.get(name))
