"""Runs whose contact did not come with the contacts: it is asked for, until it comes or is gone."""

import logging

import pytest

import fake_rapidpro
from engagement.sources.rapidpro import contacts_waited_for
from fake_rapidpro import Workspace, contact, run


@pytest.fixture
def workspace():
    runs = [run(number, "s01e01", of=number, answer="haa") for number in range(1, 9)]
    return Workspace(["s01e01", "s01e02", "demog"], [contact(1)], runs)


def asked_for(workspace):
    """The contacts that were asked for since this was last asked."""
    found = [request.partition("uuid=")[2] for request in workspace.requests if "contacts.json?uuid=" in request]
    workspace.requests.clear()
    return found


def test_a_contact_that_no_listing_brings_is_found(project, workspace):
    hidden = contact(2)

    class Server(fake_rapidpro.Request):
        def _rows(self, address):
            rows = super()._rows(address)
            return [hidden] if self.endpoint == "contacts" and self.query.get("uuid") == "contact-2" else rows

    with fake_rapidpro.serve(workspace, Server) as address:
        project.source["Domain"] = address
        project.fetch()
    assert project.run_ids("s01e01") == [9001, 9002]


def test_a_contact_that_is_gone_is_asked_for_once_and_told_apart(project, workspace, caplog):
    with caplog.at_level(logging.INFO):
        project.fetch()
    assert asked_for(workspace) == [f"contact-{number}" for number in range(2, 9)]
    gone, waiting = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the contact of some runs is gone, so that they are left out for good: contact-2, contact-3, " in gone
    assert "7 runs left out" in waiting
    caplog.clear()
    with caplog.at_level(logging.INFO):
        project.fetch()
    assert "Flow 's01e01': left out for good: 7 runs of 7 contacts that RapidPro has no more" in caplog.text
    assert "7 left out without a contact" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert asked_for(workspace) == []
    workspace.contacts.append(contact(2, modified=3000))
    project.fetch()
    assert project.run_ids("s01e01") == [9001, 9002]


def test_contacts_without_a_urn_are_asked_for_in_turn_some_a_night(project, workspace, monkeypatch):
    monkeypatch.setattr(contacts_waited_for, "_MOST_ASKED_FIRST", 5)
    monkeypatch.setattr(contacts_waited_for, "_MOST_ASKED_AGAIN", 2)
    workspace.contacts += [{**contact(number), "urns": []} for number in range(2, 9)]
    nights = []
    for _ in range(5):
        project.fetch()
        nights.append([name.removeprefix("contact-") for name in asked_for(workspace)])
    assert nights == [["2", "3", "4", "5", "6"], ["7", "8", "2", "3"], ["4", "5"], ["6", "7"], ["8", "2"]]
