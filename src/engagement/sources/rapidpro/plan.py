"""Plan a fetch from RapidPro. Asks for its flows, its archives, and one page of each other listing."""

from collections.abc import Iterator
from datetime import datetime

from engagement.foundation.errors import count_of
from engagement.services.rapidpro.client import Contact, Flow, Page, RapidProClient, Run
from engagement.services.storage.protocol import read_token
from engagement.sources.plan_context import SourcePlanContext, say_time
from engagement.sources.rapidpro.chosen_flows import find_flows
from engagement.sources.rapidpro.contact_map import read_contacts
from engagement.sources.rapidpro.fetch import state_file_name
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.state.fetch_state import FetchState, FlowState, look_at_fetch_state
from engagement.sources.rapidpro.workspaces import contacts_files, refuse_anonymous


def plan_fetch(source: RapidProSource, context: SourcePlanContext) -> Iterator[str]:
    """Describe the runs held by now, and what is new in RapidPro."""
    path = context.data_root / "State" / "fetch" / state_file_name(source)
    with look_at_fetch_state(path) as state:
        contacts, newest = state.contacts()
        yield f"RapidPro {source.domain}: {count_of(contacts, 'contact')} known{_say_newest(newest)}"
        if state.is_behind:
            yield "a fetch is at work, or was killed: what it took in last counts as new here"
        was_asked = False
        with context.asking():
            yield from _ask(source, state, context)
            was_asked = True
        if not was_asked:
            yield "could not find out what is new"


def _ask(source: RapidProSource, state: FetchState, context: SourcePlanContext) -> Iterator[str]:
    token = read_token(context.storage, source.token_file_url)
    with RapidProClient(source.domain, token, context.policy) as client:
        workspace = client.workspace()
        refuse_anonymous(source, workspace)
        flows = find_flows(source, client.flows())
        if state.workspace() not in (None, workspace.uuid):
            yield f"the token is of workspace {workspace.uuid}, BUT EVERYTHING SO FAR CAME FROM {state.workspace()}"
            return
        for flow in flows:
            held = state.flow(flow.uuid, flow.name)
            yield _describe_runs(flow, held, state, next(client.runs(flow.uuid, held.newest)))
        _, newest = state.contacts()
        page = next(client.contacts(newest))
        uuids = {contact.uuid for contact in page.rows}
        # The contacts' participants outlive the state.
        files = {*contacts_files(source, workspace, context.data_root)} if uuids and state.is_empty() else ()
        known = {contact for file in files for contact, _ in read_contacts(file)}
        new = state.new_contacts(uuids - known)
        yield f"contacts: {_say_new(page, f'{new} new', newest)}"
        names = [(flow.uuid, flow.name) for flow in flows]
        archives = client.run_archives()
        unread = [archive for archive in archives if not state.has_read_archive(archive.md5, names)]
        runs = sum(archive.record_count for archive in unread)
        if source.full_texts:
            yield "messages: those since the first answer whose whole text is not known yet"
        yield f"archives: {len(archives)} of runs, {len(unread)} not read yet, with {count_of(runs, 'run')} of all flows"


def _describe_runs(flow: Flow, held: FlowState, state: FetchState, page: Page[Run]) -> str:
    modified: dict[str, datetime] = {}
    for run in page.rows:
        modified[run.uuid] = max(run.modified_on, modified.get(run.uuid, run.modified_on))
    new, changed = state.new_runs(flow.uuid, flow.name, modified)
    waiting = f", {held.waiting} more wait for their contact" if held.waiting else ""
    found = _say_new(page, f"{new} new, {changed} changed", held.newest)
    return f"flow {flow.name!r}: {count_of(held.runs, 'run')} held{waiting}{_say_newest(held.newest)}; {found}"


def _say_newest(newest: datetime | None) -> str:
    return "" if newest is None else f", the newest of {say_time(newest)}"


def _say_new(page: Page[Run] | Page[Contact], found: str, newest: datetime | None) -> str:
    """Describe what is new, from the first page since the newest that came."""
    since = "" if newest is None else " since"
    if page.following is None:
        return f"{found}{since}"
    return f"{found} in the first page{since}, of {len(page.rows)}; more follow"
