"""Measure `recover`: python tests/benchmarks/recovery/measure_recover.py [MESSAGES] [RUNS] (PYTHONPATH=src:tests).

Makes a telecom's export of invented SMS, and Raw Data with some of them, in a temporary folder; the rest is missing, a tenth of it in an
outage. Then compares the two on one core, and writes what is missing. Prints messages a second, CPU seconds and peak memory.
"""

import argparse
import contextlib
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.desk import recover
from engagement.provenance import Metadata, encode_fresh_chain
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from fetch_project import FetchProject

START = datetime(2026, 3, 2, 5, tzinfo=UTC)
METADATA = Metadata("bench", "2026-03-02T00:00:00+00:00", "bench@example.org")
FLOW = "s01e01"
WORDS = ("biyo", "dugsi", "waddo", "caafimaad", "amniga", "shaqo", "ganacsi", "beer", "xoolo", "nabad")
# A participant writes so often.
MESSAGES_EACH = 5


def text_of(number: int) -> str:
    """The text of a message: what people write, about as long."""
    return " ".join(WORDS[(number * step) % len(WORDS)] for step in range(3, 3 + number % 12)) + f" {number % 997}"


def time_of(number: int) -> datetime:
    return START + timedelta(seconds=number)


def prepare(folder: Path, messages: int, runs: int) -> list[str]:
    """Write the project, the export and Raw Data; returns the command's arguments."""
    project = FetchProject(folder, "unused.invalid")
    project.settings = {"TimeZone": "Africa/Nairobi", "PipelineName": "Show"}
    project.arguments()
    people = max(1, messages // MESSAGES_EACH)
    numbers = [f"2526{150_000_000 + person}" for person in range(people)]
    uids = EmbeddedUuidTable(folder / "embedded", "PROJECT").uuids_for(numbers)
    export = folder / "export.csv"
    with export.open("w", encoding="utf-8") as file:
        file.write("Sender,Receiver,Message,ReceivedOn\n")
        for number in range(messages):
            local = time_of(number) + timedelta(hours=3)
            file.write(f"{numbers[number % people]},378,{text_of(number)},{local:%d/%m/%Y %H:%M:%S}\n")
    raw = folder / "data root" / "Raw Data"
    raw.mkdir(parents=True)
    step = max(1, messages // max(1, runs))
    with (raw / f"{FLOW}.jsonl").open("w", encoding="utf-8") as file:
        for number in range(0, messages, step):
            at = (time_of(number) + timedelta(seconds=20)).isoformat()
            values = {"avf_phone_id": uids[numbers[number % people]]}
            values |= {f"Answer (Text) - {FLOW}": text_of(number), f"Answer (Time) - {FLOW}": at}
            file.write(encode_fresh_chain([(values, METADATA)]) + "\n")
    places = (folder / "pipeline_configuration.json", folder / "data root", folder / "credentials.json", export)
    return [*map(str, places), "--output", str(folder / "recovered.csv"), "--format", "hormuud"]


def main() -> None:
    """Prepare in a process of its own, so that the peak is the command's; then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=1_000_000)
    parser.add_argument("runs", type=int, nargs="?", default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child = os.fork()
        if child == 0:
            prepare(folder, given.messages, given.runs)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        places = ("pipeline_configuration.json", "data root", "credentials.json", "export.csv")
        arguments = [*(str(folder / one) for one in places), "--output", str(folder / "recovered.csv")]
        command = argparse.ArgumentParser()
        recover.add_arguments(command)
        started, cpu = time.perf_counter(), time.process_time()
        with (folder / "printed.txt").open("w") as printed, contextlib.redirect_stdout(printed):
            recover.run(command.parse_args([*arguments, "--format", "hormuud"]))
        elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        told = (folder / "printed.txt").read_text().splitlines()
        print(next(line for line in told if "received by the telecom" in line))
        print(f"{elapsed:.2f} s, {given.messages / elapsed:,.0f} messages/s; CPU {cpu:.2f} s; peak {peak} MiB")


if __name__ == "__main__":
    main()
