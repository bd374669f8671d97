"""Names of a source's flows, and its notion of one participant."""

import enum
from typing import Annotated

from pydantic import Discriminator, Tag

from engagement.configuration.model import FLOW_TAGS, Model, key
from engagement.configuration.value_types import FlowName, Text


class ChosenFlow(Model):
    """Flow by its uuid: one of several with the same name, or one with a name of its own here."""

    name: FlowName = key("Name", "what the flow is called here: in keys of the raw data and in Raw Data/", "s01e01")
    uuid: Text = key("UUID", "the flow's uuid in RapidPro", "6f2f7d0c-58f1-4b0e-9f0f-6d7f5c1e2a34")


FlowChoice = Annotated[
    Annotated[FlowName, Tag(FLOW_TAGS[0])] | Annotated[ChosenFlow, Tag(FLOW_TAGS[1])],
    Discriminator(lambda choice: FLOW_TAGS[isinstance(choice, dict | ChosenFlow)]),
]


def name_of_flow(choice: str | ChosenFlow) -> str:
    """Name a flow as in this project."""
    return choice if isinstance(choice, str) else choice.name


def flow_name_of_url(url: str) -> str:
    """Name the flow that a file holds: the file's name without its extension.

    >>> flow_name_of_url("gs://recovered/2021/s01e01_recovered.csv")
    's01e01_recovered'
    """
    name = url.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[0] or name


class Identity(enum.StrEnum):
    """Definition of one participant: a phone number, or a contact."""

    URN = "urn"
    CONTACT = "contact"
