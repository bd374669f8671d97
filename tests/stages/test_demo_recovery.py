"""The demo's two nights around its outage: a listening group's workbook, and SMS that only the telecom had."""

import csv
import json
import re

import pytest

from engagement.__main__ import main
from engagement.sandbox.demo_directory import DemoDirectory
from engagement.sandbox.other_channels import uuids_of_group
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import DEFAULT_SEED
from sandbox_season import cached_workspace

WORKSPACE = cached_workspace(DEFAULT_SEED, 0)


class Demo:
    """The demo's folder, and what run_demo.sh does in it."""

    def __init__(self, folder):
        self.directory = DemoDirectory(folder)
        self.configuration = str(self.directory.configuration_file)
        self.data_root = folder / "data root"
        self.credentials = str(self.directory.credentials / "google_cloud_credentials.json")

    def prepare(self):
        assert main(["sandbox-prepare", "--directory", str(self.directory.root)]) == 0

    def fetch(self):
        document = json.loads(self.directory.configuration_file.read_text())
        with serve(WORKSPACE) as address:
            document["RawDataSources"][0]["Domain"] = address
            self.directory.configuration_file.write_text(json.dumps(document))
            self._run_stage("fetch-raw-data", "--credentials", self.credentials)

    def generate(self):
        self._run_stage("generate-outputs", "--credentials", self.credentials)
        with (self.data_root / "Outputs" / "messages.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def recover(self):
        options = ["--format", "hormuud", "--receiver", "378", "--output", str(self.directory.recovered_file)]
        paths = [self.configuration, str(self.data_root), self.credentials, str(self.directory.telecom_file)]
        assert main(["recover", *paths, *options]) == 0

    def _run_stage(self, stage, *options):
        configuration = ["--pipeline-configuration", self.configuration, "--data-root", str(self.data_root)]
        assert main([stage, "--user", "me", *options, *configuration]) == 0


@pytest.fixture
def demo(tmp_path):
    return Demo(tmp_path / "my demo")


def test_the_group_and_what_was_lost_come_in_and_no_number_stays(demo, capsys, caplog):
    caplog.set_level("INFO")
    demo.prepare()
    demo.fetch()
    demo.recover()
    told = capsys.readouterr().out
    lost = int(re.search(r"(\d+) missing messages written", told)[1])
    (outage,) = re.findall(r"^Outage from 2026-10-10 18:2\d to 2026-10-10 20:\d\d: (\d+) messages", told, re.MULTILINE)
    # Every SMS of the outage is missing, and no other.
    assert int(outage) == lost > 20
    assert "RapidPro once more" not in told
    assert "to other receivers left out" in caplog.text

    demo.prepare()
    demo.fetch()
    rows = demo.generate()
    recovered = [row for row in rows if row["source"] == "RecoveryCSV"]
    group = [row for row in rows if row["source"] == "Spreadsheet"]
    # The team's own messages are left out again.
    assert lost - 3 <= len(recovered) <= lost
    assert all(row["s01e03_raw"] for row in recovered)
    assert len(group) == len(uuids_of_group(DEFAULT_SEED)) - 1
    assert all(row["s01e02_raw"] and row["channel"] == "tel" for row in group)
    assert {row["uid"] for row in group} & {row["uid"] for row in rows if row["source"] == "RapidPro"}

    numbers = {number for number in (*WORKSPACE.uuid_mappings, *uuids_of_group(DEFAULT_SEED)) if number.isdecimal()}
    kept = [path.read_bytes() for path in demo.data_root.rglob("*") if path.is_file()]
    kept += [demo.directory.recovered_file.read_bytes(), told.encode(), caplog.text.encode()]
    # A number may be written with and without its country.
    found = {number.decode()[-9:] for content in kept for number in re.findall(rb"\d{9,15}", content)}
    assert not found & {number[-9:] for number in numbers}
