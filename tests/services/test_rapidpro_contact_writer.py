"""Writing to contacts over HTTP: only differences are sent, and one bad contact does not stop the rest."""

import json
import logging
from collections import Counter

import pytest
from temba_client.v2 import TembaClient

import fake_rapidpro
from engagement.foundation.errors import ServiceError
from engagement.sandbox.server import serve as serve_sandbox
from engagement.sandbox.workspace import DEFAULT_SEED, make_workspace
from engagement.services.rapidpro.contact_writer import ContactWriter
from engagement.services.rapidpro.targets import UnusableTargetError
from engagement.services.rapidpro.writing import RapidProWriter
from engagement.services.retries import RetryPolicy
from fake_rapidpro import TOKEN, Workspace, contact, once


@pytest.fixture
def waits():
    return []


@pytest.fixture
def workspace():
    fields = [{"key": "age", "type": "numeric"}, {"key": "town", "value_type": "text"}]
    groups = [{"uuid": "g-1", "name": "Listeners", "query": None}, {"uuid": "g-2", "name": "Old", "query": "age > 50"}]
    return Workspace([], contacts=[contact(number) for number in range(260)], fields=fields, groups=groups)


@pytest.fixture
def connect(workspace, waits):
    with fake_rapidpro.serve(workspace) as address:

        def connect(size=1000, is_dry=False):
            client = RapidProWriter(address, TOKEN, RetryPolicy(sleep=waits.append, jitter=lambda: 0.5))
            return ContactWriter(client, size, is_dry)

        yield connect


def uuids(*numbers):
    return [f"contact-{number}" for number in numbers]


def posts(workspace):
    return [request for request in workspace.requests if request.startswith("POST")]


def refuse(status, answer):
    return lambda request: request.command == "POST" and request.reply(status, json.dumps(answer).encode())


def test_a_group_is_made_and_filled_a_hundred_contacts_a_request(connect, workspace):
    everybody = uuids(*range(250))
    written = connect().set_group("Advert", everybody)
    assert (written.changed, written.same, written.gone) == (250, 0, 0)
    assert workspace.members("Advert") == set(everybody)
    assert len(posts(workspace)) == 1 + 3


def test_a_second_time_sends_nothing(connect, workspace):
    for _ in range(2):
        writer = connect()
        writer.set_group("Advert", uuids(1, 2))
        writer.find_fields(["town"])
        writer.set_fields({"contact-1": {"town": "Baidoa"}})
    assert len(workspace.writes) == 3


def test_only_differences_are_sent(connect, workspace):
    workspace.contacts[1]["fields"] = {"town": "Baidoa", "age": 30}
    writer = connect()
    written = writer.set_fields({"contact-1": {"town": "Baidoa"}, "contact-2": {"town": "Kismayo"}})
    assert (written.changed, written.same) == (1, 1)
    assert [query for _, query, _ in workspace.writes] == [{"uuid": "contact-2"}]
    writer.set_group("Advert", uuids(2, 3))
    writer.leave_group(writer.find_group("Advert"), uuids(2, 9))
    writer.set_group("Advert", uuids(3, 4))
    assert workspace.members("Advert") == set(uuids(3, 4))
    assert [document["contacts"] for endpoint, _, document in workspace.writes if endpoint == "contact_actions"] == [
        uuids(2, 3), uuids(2), uuids(4),
    ]  # fmt: skip


def test_a_few_contacts_are_read_one_by_one_and_many_page_by_page(connect, workspace):
    connect().read(uuids(1, 2))
    assert [request for request in workspace.requests if "uuid=contact" in request] == workspace.requests
    workspace.requests.clear()
    connect().read(uuids(*range(200)))
    assert len(workspace.requests) == 2


def test_a_dry_writer_counts_and_sends_nothing(connect, workspace):
    writer = connect(is_dry=True)
    assert writer.find_fields(["consent_withdrawn"]) == {}
    assert writer.set_fields({"contact-1": {"consent_withdrawn": "yes"}}).changed == 1
    assert writer.set_group("Advert", uuids(1, 2)).changed == 2
    assert writer.block(uuids(3)).changed == 1
    assert posts(workspace) == []


def test_blocked_contacts_do_not_join_groups_and_blocking_takes_out_of_all(connect, workspace):
    writer = connect()
    writer.set_group("Advert", uuids(1, 2))
    assert writer.block(uuids(1, 3)).changed == 2
    assert workspace.members("Advert") == set(uuids(2))
    written = connect().set_group("Advert", uuids(1, 2))
    assert (written.inactive, written.same, written.refused) == (1, 1, 0)
    assert connect().block(uuids(1, 3)).same == 2


def test_a_contact_that_is_gone_is_counted_and_never_made(connect, workspace):
    written = connect().set_group("Advert", uuids(1, 999))
    assert (written.changed, written.gone) == (1, 1)
    written = connect().set_fields({"contact-999": {"town": "Baidoa"}, "contact-1": {"town": "Baidoa"}})
    assert (written.changed, written.gone) == (1, 1)
    assert len(workspace.contacts) == 260


def test_a_contact_that_goes_away_meanwhile_is_found_in_its_batch(connect, workspace):
    writer = connect()
    writer.read(uuids(*range(60)))
    workspace.contacts = [row for row in workspace.contacts if row["uuid"] not in uuids(7, 41)]
    done = []
    written = writer.set_group("Advert", uuids(*range(60)), done=done.extend)
    assert (written.changed, written.gone) == (58, 2)
    assert workspace.members("Advert") == set(done) == set(uuids(*range(60))) - set(uuids(7, 41))
    assert writer.set_fields({"contact-7": {"town": "Baidoa"}, "contact-8": {"town": "Baidoa"}}).gone == 1


