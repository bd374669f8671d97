"""What RapidPro says of a source: its flows, the results that they keep, and rows as the fetch reads them."""

from collections.abc import Iterator, Sequence

from engagement.configuration import RapidProSource
from engagement.configuration.nearest import nearest
from engagement.configuration.pipeline_configuration import ArchivePolicy, RapidProKeyRemapping
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import category_of, read_result_key
from engagement.services.rapidpro import Contact, Flow, Page, RapidProClient, Run


def placed_flows(at: str, source: RapidProSource) -> Iterator[tuple[str, str]]:
    """The flows of a source, each with its JSON path; `at` is the source's."""
    for key, names in (
        ("ActivationFlowNames", source.activation_flow_names),
        ("SurveyFlowNames", source.survey_flow_names),
    ):
        for number, name in enumerate(names):
            yield f"{at}.{key}[{number}]", name


def find_flow_problems(
    at: str, source: RapidProSource, flows: Sequence[Flow], remappings: Sequence[RapidProKeyRemapping]
) -> Iterator[Problem]:
    """Flows that the workspace lacks, and fields that no result of its flows is the source of."""
    listed = {flow.name for flow in flows}
    for place, name in placed_flows(at, source):
        if name not in listed:
            yield Problem(
                place,
                f"the workspace at {source.domain} has no flow {name!r}; expected one{nearest(name, sorted(listed))} Change it.",
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
        # A flow's earlier results may stay beside those that came in their place: the old runs have them.
        if result is not None and result.flow in results and remapping.pipeline_key not in written:
            yield Problem(
                f"$.RapidProKeyRemappings[{position}].RapidProKey",
                f"flow {result.flow!r} keeps no result {result.category!r}, and nothing else writes {remapping.pipeline_key!r}; "
                f"expected one of its results{nearest(result.category, sorted(results[result.flow]))} Change it.",
            )


def find_rapid_pro_warnings(
    at: str, source: RapidProSource, flows: Sequence[Flow], remappings: Sequence[RapidProKeyRemapping]
) -> Iterator[Problem]:
    """Archived flows, and results that no remapping reads."""
    archived = {flow.name for flow in flows if flow.archived} - {flow.name for flow in flows if not flow.archived}
    read = {(result.category, result.flow) for r in remappings if (result := read_result_key(r.rapid_pro_key))}
    results = _results_of(source, flows)
    for place, name in placed_flows(at, source):
        if name in archived:
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
    """Ask for a page of contacts, a page of each flow's runs and the archives, and tell what the fetch would set aside of them.

    What stops a fetch is raised, as it is there.
    """
    unreadable = "the fetch sets them aside; expected rows as RapidPro sends them. Ask whoever runs the server."
    contacts = next(client.contacts(None))
    if contacts.unreadable:
        yield Problem(at, f"{_say(contacts, 'contacts')}, and {unreadable}")
    by_name = _choose_flows(source, flows)
    for place, name in placed_flows(at, source):
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


def _choose_flows(source: RapidProSource, flows: Sequence[Flow]) -> dict[str, Flow]:
    """The source's flows by name; of two with one name the one that is not archived."""
    wanted = {*source.activation_flow_names, *source.survey_flow_names}
    return {flow.name: flow for flow in sorted(flows, key=lambda flow: not flow.archived) if flow.name in wanted}


def _results_of(source: RapidProSource, flows: Sequence[Flow]) -> dict[str, set[str]]:
    """What the source's flows keep, as the fetch calls it."""
    kept = {name: flow.results for name, flow in _choose_flows(source, flows).items()}
    # Of a flow that lists none nothing is known.
    return {name: {category_of(result.key) for result in results} for name, results in kept.items() if results}
