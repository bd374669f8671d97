"""Check RapidPro sources: their settings, the fetched answers, and the server."""

import re
from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.services.rapidpro.client import RapidProClient
from engagement.services.storage.protocol import read_token
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.online_check import OnlineCheck
from engagement.sources.rapidpro.cut_texts import find_cut_texts, find_server_that_cuts
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.online_questions import (
    find_flow_problems,
    find_rapid_pro_warnings,
    find_workspace_problems,
    find_workspace_warnings,
    read_as_the_fetch_does,
)

PlacedRapidPro = PlacedSource[RapidProSource]
_LOOPBACK = re.compile(r"http://(127\.\d+\.\d+\.\d+|localhost|\[::1\])([:/].*)?")


def find_warnings(sources: Sequence[PlacedRapidPro], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find oddities in the workspaces' addresses, and in their test contacts."""
    for at, source in sources:
        if source.domain.startswith("http://") and not _LOOPBACK.fullmatch(source.domain):
            yield Problem(
                f"{at}.Domain", "http:// sends the token and all messages unencrypted; expected https://. Change it."
            )
        has_tests = source.test_contact_uuids or configuration.test_participant_uuids
        if configuration.filter_test_messages and not has_tests:
            yield Problem(
                at, "no TestContactUUIDs, so that no test message is left out; expected the team's contacts. Add them."
            )
        for number, uuid in enumerate(source.test_contact_uuids):
            place = f"{at}.TestContactUUIDs[{number}]"
            if uuid in source.test_contact_uuids[:number]:
                yield Problem(place, "it is in the list already; expected once. Remove it.")


def find_warnings_in_runs(sources: Sequence[PlacedRapidPro], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find sources that bring parts of answers instead of whole texts."""
    return find_cut_texts(sources, lengths)


def ask(placed: PlacedRapidPro, check: OnlineCheck) -> None:
    """Ask the workspace for its flows, the test contacts, and a page of each listing."""
    at, source = placed
    findings, remappings = check.findings, check.remappings
    with findings.noted(f"{at}.TokenFileURL"):
        token = read_token(check.storage, source.token_file_url)
        with RapidProClient(source.domain, token, check.policy) as client:
            workspace = client.workspace()
            findings.add_errors(find_workspace_problems(at, source, workspace))
            findings.add_warnings(find_workspace_warnings(at, source, workspace))
            flows = client.flows()
            findings.add_errors(find_flow_problems(at, source, flows, remappings))
            findings.add_warnings(find_rapid_pro_warnings(at, source, flows, remappings))
            findings.add_warnings(_find_unknown_testers(at, source, client))
            findings.add_warnings(read_as_the_fetch_does(at, source, client, flows))
            cut = find_server_that_cuts(at, source, flows, lambda flow: next(client.runs(flow, None)).rows)
            findings.add_warnings(cut)


def _find_unknown_testers(at: str, source: RapidProSource, client: RapidProClient) -> Iterator[Problem]:
    for number, uuid in enumerate(source.test_contact_uuids):
        if not client.has_contact(uuid):
            yield Problem(
                f"{at}.TestContactUUIDs[{number}]",
                "the workspace has no contact with this uuid, so that none of its messages is left out; expected one of "
                "this workspace. Change or remove it.",
            )
