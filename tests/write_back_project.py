"""A project of twelve participants that writes back to the RapidPro on this machine that it is fetched from."""

import argparse
import importlib
import json
import shutil
from pathlib import Path
from typing import Any

from chain_project import ChainProject
from engagement.stages.table import STAGES
from example_project import coda_message, label
from fake_rapidpro import Workspace

WRITE_BACK: dict[str, Any] = {
    "Withdrawn": {"Group": "stopped", "Field": "consent_withdrawn"},
    "Demographics": [{"CodedField": "gender_coded", "Field": "gender_answered"}],
    "Contacts": ["advert"],
}
EVERYBODY = frozenset(range(1, 13))
# What a night without news asks: who the token is of, and whether the groups and fields are still there.
QUIET = ["/api/v2/workspace.json", "/api/v2/fields.json", "/api/v2/groups.json"]
SELECTION = {"Name": "advert", "TookPartIn": ["any"], "To": {"Group": "Advert", "Field": "advert"}}


class WriteBackProject:
    """The project in a folder; `workspace` is what its RapidPro holds."""

    def __init__(self, folder: Path, workspace: Workspace, address: str, **more: Any) -> None:
        settings = {"WriteBack": WRITE_BACK, "Contacts": [SELECTION], "DriveUpload": None, **more}
        self.workspace = workspace
        self.chain = ChainProject(folder, address, **settings)
        self.data_root = self.chain.data_root
        self.stops: set[int] = set()

    def configure(self, **settings: Any) -> None:
        """Change the configuration."""
        path = self.chain.configuration
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))

    def prepare(self, *stops: int) -> None:
        """Fetch, and make the outputs; coders label the answers of these participants STOP."""
        self.stops |= set(stops)
        self.run("fetch-raw-data", *self.arguments())
        coded = self.data_root / "Coded Coda Files"
        coded.mkdir(exist_ok=True)
        texts = {
            run["values"]["rqa_s01e01_raw"]["value"]: int(run["contact"]["uuid"].removeprefix("contact-"))
            for run in self.workspace.runs
            if "rqa_s01e01_raw" in run["values"]
        }
        messages = [
            coda_message(text, label("episode1", "STOP" if number in self.stops else "water"))
            for text, number in texts.items()
        ]
        (coded / "EXAMPLE_s01e01.json").write_text(json.dumps(messages))
        self.run("generate-outputs", *self.arguments(), "--jobs", "1")
        self.workspace.requests.clear()

    def write_back(self, *options: str) -> None:
        """Run the stage."""
        self.run("write-back", *self.arguments(), *options)

    def run(self, stage: str, *arguments: str) -> None:
        """Run any stage as the command line does."""
        module = importlib.import_module(STAGES[stage].module)
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        module.run(parser.parse_args(arguments))

    def arguments(self) -> list[str]:
        """The arguments of the stage."""
        return [
            *("--user", "me", "--credentials", str(self.chain.credentials)),
            *("--pipeline-configuration", str(self.chain.configuration)),
            *("--data-root", str(self.data_root)),
        ]

    def forget(self) -> None:
        """Remove what the stage remembers."""
        shutil.rmtree(self.data_root / "State" / "write_back")

    @property
    def posts(self) -> list[str]:
        """The POSTs that came since the last look."""
        return [request for request in self.workspace.requests if request.startswith("POST")]


def uuids(*numbers: int) -> set[str]:
    """Uuids of participants' contacts."""
    return {f"contact-{number}" for number in numbers}


def expect_marks(workspace: Workspace, *stopped: int) -> None:
    """Those who stopped are in the group of STOP, and all others are in the advert, each with the field."""
    staying = uuids(*(EVERYBODY - set(stopped)))
    assert workspace.members("stopped") == uuids(*stopped)
    assert workspace.members("Advert") == staying
    assert workspace.values("consent_withdrawn") == dict.fromkeys(uuids(*stopped), "yes")
    assert {uuid for uuid, value in workspace.values("advert").items() if value == "yes"} == staying
