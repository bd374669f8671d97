"""Measure stages 1 and 4: python tests/benchmarks/coda/measure_stages.py [MESSAGES …] [--datasets N] (PYTHONPATH=src:tests).

Makes an embedded Coda of that many messages, 60 % labelled, downloads it all, labels 2 % anew, then runs stage 1, and stage 4 with
nothing to add, each in a process of its own. Prints processor seconds and peak memory, the reading of the embedded folder included,
which stands for Firestore's servers; their reads are in `tests/services/test_coda_costs.py`.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import batched
from pathlib import Path

from bars import show_calibration, show_exponent
from coda_examples import START, code_scheme, label, make_credentials, message, run_stage, write
from engagement.foundation.files import read_json, write_json
from engagement.services.coda.format import SEGMENT_SIZE, name_segment

_BAR_SECONDS, _BAR_MEBIBYTES, _BAR_MESSAGES = 10, 200, 500_000
_LATER = "2027-01-01T00:00:00.000000+00:00"


def fill(folder: Path, messages: int, datasets: int) -> Iterator[tuple[Path, str]]:
    """Write the datasets and their output files; gives each segment's file, with its dataset's scheme."""
    for name in (f"show{number}" for number in range(datasets)):
        scheme_id = f"Scheme-{name}"
        made = [message(number) for number in range(messages // datasets)]
        write_json(write(folder / "root" / "Outputs" / "Coda Files" / f"{name}.json", []), made)
        for number, documents in enumerate(batched(made, SEGMENT_SIZE)):
            segment = name_segment(name, number + 1)
            store = folder / "store" / "coda"
            write(store / f"{segment}.users.json", ["coder@example.org"])
            write(store / f"{segment}.code_schemes.json", [code_scheme(scheme_id, name)])
            held = [
                {
                    **document,
                    "Labels": [label("code-health", scheme_id)] if place % 10 < 6 else [],
                    "SequenceNumber": number * SEGMENT_SIZE + place,
                    "LastUpdated": (START + timedelta(seconds=place)).isoformat(timespec="microseconds"),
                }
                for place, document in enumerate(documents)
            ]
            yield write(store / f"{segment}.json", held), scheme_id


def label_anew(segment: Path, scheme_id: str) -> None:
    """Label 2 % of a segment's messages."""
    documents = read_json(segment)
    for document in documents[::50]:
        document["Labels"].insert(0, label("code-water", scheme_id))
        document["LastUpdated"] = _LATER
    write(segment, documents)


def measure(what: str, stage: str, folder: Path) -> float:
    """Run a stage in a process of its own; returns its processor time."""
    found: multiprocessing.Queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=_measure, args=(found, stage, folder))
    process.start()
    process.join()
    seconds, mebibytes = found.get(timeout=1)
    print(
        f"{what}: {seconds:.2f} s of processor time, peak {mebibytes} MiB; "
        f"bars of {_BAR_MESSAGES:,} messages: {_BAR_SECONDS} s, {_BAR_MEBIBYTES} MiB",
        flush=True,
    )
    return float(seconds)


def _measure(found: multiprocessing.Queue, stage: str, folder: Path) -> None:
    begun = time.process_time()
    run_stage(stage, "--credentials", folder / "store.json", "--data-root", folder / "root")
    found.put((time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


def main() -> None:
    """Measure every size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", nargs="*", type=int, default=[10_000])
    parser.add_argument("--datasets", type=int, default=10)
    arguments = parser.parse_args()
    stage_1, stage_4 = {}, {}
    for messages in arguments.messages:
        show_calibration()
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            make_credentials(folder, "store")
            segments = list(fill(folder, messages, arguments.datasets))
            measure(f"{messages:,} messages, stage 1, everything", "coda_get", folder)
            for segment, scheme_id in segments:
                label_anew(segment, scheme_id)
            stage_1[messages] = measure(f"{messages:,} messages, stage 1, 2 % labelled anew", "coda_get", folder)
            stage_4[messages] = measure(f"{messages:,} messages, stage 4, nothing to add", "coda_add", folder)
    show_exponent("stage 1", stage_1)
    show_exponent("stage 4", stage_4)


if __name__ == "__main__":
    main()
