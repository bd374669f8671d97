"""The demo's configuration and its embedded services, to be changed and asked."""

import json
import re

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.configuration.loading import read_project_files
from engagement.desk.checks.findings import Findings
from engagement.desk.checks.online import Services, ask_services
from engagement.labelling.datasets.datasets import code_schemes_of
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials
from engagement.services.retries import RetryPolicy

# Nobody waits for what can't be reached.
POLICY = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
GENDER = "$.DemographicCodingPlans[0].CodaFilename"


class Desk:
    """The demo's configuration and its embedded services, to be changed and asked."""

    def __init__(self, folder, rapid_pro, token, capsys):
        self.folder = folder
        self.capsys = capsys
        self.path = folder / "configuration" / "pipeline_configuration.json"
        self.embedded = folder / "embedded"
        self.token = self.embedded / "storage" / "demo-credentials" / "rapid-pro-token.txt"
        self.token.write_text(token + "\n")
        self.change(lambda document: document["RawDataSources"][0].update(Domain=rapid_pro))

    def change(self, edit, name="pipeline_configuration"):
        path = self.path.with_name(f"{name}.json")
        document = json.loads(path.read_text())
        edit(document)
        path.write_text(json.dumps(document, indent=2))

    @property
    def coda(self):
        return open_coda(EmbeddedCredentials(self.embedded))

    def fill_coda(self, coda, users=("asha@example.org", "nuur@example.org")):
        """Make the project's datasets, as stage 4 does."""
        project = load_project(self.path)
        for plan in project.coding_plans.all:
            if plan.coda_dataset is not None:
                coda.create_dataset(plan.coda_dataset, users, code_schemes_of(plan, project.coding_plans))

    def tree(self):
        return {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}

    def check(self, *options):
        """Type the command; gives its status, its lines but for the last, and what changed in the demo's directory."""
        credentials = self.folder / "credentials"
        before = self.tree()
        status = main(
            [
                *(
                    "check",
                    str(self.path),
                    "--online",
                    "--credentials",
                    str(credentials / "google_cloud_credentials.json"),
                ),
                *("--coda-pull-credentials", str(credentials / "coda_credentials.json"), *options),
            ]
        )
        lines = self.shorten(self.capsys.readouterr().out).splitlines()
        assert self.tree() == before, "nothing is left behind"
        return status, [line for line in lines if not line.startswith("pipeline_configuration.json: ")]

    def ask(self, **services):
        """Ask with other services than the demo's; gives every line."""
        files = read_project_files(self.path)
        findings = Findings(files.problems)
        given = {"credentials": EmbeddedCredentials(self.embedded), "policy": POLICY, **services}
        ask_services(files, Services(**given), findings)
        return [self.shorten(line) for line in findings.lines()]

    def shorten(self, said):
        """Without the folder, and without lines, which change with the demo."""
        return re.sub(r", line \d+,", ",", said.replace(f"{self.path.parent}/", ""))
