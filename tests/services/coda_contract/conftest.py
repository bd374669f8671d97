"""Each test is run on both kinds of Coda."""

import uuid

import pytest

from coda_kinds import SCHEMES, USERS, Firestore, Folder


@pytest.fixture(params=["folder", "firestore"])
def place(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return Folder(tmp_path)
    emulator = request.getfixturevalue("firestore_emulator")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    return Firestore(f"t-{uuid.uuid4().hex[:12]}", emulator)


@pytest.fixture
def coda(place):
    place.coda.create_dataset("show", USERS, SCHEMES)
    return place.coda
