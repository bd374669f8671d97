"""What is written to the sandbox's contacts is kept, and its flows look at it."""

import json
import urllib.error
import urllib.request

import pytest

from engagement.sandbox.asked_again import ASKED_A_DAY
from engagement.sandbox.contact_changes import ContactChanges
from engagement.sandbox.demo_directory import DemoDirectory
from engagement.sandbox.season import DEMOGRAPHICS_FLOW
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import DEFAULT_SEED, make_workspace
from sandbox_season import cached_workspace

WORKSPACE = cached_workspace(DEFAULT_SEED, 0)
ACTIVE = [row["uuid"] for row in WORKSPACE.contacts if not row["blocked"]]
BLOCKED = [row["uuid"] for row in WORKSPACE.contacts if row["blocked"]]


def post(address, path, document, token=WORKSPACE.token):
    request = urllib.request.Request(
        f"{address}/api/v2/{path}",
        json.dumps(document).encode(),
        {"Authorization": f"Token {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def server():
    with serve(WORKSPACE) as address:
        post(address, "groups.json", {"name": "Advert"})
        yield address


@pytest.mark.parametrize(
    ("path", "document", "status", "answer"),
    [
        ("contacts.json?uuid=none", {"fields": {}}, 404, {"detail": "Not found."}),
        (
            f"contacts.json?uuid={ACTIVE[0]}",
            {"fields": {"agee": "5"}},
            400,
            {"fields": ["Invalid contact field key: agee"]},
        ),
        (f"contacts.json?uuid={ACTIVE[0]}", {"fields": {"remark": 5}}, 400, {"fields": ["Not a valid string."]}),
        ("groups.json", {"name": "advert"}, 400, {"name": ["This field must be unique."]}),
        ("fields.json", {"name": "UUID"}, 400, {"name": ['Generated key "uuid" is invalid or a reserved name.']}),
        ("contact_actions.json", {"action": "add", "contacts": []}, 400, {"contacts": ["Contacts can't be empty."]}),
        (
            "contact_actions.json",
            {"action": "add", "group": "Advert", "contacts": ["x"]},
            400,
            {"contacts": ["No such object: x"]},
        ),
        (
            "contact_actions.json",
            {"action": "add", "group": "Advert", "contacts": [ACTIVE[0], BLOCKED[0]]},
            400,
            {"non_field_errors": [f"Non-active contacts cannot be added to groups: {BLOCKED[0]}"]},
        ),
        (
            "contact_actions.json",
            {"action": "stop", "contacts": ACTIVE[:1]},
            400,
            {"action": ['"stop" is not a valid choice.']},
        ),
        ("contact_actions.json", {"action": "block", "contacts": ACTIVE[:101]}, 400, None),
        ("runs.json", {}, 405, {"detail": 'Method "POST" not allowed.'}),
    ],
)
def test_refusals_are_those_of_rapidpro_and_change_nothing(server, path, document, status, answer):
    found = post(server, path, document)
    assert found[0] == status
    assert answer is None or found[1] == answer


def test_a_wrong_token_writes_nothing(server):
    assert post(server, "groups.json", {"name": "Other"}, token="wrong")[0] == 403


def test_changes_outlive_the_server(tmp_path):
    demo = DemoDirectory(tmp_path)
    with serve(WORKSPACE, changes=demo.read_changes(), save=demo.write_changes) as address:
        post(address, "fields.json", {"name": "age answered"})
        post(address, f"contacts.json?uuid={ACTIVE[0]}", {"fields": {"age_answered": "yes"}})
    changes = demo.read_changes()
    assert changes.contacts[ACTIVE[0]]["fields"]["age_answered"] == "yes"
    assert [row["key"] for row in changes.fields] == ["age_answered"]
    assert list(changes.set_on[ACTIVE[0]]) == ["age_answered"]


def test_flows_ask_nobody_again_what_a_field_says_is_answered():
    def asked(changes):
        more = make_workspace(DEFAULT_SEED, 1, changes)
        known = {run["uuid"] for run in cached_workspace(DEFAULT_SEED, 1).runs}
        return [run for run in more.runs if run["uuid"] not in known]

    assert asked(ContactChanges()) == []
    time = "2026-10-12T00:00:00Z"
    one = asked(ContactChanges(set_on={"somebody else": {"age_answered": time}}))
    assert 0 < len(one) <= ASKED_A_DAY
    assert all(run["flow"]["name"] == DEMOGRAPHICS_FLOW and "age" in run["values"] for run in one)
    everybody = {row["uuid"]: {"age_answered": time} for row in WORKSPACE.contacts}
    again = asked(ContactChanges(set_on=everybody))
    assert len(again) == len(one)
    assert not any("age" in run["values"] for run in again)
    assert all("gender" in run["values"] for run in again)