def test_a_group_that_vanishes_meanwhile_is_told_once(connect, workspace):
    writer = connect()
    writer.set_group("Advert", uuids(1))
    workspace.groups.clear()
    with pytest.raises(UnusableTargetError, match="group 'Advert': refused all 99 contacts"):
        writer.set_group("Advert", uuids(*range(100)))


def test_a_smart_group_is_refused_in_one_line(connect, workspace):
    with pytest.raises(UnusableTargetError, match="group 'OLD' is a smart one") as caught:
        connect().set_group("OLD", uuids(1))
    assert "\n" not in str(caught.value)
    assert posts(workspace) == []


def test_fields_are_made_and_keys_that_can_not_be_used_are_explained(connect, workspace):
    problems = connect().find_fields(["age", "town", "uuid", "age_answered"])
    assert set(problems) == {"age", "uuid"}
    assert "takes no texts" in problems["age"]
    assert "reserved name" in problems["uuid"]
    assert [row["key"] for row in workspace.fields] == ["age", "town", "age_answered"]


def test_a_group_or_field_whose_answer_got_lost_is_not_made_twice(connect, workspace, waits):
    def carry_out_and_hang_up(request):
        if request.command != "POST":
            return False
        request.workspace.write(request.endpoint, request.query, request.document)
        return request.break_off()

    workspace.trouble += [once("groups", carry_out_and_hang_up, 1), once("fields", carry_out_and_hang_up, 1)]
    writer = connect()
    assert writer.find_fields(["age_answered"]) == {}
    assert writer.set_group("Advert", uuids(1)).changed == 1
    assert [row["name"] for row in workspace.groups].count("Advert") == 1


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_temporary_refusal_is_waited_out(connect, workspace, waits, status):
    def answer(request):
        return request.command == "POST" and request.reply(status, b"{}", {"Retry-After": "30"})

    workspace.trouble.append(once("contact_actions", answer))
    assert connect().set_group("Listeners", uuids(1)).changed == 1
    assert waits == [30.375]


def test_a_token_that_may_only_read_is_told(connect, workspace):
    answer = {"detail": "You do not have permission to perform this action."}
    workspace.trouble.append(refuse(403, answer))
    with pytest.raises(ServiceError, match=r"the token may not write \(status 403: You do not have permission"):
        connect().set_group("Listeners", uuids(1))


def test_a_redirect_is_no_success(connect, workspace):
    def redirect(request):
        return request.command == "POST" and request.reply(301, b"", {"Location": request.path})

    workspace.trouble.append(redirect)
    with pytest.raises(ServiceError, match="status 301"):
        connect().set_group("Listeners", uuids(1))


def test_one_refused_contact_is_counted_and_many_in_a_row_end_it(connect, workspace):
    values = {uuid: {"town": "Baidoa"} for uuid in uuids(*range(40))}
    workspace.trouble.append(refuse(400, {"fields": {"town": ["Ensure this field is short: +252615000001."]}}))
    written = connect().set_fields(values)
    assert (written.changed, written.refused) == (39, 1)
    assert written.reasons == Counter({"Ensure this field is short: +….": 1})
    workspace.fields.clear()
    with pytest.raises(ServiceError, match="refused 25 contacts in a row: Invalid contact field key: town"):
        connect().set_fields({uuid: {"town": "Kismayo"} for uuid in values})


def test_neither_numbers_nor_the_token_are_logged(connect, workspace, caplog):
    caplog.set_level(logging.DEBUG)
    writer = connect()
    writer.set_group("Advert", uuids(*range(5)))
    writer.set_fields({"contact-1": {"town": "Baidoa"}})
    assert "252615" not in caplog.text
    assert TOKEN not in caplog.text


class TestSandbox:
    """The sandbox's RapidPro takes the same writes, and the official client reads the result."""

    def test_the_official_client_reads_what_was_written(self):
        workspace = make_workspace(DEFAULT_SEED, 0)
        active = [row["uuid"] for row in workspace.contacts if not row["blocked"]][:120]
        saved = []
        with serve_sandbox(workspace, save=lambda changes: saved.append(changes)) as address:
            writer = ContactWriter(RapidProWriter(address, workspace.token, RetryPolicy()), len(workspace.contacts))
            assert writer.find_fields(["consent_withdrawn"]) == {}
            assert writer.set_group("stopped", active).changed == 120
            assert writer.set_fields({active[0]: {"consent_withdrawn": "yes"}}).changed == 1
            assert writer.block(active[:1]).changed == 1
            client = TembaClient(address, workspace.token)
            assert {row.uuid for row in client.get_contacts(group="stopped").all()} == set(active[1:])
            first = client.get_contacts(uuid=active[0]).first()
            assert (first.fields["consent_withdrawn"], first.status) == ("yes", None)
            newest = client.get_contacts().first()
            assert newest.uuid == active[0]
            assert len(client.get_contacts().all()) == len(workspace.contacts)
        with serve_sandbox(workspace, changes=saved[-1]) as address:
            client = TembaClient(address, workspace.token)
            assert {row.uuid for row in client.get_contacts(group="stopped").all()} == set(active[1:])
            assert "consent_withdrawn" in [field.key for field in client.get_fields().all()]
