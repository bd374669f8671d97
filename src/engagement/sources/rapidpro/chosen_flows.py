"""Choose the flows of a workspace that a source's configuration names, by name or by uuid."""

import difflib
from collections.abc import Sequence

import msgspec

from engagement.configuration.flow_choices import ChosenFlow, name_of_flow
from engagement.foundation.errors import ConfigurationError, listing
from engagement.services.rapidpro.client import Flow
from engagement.sources.rapidpro.model import RapidProSource


def find_flows(source: RapidProSource, listed: Sequence[Flow]) -> list[Flow]:
    """List the configured flows, in order, each under its name in the configuration.

    Raises
    ------
    ConfigurationError
        The workspace lacks a flow, has two of one name, or a flow is chosen twice.
    """
    flows: list[Flow] = []
    problems = []
    places: dict[str, str] = {}
    for place, choice in source.placed_choices():
        found = flows_of(choice, listed)
        if len(found) != 1:
            problems.append(f"{_describe(choice, found, listed)} Check {place}.")
            continue
        first = places.setdefault(found[0].uuid, place)
        if first != place:
            problems.append(f"flow {found[0].uuid} is already at {first}; expected once. Remove {place}.")
        flows.append(msgspec.structs.replace(found[0], name=name_of_flow(choice)))
    if problems:
        raise ConfigurationError(f"RapidPro {source.domain}: {listing(problems)}")
    return flows


def flows_of(choice: str | ChosenFlow, listed: Sequence[Flow]) -> list[Flow]:
    """Find the flows that a choice can mean: by uuid, or by name, with live ones before archived ones."""
    if not isinstance(choice, str):
        return [flow for flow in listed if flow.uuid == choice.uuid]
    named = [flow for flow in listed if flow.name == choice]
    return [flow for flow in named if not flow.archived] or named


def describe_several(name: str, flows: Sequence[Flow]) -> str:
    """Report that several flows have one name, and how to choose one."""
    uuids = " and ".join(flow.uuid for flow in flows)
    example = f'{{"Name": "{name}", "UUID": "{flows[0].uuid}"}}'
    return (
        f"{len(flows)} flows are called {name!r}: {uuids}; expected one. Rename or archive the others in RapidPro, or choose "
        f"by uuid, with {example} in place of the name; another Name takes a second one, too."
    )


def _describe(choice: str | ChosenFlow, found: Sequence[Flow], listed: Sequence[Flow]) -> str:
    if len(found) > 1:
        return describe_several(name_of_flow(choice), found)
    if not isinstance(choice, str):
        named = [flow.uuid for flow in listed if flow.name == choice.name]
        return f"no flow has the uuid {choice.uuid!r}; those called {choice.name!r}: {', '.join(named) or 'none'}."
    names = sorted({flow.name for flow in listed})
    near = difflib.get_close_matches(choice, names, n=3, cutoff=0.4) or names[:9]
    return f"no flow named {choice!r}; nearest: {', '.join(map(repr, near)) or 'the workspace has none'}."
