"""A data root with runs, archives and logs of so many days ago, and what `Retention` removes of it. All is invented."""

import errno
import json
import os
import sys
from datetime import timedelta

from engagement.custody.backups.keeping import note_archive
from engagement.custody.run_manifests.kept_inputs import keep_document
from engagement.custody.run_manifests.manifest import RunManifest, write_manifest
from example_project import write_project
from faults import NOW, Changes, in_server, run_stage

PERIODS = {"Archives": "P90D", "Logs": "P180D", "Runs": "P1Y"}


def run_id(days_ago):
    return f"{NOW - timedelta(days=days_ago):%Y-%m-%dT%H%M%SZ}-{'0' * 40}"


class RetentionProject:
    """A data root with runs of so many days ago, their archives and logs."""

    def __init__(self, folder, retention=PERIODS):
        self.folder = folder
        self.root, self.backups, self.logs = folder / "data root", folder / "back ups", folder / "logs"
        for path in (self.root / "Runs", self.backups, self.logs):
            path.mkdir(parents=True)
        self.configure(retention)

    def configure(self, retention):
        change = {} if retention is None else {"Retention": retention}
        self.configuration = write_project(self.folder / "configuration", lambda document: document.update(change))

    def add_run(self, days_ago, status=0, stages=range(1, 8), is_ended=True, schemes=()):
        name = run_id(days_ago)
        self.add_record(name, status, stages, is_ended)
        self.add_logs(name)
        self.add_archive(name)
        self.add_manifest(name, days_ago, schemes)
        return name

    def add_record(self, name, status=0, stages=range(1, 8), is_ended=True):
        record = {"run_id": name, "started": "2026-01-01T00:00:00Z", "exit_status": status, "ended": None}
        record["stages"] = [{"stage": number, "started": "2026-01-01T00:00:00Z"} for number in stages]
        record["ended"] = "2026-01-01T01:00:00Z" if is_ended else None
        (self.root / "Runs" / f"{name}.json").write_text(json.dumps(record))

    def add_logs(self, name):
        for log in (f"{name}.log", f"memory-{name}.profile"):
            (self.logs / log).write_text("invented")

    def add_archive(self, name, root=None):
        archive = self.backups / f"data-{name}.tar.gz"
        archive.write_text("invented")
        note_archive(archive, root or self.root)
        return archive

    def add_manifest(self, name, days_ago, schemes):
        kept = {scheme: keep_document(self.root, {"Name": scheme}) for scheme in schemes}
        configuration = keep_document(self.root, {"PipelineName": f"of {days_ago // 100}"})
        plans = keep_document(self.root, {"Plans": "always the same"})
        empty = {"versions": {}, "options": {}, "files": {}, "project_files": {}}
        same = {"version": 1, "time": "", "user": "", "account": "", "is_full": True, "configuration_file": ""}
        manifest = {**same, **empty, "configuration": configuration, "coding_plans": plans, "schemes": kept}
        write_manifest(self.root, RunManifest(run_id=name, **manifest))

    def arguments(self, *options):
        places = {"pipeline-configuration": self.configuration, "data-root": self.root}
        places |= {"backups-dir": self.backups, "performance-logs-dir": self.logs}
        given = [text for name, path in places.items() for text in (f"--{name}", str(path))]
        return ["apply-retention", "--user", "asha", *given, *options]

    def apply(self, *options):
        return in_server(run_stage, self.arguments(*options))

    def apply_and_die(self, number):
        return in_server(run_and_die, self.arguments(), self.folder, number)

    @property
    def files(self):
        """All files but receipts, by their paths in the folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and "retention" not in path.parts)
        return {str(path.relative_to(self.folder)) for path in found}

    @property
    def receipts(self):
        path = self.root / "Runs" / "retention" / "receipts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_and_die(arguments, folder, number):
    def prepare():
        changes = Changes(folder, number)
        changes.watch()
        return changes

    return run_stage(arguments, prepare)


def run_where_nothing_can_be_removed(arguments, folder):
    def refuse(event, details):
        if event == "os.remove" and str(details[0]).startswith(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(details[0]))

    return run_stage(arguments, lambda: sys.addaudithook(refuse))
