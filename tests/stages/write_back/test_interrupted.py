"""Writing back through kills, drops and 429s: the right groups and fields at the end, and nothing sent twice without need.

WRITE_BACK_CONTACTS=20000 makes the second test as large as a national project; it takes some minutes.
"""

import collections
import contextlib
import json
import multiprocessing
import os
import random
import signal

import pytest

import fake_rapidpro
from chain_project import add_night, make_workspace
from engagement.configuration.write_back import WriteBack
from engagement.delivery.write_back.marks import Marks
from engagement.delivery.write_back.state import open_state
from engagement.delivery.write_back.workspace import OpenWorkspace
from engagement.delivery.write_back.writing import write_workspace
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.contact_writer import ContactWriter
from engagement.services.rapidpro.writing import RapidProWriter
from engagement.services.retries import RetryPolicy
from fake_rapidpro import TOKEN, Workspace, contact
from write_back_project import QUIET, WriteBackProject, uuids

KILLS = 20
CONTACTS = int(os.environ.get("WRITE_BACK_CONTACTS", "1500"))


def count_repetitions(workspace):
    """Count how often something was written that had been written before."""
    written = collections.Counter()
    for _, query, document in workspace.writes:
        if "action" in document:
            written.update((uuid, document["action"], document.get("group")) for uuid in document["contacts"])
        elif "fields" in document:
            written.update((query["uuid"], key, value) for key, value in document["fields"].items())
        else:
            written[json.dumps(document)] += 1
    return sum(times - 1 for times in written.values())


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_writing_that_is_killed_again_and_again_ends_as_if_it_never_was(tmp_path):
    workspace = make_workspace()
    workspace.page_size = 250
    add_night(workspace, range(13, 61))
    stopped, everybody = (3, 4, 17), range(1, 61)
    with fake_rapidpro.serve(workspace) as address:
        project = WriteBackProject(tmp_path / "project", workspace, address)
        project.prepare(*stopped)
        killed, running = 0, []
        for moment in range(KILLS):
            left = 1 + moment % 4

            def kill(request, is_carried_out=moment % 2):
                nonlocal left
                left -= request.command == "POST"
                if left or request.command != "POST":
                    return False
                if is_carried_out:
                    request.workspace.write(request.endpoint, request.query, request.document)
                os.kill(running[-1], signal.SIGKILL)
                request.close_connection = True
                return True

            workspace.trouble[:] = [kill]
            process = multiprocessing.get_context("fork").Process(target=project.write_back)
            process.start()
            running.append(process.pid)
            process.join(60)
            killed += process.exitcode == -signal.SIGKILL
        assert killed == KILLS
        workspace.trouble.clear()
        project.write_back()
        staying = uuids(*(set(everybody) - set(stopped)))
        assert workspace.members("stopped") == set(workspace.values("consent_withdrawn")) == uuids(*stopped)
        assert workspace.members("Advert") == staying
        assert {uuid for uuid, value in workspace.values("advert").items() if value == "yes"} == staying
        assert count_repetitions(workspace) == 0
        workspace.requests.clear()
        project.write_back()
        assert workspace.requests == QUIET


def test_many_contacts_through_drops_and_429s(tmp_path):
    chance = random.Random(20260803)
    people = {f"uid-{number}": [f"contact-{number}"] for number in range(CONTACTS)}
    workspace = Workspace([], contacts=[contact(number) for number in range(CONTACTS)])
    workspace.contacts[7]["blocked"] = True
    gone = [workspace.contacts.pop(position)["uuid"] for position in (30, 20, 10)]
    stops = frozenset(f"uid-{number}" for number in range(0, CONTACTS, 11))
    answers = {f"uid-{number}": "yes" for number in range(0, CONTACTS, 2) if f"uid-{number}" not in stops}
    advert = frozenset(people) - stops
    wanted = WriteBack.model_validate_json(
        json.dumps({"Withdrawn": {"Group": "stopped", "Field": "consent_withdrawn"}})
    )
    marks = Marks(stops, {"Advert": ("advert", advert)}, {}, {"age_answered": answers}, frozenset(["age_answered"]))
    waits, unneeded = [], 0

    def weather(request):
        nonlocal unneeded
        if chance.random() < 0.97:
            return False
        # Never taken off the list: it meets each request.
        workspace.trouble.append(weather)
        if chance.random() < 0.5:
            return request.reply(429, b"{}", {"Retry-After": "7"})
        if request.command == "POST" and chance.random() < 0.5:
            with contextlib.suppress(Exception):
                request.workspace.write(request.endpoint, request.query, request.document)
                unneeded += 1
        return request.break_off()

    workspace.trouble.append(weather)
    with fake_rapidpro.serve(workspace) as address:
        for budget in (5.0, 1e9):
            policy = RetryPolicy(sleep=waits.append, jitter=lambda: 0.5, told_budget_seconds=budget)
            with open_state(tmp_path / "state.sqlite") as state, RapidProWriter(address, TOKEN, policy) as client:
                space = OpenWorkspace(
                    "RapidPro", people, ContactWriter(client, CONTACTS), state, lambda target, contacts: None
                )
                # The first night ends where RapidPro asks to wait.
                with pytest.raises(ServiceError) if budget == 5.0 else contextlib.nullcontext():
                    write_workspace(space, wanted, marks)
    there = {row["uuid"] for row in workspace.contacts}
    assert not there & set(gone)
    assert workspace.members("stopped") == {people[uid][0] for uid in stops} & there
    assert workspace.members("Advert") == {people[uid][0] for uid in advert} & there - {"contact-7"}
    assert set(workspace.values("consent_withdrawn")) == {people[uid][0] for uid in stops} & there
    assert set(workspace.values("age_answered")) == {people[uid][0] for uid in answers} & there
    assert len(waits) > 10
    # Sent again only where the answer got lost on the way.
    assert count_repetitions(workspace) <= unneeded * 100
    fields = [query["uuid"] for _, query, document in workspace.writes if "fields" in document]
    assert len(fields) - len(set(fields)) <= unneeded
