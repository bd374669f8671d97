"""Configuration of the flows of a RapidPro workspace."""

import enum
from collections.abc import Iterator, Sequence
from typing import Literal, Self

from engagement.configuration.flow_choices import ChosenFlow, FlowChoice, Identity, name_of_flow
from engagement.configuration.model import key
from engagement.configuration.plan_checks import find_repeated, find_same_files
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource, RawDataSource, ResultKeys
from engagement.configuration.value_types import Domain, StorageUrl, Text, Uuid


class ArchivePolicy(enum.StrEnum):
    """Use of the archives that RapidPro makes of old runs, in a fetch."""

    READ = "read"
    IGNORE = "ignore"


class RapidProSource(RawDataSource):
    """Flows of one RapidPro workspace."""

    flow_keys = ("ActivationFlowNames", "SurveyFlowNames")
    result_keys = ResultKeys.ITS_OWN_FLOWS
    uses_uuid_table = True
    takes_writes = True
    tells_numbers = True
    read_by_fetch_alone = frozenset(
        {"domain", "token_file_url", "contacts_file_name", "identity", "archives", "full_texts"}
    )

    source_type: Literal["RapidPro"] = key("SourceType", "'RapidPro'", "RapidPro")
    domain: Domain = key(
        "Domain", "host of the RapidPro server, with a scheme and a port where they differ", "textit.in"
    )
    token_file_url: StorageUrl = key(
        "TokenFileURL", "gs:// or file:// address of a text file with the workspace's token", "gs://keys/token.txt"
    )
    contacts_file_name: Text | None = key(
        "ContactsFileName",
        "name of what the fetch keeps in State/, and in Contacts/ where the server tells no uuid of its workspace; without it "
        "the host's",
        "project_contacts",
        None,
    )
    activation_flow_choices: tuple[FlowChoice, ...] = key(
        "ActivationFlowNames",
        "flows that receive the answers to episodes: a name, or name and uuid where several flows have it",
        ["s01e01_activation"],
        (),
    )
    survey_flow_choices: tuple[FlowChoice, ...] = key(
        "SurveyFlowNames",
        "flows that ask participants about themselves: a name, or name and uuid where several flows have it",
        ["s01_demographics"],
        (),
    )
    identity: Identity = key(
        "Identity",
        "what a participant is: 'urn', everybody with one phone number or other URN; or 'contact', a contact, where the "
        "workspace is anonymous",
        "urn",
        Identity.URN,
    )
    archives: ArchivePolicy = key(
        "Archives",
        "'read' the archives that RapidPro makes of old runs, or 'ignore' them",
        "ignore",
        ArchivePolicy.READ,
    )
    test_contact_uuids: tuple[Uuid, ...] = key(
        "TestContactUUIDs",
        "RapidPro's uuids of the contacts that the team tests with",
        ["3c5b7f0e-8d43-4c3e-9b6a-0d4f2a9c7e11"],
        (),
    )
    full_texts: bool = key(
        "FullTexts",
        "whether whole texts are looked up in RapidPro's messages where a flow's test kept a part of them",
        True,
        False,
    )

    @property
    def activation_flow_names(self) -> tuple[str, ...]:
        """Names of the activation flows, in order."""
        return tuple(map(name_of_flow, self.activation_flow_choices))

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """Names of the survey flows, in order."""
        return tuple(map(name_of_flow, self.survey_flow_choices))

    @property
    def contacts_name(self) -> str:
        """The name of the contact map: the configured one, else the host's."""
        return self.contacts_file_name or self.domain.rpartition("://")[2].rstrip("/").lower()

    @property
    def test_contacts(self) -> tuple[str, ...]:
        """Uuids of the contacts that the team tests with."""
        return self.test_contact_uuids

    @property
    def token_file_urls(self) -> tuple[str, ...]:
        """Address of the file with the workspace's token."""
        return (self.token_file_url,)

    def placed_choices(self) -> Iterator[tuple[str, str | ChosenFlow]]:
        """The flows as they are configured, each with its place in the source."""
        for key_of_flows, choices in zip(
            self.flow_keys, (self.activation_flow_choices, self.survey_flow_choices), strict=True
        ):
            for number, choice in enumerate(choices):
                yield f"{key_of_flows}[{number}]", choice

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find workspaces that share a name for their contacts, and repeated uuids of flows."""
        workspaces: dict[str, tuple[str, str, str]] = {}
        uuids: list[tuple[str, str]] = []
        for at, source in sources:
            # The reading position in a workspace's contacts is part of their map.
            workspace = (source.domain, source.token_file_url)
            first = workspaces.setdefault(source.contacts_name, (*workspace, at))
            if first[:2] != workspace:
                own = source.contacts_file_name
                named = repr(own) if own else f"{source.contacts_name!r}, the host's,"
                yield Problem(
                    f"{at}.ContactsFileName",
                    f"{named} is also that of another workspace, at {first[2]}; expected one name a workspace. "
                    f"{'Change one' if own else 'Add one'}.",
                )
            choices = source.placed_choices()
            uuids += [(f"{at}.{place}.UUID", choice.uuid) for place, choice in choices if not isinstance(choice, str)]
        yield from find_repeated(uuids, "flow's uuid")
        names = [(f"{at}.ContactsFileName", source.contacts_name) for at, source in sources]
        yield from find_same_files(names, "contacts' file")
