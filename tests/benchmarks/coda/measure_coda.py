"""Measure Coda: python tests/benchmarks/coda/measure_coda.py [MESSAGES] [--rounds N] (PYTHONPATH=src:tests).

Adds messages to a new dataset in the Firestore emulator that FIRESTORE_EMULATOR_HOST names, and reads them back; then does the
same with a plain loop of batches of 500 documents and the client alone, in turns. Prints the seconds of the best round of each
and their ratio; the status is 1 if it is above 1.5.
"""

import argparse
import os
import sys
import time
import uuid
from itertools import batched

from google.cloud import firestore

from coda_examples import code_scheme, label, message
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import GoogleCredentials

_MOST = 1.5


def measure_plain(project: str, messages: list[dict[str, object]]) -> float:
    """Seconds that a plain loop takes, which looks for nothing, counts nothing and knows no segments."""
    client = firestore.Client(project=project)
    collection = client.collection("plain")
    started = time.perf_counter()
    for batch in batched(messages, 500):
        writes = client.batch()
        for item in batch:
            writes.set(collection.document(str(item["MessageID"])), {**item, "LastUpdated": firestore.SERVER_TIMESTAMP})
        writes.commit()
    documents = [found.to_dict() for found in collection.stream()]
    seconds = time.perf_counter() - started
    expect(len(documents), len(messages))
    return seconds


def measure_coda(project: str, messages: list[dict[str, object]]) -> float:
    """Seconds that the pipeline's client takes."""
    coda = open_coda(GoogleCredentials(project, {}))
    coda.create_dataset("show", ["coder@example.org"], [code_scheme()])
    started = time.perf_counter()
    coda.add_messages("show", messages)
    documents = coda.read_messages("show")
    seconds = time.perf_counter() - started
    expect(len(documents), len(messages))
    return seconds


def expect(found: int, expected: int) -> None:
    """Stop where messages are missing: such a time means nothing."""
    if found != expected:
        sys.exit(f"{found} messages were read; expected {expected}.")


def main() -> None:
    """Measure both in turns, after a first round that warms the emulator up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if not os.environ.get("FIRESTORE_EMULATOR_HOST"):
        sys.exit("FIRESTORE_EMULATOR_HOST is not set; expected the address of an emulator.")
    messages = [message(number, [label("code-health")]) for number in range(arguments.messages)]
    plain, coda = [], []
    for number in range(arguments.rounds + 1):
        for measure, seconds in ((measure_plain, plain), (measure_coda, coda)):
            taken = measure(f"bench-{uuid.uuid4().hex[:12]}", messages)
            if number:
                seconds.append(taken)
    ratio = min(coda) / min(plain)
    print(f"{arguments.messages} messages: plain loop {min(plain):.2f} s, Coda {min(coda):.2f} s, ratio {ratio:.2f}")
    sys.exit(ratio > _MOST)


if __name__ == "__main__":
    main()
