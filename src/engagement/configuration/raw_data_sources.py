"""Where the messages of a project come from: one model for each type of source."""

import enum
from typing import Annotated, Literal

from pydantic import Field

from engagement.configuration.flow_choices import FlowChoice, Identity, name_of_flow
from engagement.configuration.model import Model, key
from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS, RecoveredKeyNames
from engagement.configuration.value_types import Domain, StorageUrl, Text, Uuid


class ArchivePolicy(enum.StrEnum):
    """What a fetch does with the archives that RapidPro makes of old runs."""

    READ = "read"
    IGNORE = "ignore"


class RapidProSource(Model):
    """Flows of one RapidPro workspace."""

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
        """What the activation flows are called, in order."""
        return tuple(map(name_of_flow, self.activation_flow_choices))

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """What the survey flows are called, in order."""
        return tuple(map(name_of_flow, self.survey_flow_choices))

    @property
    def contacts_name(self) -> str:
        """The name of the contact map: the configured one, else the host's."""
        return self.contacts_file_name or self.domain.rpartition("://")[2].rstrip("/").lower()


class _UrlSource(Model):
    activation_flow_urls: tuple[StorageUrl, ...] = key(
        "ActivationFlowURLs", "files with answers to episodes", ["gs://recovered/s01e01_recovered.csv"], ()
    )
    survey_flow_urls: tuple[StorageUrl, ...] = key(
        "SurveyFlowURLs", "files with answers about participants", ["gs://recovered/demographics.csv"], ()
    )


class GCloudBucketSource(_UrlSource):
    """TracedData files that another pipeline left in a bucket."""

    source_type: Literal["GCloudBucket"] = key("SourceType", "'GCloudBucket'", "GCloudBucket")


class RecoveredKeys(Model):
    """What the raw data call the parts of the messages of a source's recovery files."""

    text: Text = key("Text", "raw key of the text", "message_gender")
    time: Text = key("Time", "raw key of its time", "received_on_gender")
    run_id: Text = key("RunID", "raw key of its run id", "run_id_gender")


class RecoveryCSVSource(_UrlSource):
    """CSV files of messages that were recovered outside RapidPro."""

    source_type: Literal["RecoveryCSV"] = key("SourceType", "'RecoveryCSV'", "RecoveryCSV")
    keys: RecoveredKeys | None = key(
        "Keys", "raw keys of these files' messages; without them 'message', 'received_on' and 'run_id'", {}, None
    )

    @property
    def raw_keys(self) -> RecoveredKeyNames:
        """What the raw data call the text, the time and the run id of the files' messages."""
        return DEFAULT_RECOVERED_KEYS if self.keys is None else (self.keys.text, self.keys.time, self.keys.run_id)


RawDataSource = Annotated[RapidProSource | GCloudBucketSource | RecoveryCSVSource, Field(discriminator="source_type")]


def flow_name_of_url(url: str) -> str:
    """The flow's name that a file stands for: the file's name without its extension.

    >>> flow_name_of_url("gs://recovered/2021/s01e01_recovered.csv")
    's01e01_recovered'
    """
    name = url.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[0] or name


def activation_flows_of(source: RapidProSource | GCloudBucketSource | RecoveryCSVSource) -> tuple[str, ...]:
    """Names of a source's activation flows, in order."""
    if isinstance(source, RapidProSource):
        return source.activation_flow_names
    return tuple(map(flow_name_of_url, source.activation_flow_urls))


def survey_flows_of(source: RapidProSource | GCloudBucketSource | RecoveryCSVSource) -> tuple[str, ...]:
    """Names of a source's survey flows, in order."""
    if isinstance(source, RapidProSource):
        return source.survey_flow_names
    return tuple(map(flow_name_of_url, source.survey_flow_urls))
