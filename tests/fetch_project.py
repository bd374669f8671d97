"""A small invented project that fetches from a RapidPro server on this machine, with embedded credentials."""

import argparse
import json
import logging
from pathlib import Path

import pytest

import fake_rapidpro
from engagement.provenance import TracedData, read_traced_data
from engagement.stages import fetch_raw_data
from example_project import make_scheme

ACTIVATION_FLOWS = ("s01e01", "s01e02")
SURVEY_FLOWS = ("demog",)


class FetchProject:
    """A project's folder. `source` is its RapidPro source as the configuration has it; a test may change it."""

    def __init__(self, folder: Path, domain: str):
        self.folder = folder
        self.data_root = folder / "data root"
        self.source = {
            "SourceType": "RapidPro",
            "Domain": domain,
            "TokenFileURL": "gs://keys/token.txt",
            "ContactsFileName": "project_contacts",
            "ActivationFlowNames": list(ACTIVATION_FLOWS),
            "SurveyFlowNames": list(SURVEY_FLOWS),
            "TestContactUUIDs": [],
        }
        self.sources = [self.source]
        self.settings: dict[str, object] = {}
        self.coding_plans = {"CodeSchemesDir": "code_schemes", "OperatorScheme": "operator.json"}
        self.keys = folder / "embedded" / "storage" / "keys"
        self.keys.mkdir(parents=True)
        (self.keys / "token.txt").write_text(f"{fake_rapidpro.TOKEN}\n")
        (self.keys / "firebase.json").write_text('{"type": "embedded", "directory": "../.."}')
        (folder / "credentials.json").write_text('{"type": "embedded", "directory": "embedded"}')
        (folder / "code_schemes").mkdir()
        self.write_operators("hormud", "golis", "telegram")

    def write_operators(self, *names: str) -> None:
        """Write the operator scheme, with a code for each name."""
        scheme = make_scheme("operator", names)
        (self.folder / "code_schemes" / "operator.json").write_text(json.dumps(scheme))

    def fetch(self, *options: str, user: str = "tester@example.org") -> None:
        """Run the stage as the command line does."""
        parser = argparse.ArgumentParser()
        fetch_raw_data.add_arguments(parser)
        fetch_raw_data.run(parser.parse_args([*self.arguments(user), *options]))

    def arguments(self, user: str = "tester@example.org") -> list[str]:
        """Write the configuration, and give the stage's arguments."""
        configuration = {
            "RawDataSources": self.sources,
            "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://keys/firebase.json", "TableName": "PROJECT"},
            "RapidProKeyRemappings": [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}],
            "ProjectStartDate": "2026-01-01T00:00:00+03:00",
            "ProjectEndDate": "2027-01-01T00:00:00+03:00",
            "FilterTestMessages": True,
            "MoveWSMessages": False,
            "CodingPlansFile": "coding_plans.json",
            **self.settings,
        }
        (self.folder / "pipeline_configuration.json").write_text(json.dumps(configuration))
        (self.folder / "coding_plans.json").write_text(json.dumps(self.coding_plans))
        return [
            *("--user", user, "--credentials", str(self.folder / "credentials.json")),
            *("--pipeline-configuration", str(self.folder / "pipeline_configuration.json")),
            *("--data-root", str(self.data_root)),
        ]

    def file(self, flow: str) -> Path:
        """A flow's raw data file."""
        return self.data_root / "Raw Data" / f"{flow}.jsonl"

    def read(self, flow: str) -> list[TracedData]:
        """A flow's records, verified."""
        return list(read_traced_data(self.file(flow)))

    def run_ids(self, flow: str) -> list[int | str]:
        """The run ids of a flow's records, in the file's order."""
        return [record.values[f"run_id - {flow}"] for record in self.read(flow)]

    def lines(self, flow: str) -> dict[int | str, bytes]:
        """A flow's lines by run id."""
        return dict(zip(self.run_ids(flow), self.file(flow).read_bytes().splitlines(), strict=True))


def give_uuid(workspace: fake_rapidpro.Workspace, number: int) -> str:
    """Let an invented contact have a uuid as the configuration wants it; returns it."""
    old, new = f"contact-{number}", f"00000000-0000-4000-8000-{number:012}"
    for row in (*workspace.contacts, *(row["contact"] for row in workspace.runs)):
        row["uuid"] = new if row["uuid"] == old else row["uuid"]
    return new


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The texts of the warnings so far."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
