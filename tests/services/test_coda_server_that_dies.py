"""Coda's Firestore dies in the middle of stages 1 and 4: they say so, and one more run makes it good.

Between the stages and Google's emulator stands a server that is cut off after so many bytes.
"""

import functools
import os
import uuid

import pytest
from google.cloud import firestore

from chain_project import ChainProject, differences
from coda_examples import write
from dying_proxy import DyingProxy
from example_project import coda_message, label
from faults import in_server, run_stage

# Cut off after each of so many equal parts of what is sent.
PARTS = 3
# More than one commit takes.
TEXTS = [f"jawaab {number}" for number in range(500)]


@pytest.fixture
def proxy(firestore_emulator):
    with DyingProxy(firestore_emulator).running() as proxy:
        yield proxy


class Place:
    """A project whose outputs have messages for Coda, and a Coda of its own."""

    def __init__(self, folder, proxy):
        self.coda = f"t-{uuid.uuid4().hex[:12]}"
        self.project = ChainProject(folder / self.coda, "localhost")
        self.proxy = proxy
        write(self.project.credentials, {"type": "service_account", "project_id": self.coda})
        for dataset, texts in (("EXAMPLE_s01e01", TEXTS), ("EXAMPLE_gender", ["nin", "naag"])):
            messages = [coda_message(text, label("episode1", "water", checked=False)) for text in texts]
            for message in messages:
                message.pop("SequenceNumber")
            write(self.project.data_root / "Outputs" / "Coda Files" / f"{dataset}.json", messages)

    def run(self, stage, bytes_left=10**12):
        self.proxy.bytes_left, self.proxy.bytes_sent = bytes_left, 0
        variables = {"FIRESTORE_EMULATOR_HOST": self.proxy.address}
        return in_server(run, self.project.arguments(stage), variables)

    def read_coda(self, client):
        """The messages of both datasets by their numbers, and the metrics."""
        found = {}
        for dataset in ("EXAMPLE_s01e01", "EXAMPLE_gender"):
            segment = client.document("datasets", dataset)
            messages = [message.to_dict() for message in segment.collection("messages").stream()]
            found[dataset] = {message["SequenceNumber"]: message["Text"] for message in messages}
            assert len(found[dataset]) == len(messages)
            found[f"{dataset} metrics"] = segment.collection("metrics").document("messages").get().to_dict()
        return found


def run(arguments, variables):
    return run_stage(arguments, functools.partial(os.environ.update, variables))


@pytest.fixture
def client_of(firestore_emulator, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return lambda place: firestore.Client(project=place.coda)


def test_an_addition_goes_on_after_coda_died_at_any_moment(proxy, tmp_path, client_of):
    whole = Place(tmp_path, proxy)
    ended = whole.run(4)
    assert ended.status == 0, ended.told
    expected, size = whole.read_coda(client_of(whole)), proxy.bytes_sent
    assert expected["EXAMPLE_s01e01 metrics"]["messages_count"] == 500
    for step in range(PARTS):
        place = Place(tmp_path, proxy)
        ended = place.run(4, bytes_left=size * step // PARTS)
        assert ended.status == 12, ended.told
        assert "ERROR: Coda t-" in ended.told
        ended = place.run(4)
        assert ended.status == 0, ended.told
        assert place.read_coda(client_of(place)) == expected, step


def test_a_get_goes_on_after_coda_died_at_any_moment(proxy, tmp_path):
    place = Place(tmp_path, proxy)
    assert place.run(4).status == 0
    place.project.keep("before")
    assert place.run(1).status == 0
    expected, size = place.project.contents(), proxy.bytes_sent
    assert any("Coded Coda Files" in name for name in expected)
    for step in range(PARTS):
        place.project.put_back("before")
        ended = place.run(1, bytes_left=size * step // PARTS)
        assert ended.status == 12, ended.told
        assert place.run(1).status == 0
        # The moment of a download is its own.
        assert set(differences(place.project.contents(), expected)) <= {"data root/State/coda/download_moments.json"}
