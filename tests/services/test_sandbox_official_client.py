"""RapidPro's official Python client reads the sandbox: what keeps the sandbox honest."""

import gzip
import hashlib
import json
import urllib.request
from datetime import datetime

import pytest
from temba_client.exceptions import TembaNoSuchObjectError, TembaTokenError
from temba_client.v2 import TembaClient

from engagement.sandbox.season import FLOWS
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import DEFAULT_SEED, make_workspace

WORKSPACE = make_workspace(DEFAULT_SEED, 0)


@pytest.fixture(scope="module")
def server():
    with serve(WORKSPACE) as base_url:
        yield base_url


@pytest.fixture
def client(server):
    return TembaClient(server, WORKSPACE.token)


def test_it_reads_the_workspace_and_its_flows(client):
    assert client.get_org().name == "Demo Workspace"
    flows = client.get_flows().all()
    assert {flow.name for flow in flows} == {flow.name for flow in FLOWS}
    assert {result.key for flow in flows for result in flow.results} >= {"rqa_s01e01", "gender", "show_helpful"}


def test_it_reads_all_runs_of_every_flow(client):
    read = {flow.name: client.get_runs(flow=flow).all() for flow in client.get_flows().all()}
    assert {run.uuid for runs in read.values() for run in runs} == {run["uuid"] for run in WORKSPACE.runs}
    assert all(run.flow.name == name for name, runs in read.items() for run in runs)
    assert len(read["demo_s01e03_activation"]) > 250  # more than a page


def test_it_reads_runs_from_a_moment_on_oldest_first(client):
    everything = client.get_runs(reverse=True).all()
    assert [run.modified_on for run in everything] == sorted(run.modified_on for run in everything)
    moment = everything[700].modified_on
    later = client.get_runs(after=moment, reverse=True).all()
    assert [run.uuid for run in later] == [run.uuid for run in everything if run.modified_on >= moment]


def test_it_reads_values(client):
    expected = {run["uuid"]: run for run in WORKSPACE.runs}
    for run in client.get_runs().first(), *client.get_runs(reverse=True).all()[:50]:
        values = expected[run.uuid]["values"]
        assert {key: value.value for key, value in run.values.items()} == {
            key: value["value"] for key, value in values.items()
        }
        assert all(value.time == datetime.fromisoformat(values[key]["time"]) for key, value in run.values.items())


def test_it_reads_contacts(client):
    contacts = client.get_contacts().all()
    assert {contact.uuid: contact.urns for contact in contacts} == {
        contact["uuid"]: contact["urns"] for contact in WORKSPACE.contacts
    }
    assert len(client.get_contacts(deleted=True).all()) == len(WORKSPACE.deleted_contacts)
    assert client.get_contacts(uuid=WORKSPACE.test_contact_uuids[0]).first().uuid == WORKSPACE.test_contact_uuids[0]


def test_it_reads_messages(client):
    assert [message.text for message in client.get_messages().all()] == [
        message["text"] for message in reversed(WORKSPACE.messages)
    ]


def test_it_lists_archives_that_can_be_downloaded(client):
    archives = client.get_archives().all()
    assert len(archives) == len(WORKSPACE.archives)
    for archive in archives[:30]:
        with urllib.request.urlopen(archive.download_url, timeout=10) as reply:
            content = reply.read()
        assert hashlib.md5(content).hexdigest() == archive.hash
        records = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        assert len(records) == archive.record_count


def test_a_wrong_token_is_told_as_such(server):
    with pytest.raises(TembaTokenError):
        TembaClient(server, "wrong").get_flows().all()


def test_a_malformed_cursor_is_told_as_such(client):
    with pytest.raises(TembaNoSuchObjectError):
        list(client.get_runs().iterfetches(resume_cursor="nonsense"))
