"""The online check reads what stage 2 reads, with the same code: it finds what would stop or thin out a fetch."""

import pytest

import fake_rapidpro
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.client import RapidProClient
from engagement.services.retries import RetryPolicy
from engagement.sources.rapidpro.model import ArchivePolicy, RapidProSource
from engagement.sources.rapidpro.online_questions import read_as_the_fetch_does
from fake_rapidpro import TOKEN, Workspace, contact, once, run


@pytest.fixture
def workspace():
    runs = [run(number, "show", of=1, answer="haa") for number in range(5)]
    return Workspace(["show", "demog", "unused"], [contact(1), contact(2)], runs)


@pytest.fixture
def check(workspace):
    with fake_rapidpro.serve(workspace) as address:

        def check(**keys):
            names = {"ContactsFileName": "c", "TokenFileURL": "gs://keys/t.txt", "SourceType": "RapidPro"}
            flows = {"ActivationFlowNames": ("show",), "SurveyFlowNames": ("demog",)}
            source = RapidProSource.model_validate({**names, **flows, "Domain": address, **keys})
            with RapidProClient(address, TOKEN, RetryPolicy(sleep=lambda _: None)) as client:
                return [
                    f"{problem.place}: {problem.text}"
                    for problem in read_as_the_fetch_does("$", source, client, client.flows())
                ]

        yield check


def test_a_workspace_that_can_be_fetched_from_gets_no_finding(check, workspace):
    workspace.archives = {"2026-01-01": [run(9, "show", of=1)], "2026-02-01": []}
    assert check() == []
    asked = {request.partition("?")[0].rpartition("/")[2] for request in workspace.requests}
    assert asked == {"flows.json", "contacts.json", "runs.json", "archives.json"}
    assert not [request for request in workspace.requests if "unused" in request]


def test_rows_that_the_fetch_would_set_aside_are_told(check, workspace):
    workspace.contacts[0]["urns"] = None
    workspace.runs[0]["id"] = workspace.runs[1]["id"] = "none"
    first, second = check()
    assert first.startswith(
        "at $: of the first 2 contacts 1 can't be read, one at urns: Expected `array`, got `null`, and"
    )
    assert second.startswith(
        "at $.ActivationFlowNames[0]: of the first 5 runs of flow 'show' 2 can't be read, one at id: "
    )


def test_an_archive_that_cant_be_had_is_told(check, workspace):
    rows = workspace.archive_rows
    workspace.archives = {"2026-01-01": [run(9, "show", of=1)]}
    workspace.archive_rows = lambda address: [{**row, "download_url": None} for row in rows(address)]
    (line,) = check()
    assert line.startswith("at $: archive 2026-01-01 (monthly) is listed without what it takes to read it")
    assert check(Archives=ArchivePolicy.IGNORE) == []


@pytest.mark.parametrize("endpoint", ["contacts", "runs", "archives"])
def test_what_stops_the_fetch_stops_the_check(check, workspace, endpoint):
    workspace.trouble.append(
        once(endpoint, lambda request: request.reply(403, b'{"detail": "You do not have permission"}'))
    )
    with pytest.raises(ServiceError, match="403: You do not have permission"):
        check()
