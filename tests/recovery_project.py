"""A project with a telecom's exports beside it: what arrived is in its Raw Data, written by the test."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.__main__ import main
from engagement.provenance import Metadata, encode_fresh_chain
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from fetch_project import FetchProject

METADATA = Metadata("test", "2026-03-02T00:00:00+00:00", "tester@example.org")
START = datetime(2026, 3, 2, 5, tzinfo=UTC)  # 08:00 in Nairobi
NUMBERS = [f"25261550{number:04d}" for number in range(20)]


class Recovery:
    """A project whose Raw Data the test writes, and exports beside it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.project = FetchProject(folder, "no-rapidpro.invalid")
        self.project.settings = {"TimeZone": "Africa/Nairobi", "PipelineName": "Show"}
        self.project.arguments()
        self.raw = folder / "data root" / "Raw Data"
        self.raw.mkdir(parents=True)
        self.output = folder / "recovered.csv"

    def uid(self, number: str) -> str:
        return EmbeddedUuidTable(self.folder / "embedded", "PROJECT").uuids_for([number])[number]

    def arrive(self, messages, flow="s01e01", is_twice=False):
        lines = []
        for number, text, time in messages:
            values = {"avf_phone_id": self.uid(number)}
            for name in (flow, "demog") if is_twice else (flow,):
                values |= {f"Answer (Text) - {name}": text, f"Answer (Time) - {name}": time.isoformat()}
            lines.append(encode_fresh_chain([(values, METADATA)]) + "\n")
        with (self.raw / f"{flow}.jsonl").open("a") as file:
            file.writelines(lines)

    def export(self, messages, name="export.csv", receiver="378"):
        with (self.folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["Sender", "Receiver", "Message", "ReceivedOn"])
            for number, text, time in messages:
                writer.writerow([number, receiver, text, f"{time + timedelta(hours=3):%d/%m/%Y %H:%M:%S}"])
        return name

    def recover(self, *options, exports=("export.csv",), form="hormuud"):
        return main(self.command(*options, exports=exports, form=form))

    def command(self, *options, exports=("export.csv",), form="hormuud"):
        """The words of the command line."""
        paths = [str(self.folder / name) for name in exports]
        required = [] if "--dry-run" in options else ["--output", str(self.output)]
        return [
            "recover", str(self.folder / "pipeline_configuration.json"), str(self.folder / "data root"),
            str(self.folder / "credentials.json"), *paths, *required, *(["--format", form] if form else []), *options,
        ]  # fmt: skip

    def rows(self):
        with self.output.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def written(self):
        return [(row["Message"], row["ReceivedOn"]) for row in self.rows()]
