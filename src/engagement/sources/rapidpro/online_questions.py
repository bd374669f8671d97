"""Ask RapidPro about a source: its flows, their results, and rows as the fetch reads them."""

from collections.abc import Iterator, Sequence

from engagement.configuration.flow_choices import ChosenFlow, Identity, name_of_flow
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import category_of, read_result_key
from engagement.configuration.remappings import RapidProKeyRemapping
from engagement.services.rapidpro.client import Contact, Flow, Page, RapidProClient, Run, Workspace
from engagement.sources.rapidpro.chosen_flows import describe_several, flows_of
from engagement.sources.rapidpro.model import ArchivePolicy, RapidProSource
from engagement.sources.rapidpro.workspaces import describe_anonymous


def find_workspace_problems(at: str, source: RapidProSource, workspace: Workspace) -> Iterator[Problem]:
    """An anonymous workspace, whose source needs the URNs that it hides."""
    if workspace.anon and source.identity is Identity.URN:
        yield Problem(at, describe_anonymous(workspace))


def find_workspace_warnings(at: str, source: RapidProSource, workspace: Workspace) -> Iterator[Problem]:
    """A workspace that shows its URNs, though its source does not use them."""
    if not workspace.anon and source.identity is Identity.CONTACT:
        yield Problem(
            f"{at}.Identity",
            f"'contact', though workspace {workspace.name!r} shows its URNs: whoever has two contacts, or writes to another "
            "workspace too, is several participants; expected 'urn', unless that is meant. Change it.",
        )


def find_flow_problems(
    at: str, source: RapidProSource, flows: Sequence[Flow], remappings: Sequence[RapidProKeyRemapping]
) -> Iterator[Problem]:
    """Find flows that the workspace lacks or has twice, and fields that no result of its flows fills."""
    listed = sorted({flow.name for flow in flows})
    taken: dict[str, str] = {}
    for place, choice in _placed(at, source):
        name, found = name_of_flow(choice), flows_of(choice, flows)
        if len(found) > 1:
            yield Problem(place, describe_several(name, found))
        elif found:
            if taken.setdefault(found[0].uuid, place) != place:
                yield Problem(place, f"it is the flow at {taken[found[0].uuid]}; expected each once. Remove one.")
        elif isinstance(choice, str):
            yield Problem(
                place,
                f"the workspace at {source.domain} has no flow {name!r}; expected one{nearest(name, listed)} Change it.",
            )
        else:
            yield Problem(
                place,
                f"the workspace at {source.domain} has no flow of the uuid {choice.uuid!r}; expected one. Change it.",
            )
    results = _results_of(source, flows)
    written = {
        remapping.pipeline_key
        for remapping in remappings
        if (result := read_result_key(remapping.rapid_pro_key)) is None
        or result.flow not in results
        or result.category in results[result.flow]
    }
    for position, remapping in enumerate(remappings):
        result = read_result_key(remapping.rapid_pro_key)
        # A flow's earlier results may stay beside their replacements: the old runs have them.
        if result is not None and result.flow in results and remapping.pipeline_key not in written:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                f"flow {result.flow!r} keeps no result {result.category!r}, and nothing else writes {remapping.pipeline_key!r}; "
                f"expected one of its results{nearest(result.category, sorted(results[result.flow]))} Change it.",
            )


def find_rapid_pro_warnings(
    at: str, source: RapidProSource, flows: Sequence[Flow], remappings: Sequence[RapidProKeyRemapping]
) -> Iterator[Problem]:
    """Find archived flows, and results that no remapping reads."""
    found = dict(_flows_by_name(source, flows))
    read = {(result.category, result.flow) for r in remappings if (result := read_result_key(r.rapid_pro_key))}
    results = _results_of(source, flows)
    for place, choice in _placed(at, source):
        name = name_of_flow(choice)
        if name in found and found[name].archived:
            yield Problem(
                place, f"flow {name!r} is archived, so that nothing new comes; expected a live one. Change it."
            )
        for category in sorted(results.get(name, ())):
            if (category, name) not in read:
                yield Problem(
                    place,
                    f"no remapping reads the result {category!r} that flow {name!r} keeps; expected one. Add "
                    f"'{category} (Text) - {name}', or leave it be if nobody needs it.",
                )


def read_as_the_fetch_does(
    at: str, source: RapidProSource, client: RapidProClient, flows: Sequence[Flow]
) -> Iterator[Problem]:
    """Ask for a page of each listing, and report the rows that the fetch would set aside.

    Raises the same errors as the fetch.
    """
    unreadable = "the fetch sets them aside; expected rows as RapidPro sends them. Ask whoever runs the server."
    contacts = next(client.contacts(None))
    if contacts.unreadable:
        yield Problem(at, f"{_say(contacts, 'contacts')}, and {unreadable}")
    by_name = dict(_flows_by_name(source, flows))
    for place, choice in _placed(at, source):
        name = name_of_flow(choice)
        if name in by_name:
            runs = next(client.runs(by_name[name].uuid, None))
            if runs.unreadable:
                yield Problem(place, f"{_say(runs, f'runs of flow {name!r}')}, and {unreadable}")
    if source.archives is ArchivePolicy.READ:
        for archive in client.run_archives():
            if not archive.address:
                yield Problem(
                    at,
                    f"{archive.name} is listed without what it takes to read it, so that its runs are missing; expected a hash, "
                    "a count and an address. Ask whoever runs the server.",
                )


def _say(page: Page[Run] | Page[Contact], what: str) -> str:
    first = page.unreadable[0]
    count, of = len(page.unreadable), len(page.unreadable) + len(page.rows)
    return f"of the first {of} {what} {count} can't be read, one at {first.key or 'the row'}: {first.reason}"


def _placed(at: str, source: RapidProSource) -> Iterator[tuple[str, str | ChosenFlow]]:
    return ((f"{at}.{place}", choice) for place, choice in source.placed_choices())


def _flows_by_name(source: RapidProSource, flows: Sequence[Flow]) -> Iterator[tuple[str, Flow]]:
    """Find the source's flows that the workspace has, by their names here."""
    for _, choice in source.placed_choices():
        found = flows_of(choice, flows)
        if len(found) == 1:
            yield name_of_flow(choice), found[0]


def _results_of(source: RapidProSource, flows: Sequence[Flow]) -> dict[str, set[str]]:
    """Find the results that the source's flows keep, by the fetch's names."""
    # A flow that lists none may still have results.
    return {
        name: {category_of(result.key) for result in flow.results}
        for name, flow in _flows_by_name(source, flows)
        if flow.results
    }
