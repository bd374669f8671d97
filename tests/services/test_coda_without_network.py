"""Coda on Firestore when nothing answers: it is said soon, and in one sentence."""

import dataclasses
import socket
import time

import pytest

from engagement.foundation.errors import ServiceError
from engagement.services.coda import firestore as coda_firestore
from engagement.services.credentials import GoogleCredentials


@pytest.fixture
def closed_port(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)


@pytest.mark.parametrize(
    "ask",
    [
        lambda coda: coda.has_dataset("show"),
        lambda coda: coda.read_messages("show"),
        lambda coda: coda.read_code_schemes("show"),
        lambda coda: coda.create_dataset("show", [], []),
        lambda coda: coda.add_messages("show", [{"MessageID": "a"}]),
    ],
)
def test_a_port_that_nobody_listens_on_is_said_within_a_minute(closed_port, ask):
    waits = []
    policy = dataclasses.replace(coda_firestore._PATIENCE, sleep=waits.append, jitter=lambda: 1.0)
    coda = coda_firestore.FirestoreCoda(GoogleCredentials("p", {}), policy)
    started = time.monotonic()
    with pytest.raises(ServiceError, match=r"Coda p, dataset 'show': answered UNAVAILABLE \(8 attempts\)") as error:
        ask(coda)
    # What it would have waited, at the most, and what it took beside that.
    assert sum(waits) + time.monotonic() - started < 60
    assert "network" in str(error.value)


def test_a_server_that_accepts_and_says_nothing_is_given_up_on(monkeypatch):
    monkeypatch.setattr("engagement.services.coda.firestore_requests._DOCUMENT_SECONDS", 0.2)
    monkeypatch.setattr(coda_firestore, "_MOST_INTERRUPTED_SECONDS", 0.5)
    policy = dataclasses.replace(coda_firestore._PATIENCE, first_wait_seconds=0.01, longest_wait_seconds=0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        coda = coda_firestore.FirestoreCoda(GoogleCredentials("p", {}), policy)
        started = time.monotonic()
        with pytest.raises(ServiceError, match="answered (DEADLINE_EXCEEDED|UNAVAILABLE)"):
            coda.has_dataset("show")
    assert time.monotonic() - started < 10
