"""What stage 2 would fetch. RapidPro is asked for a listing of flows and one of archives, and for one page of each other."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.desk.planning.context import PlanContext, say_time
from engagement.services.credentials import EmbeddedCredentials
from engagement.services.rapidpro.client import Contact, Flow, Page, RapidProClient, Run
from engagement.services.storage.protocol import read_credentials, read_token
from engagement.sources.gcloud_bucket.model import GCloudBucketSource
from engagement.sources.rapidpro.chosen_flows import find_flows
from engagement.sources.rapidpro.contact_map import read_contacts
from engagement.sources.rapidpro.fetch import state_file_name
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.state.fetch_state import FetchState, FlowState, look_at_fetch_state
from engagement.sources.rapidpro.workspaces import contacts_files, refuse_anonymous
from engagement.sources.recovery_csv.model import RecoveryCSVSource


def plan_fetch(context: PlanContext) -> Iterator[str]:
    """The lines about all sources, then about the uuid table."""
    for source in context.project.configuration.raw_data_sources:
        yield from _SOURCES[source.source_type](source, context)
    yield from _plan_uuid_table(context)


def _plan_rapidpro(source: RapidProSource, context: PlanContext) -> Iterator[str]:
    path = context.data_root / "State" / "fetch" / state_file_name(source)
    with look_at_fetch_state(path) as state:
        contacts, newest = state.contacts()
        yield f"RapidPro {source.domain}: {contacts} contacts known, the newest of {say_time(newest)}"
        if state.is_behind:
            yield "a fetch is at work, or was killed: what it took in last counts as new here"
        was_asked = False
        with context.asking():
            yield from _ask(source, state, context)
            was_asked = True
        if not was_asked:
            yield "it could not be asked what is new"


def _ask(source: RapidProSource, state: FetchState, context: PlanContext) -> Iterator[str]:
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
        # Who contacts are outlives the state.
        files = {*contacts_files(source, workspace, context.data_root)} if uuids and state.is_empty() else ()
        known = {contact for file in files for contact, _ in read_contacts(file)}
        new = state.new_contacts(uuids - known)
        yield f"contacts: {_say_new(page, f'{new} new')}"
        names = [(flow.uuid, flow.name) for flow in flows]
        archives = client.run_archives()
        unread = [archive for archive in archives if not state.has_read_archive(archive.md5, names)]
        runs = sum(archive.record_count for archive in unread)
        if source.full_texts:
            yield "messages: those since the first answer whose whole text is not known yet"
        yield f"archives: {len(archives)} of runs, {len(unread)} not read yet, with {runs} runs of all flows"


def _describe_runs(flow: Flow, held: FlowState, state: FetchState, page: Page[Run]) -> str:
    modified: dict[str, datetime] = {}
    for run in page.rows:
        modified[run.uuid] = max(run.modified_on, modified.get(run.uuid, run.modified_on))
    new, changed = state.new_runs(flow.uuid, flow.name, modified)
    waiting = f", {held.waiting} more wait for their contact" if held.waiting else ""
    return (
        f"flow {flow.name!r}: {held.runs} runs held{waiting}, the newest of {say_time(held.newest)}; "
        f"{_say_new(page, f'{new} new, {changed} changed')}"
    )


def _say_new(page: Page[Run] | Page[Contact], found: str) -> str:
    """What is new, by the first page since the newest that came."""
    if page.following is None:
        return f"{found} since"
    return f"{found} in the first page since, of {len(page.rows)}; more follow"


def _plan_bucket(source: GCloudBucketSource, context: PlanContext) -> Iterator[str]:
    for url in (*source.activation_flow_urls, *source.survey_flow_urls):
        name = flow_name_of_url(url)
        if (context.data_root / "Raw Data" / f"{name}.jsonl").exists():
            yield f"flow {name!r}: downloaded before"
            continue
        state = "it could not be asked for"
        with context.asking():
            state = "to be downloaded" if context.storage.has_object(url) else "to be downloaded, BUT IT IS NOT THERE"
        yield f"flow {name!r}: {url}: {state}"


def _plan_recovery_csv(source: RecoveryCSVSource, context: PlanContext) -> Iterator[str]:
    for url in (*source.activation_flow_urls, *source.survey_flow_urls):
        yield f"flow {flow_name_of_url(url)!r}: {url} is read anew, and written if it changed"


_SOURCES: Mapping[str, Callable[[Any, PlanContext], Iterator[str]]] = {
    "RapidPro": _plan_rapidpro,
    "GCloudBucket": _plan_bucket,
    "RecoveryCSV": _plan_recovery_csv,
}


def _plan_uuid_table(context: PlanContext) -> Iterator[str]:
    table = context.project.configuration.phone_number_uuid_table
    with context.asking():
        credentials = read_credentials(context.storage, table.firebase_credentials_file_url)
        if isinstance(credentials, EmbeddedCredentials):
            yield f"uuid table {table.table_name!r}: embedded; no reads of Firestore"
        else:
            yield (
                f"uuid table {table.table_name!r}: Firestore of {credentials.project_id}: two reads for each new contact, "
                "four and a write for one whom the table does not know either"
            )
