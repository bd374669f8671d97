"""Fetch a RapidPro workspace: runs of the chosen flows, each once, from live pages and archives."""

import contextlib
import functools
import logging
import urllib.parse
from collections.abc import Collection, Sequence
from datetime import datetime

from engagement.configuration.flow_choices import Identity
from engagement.foundation.errors import count_of
from engagement.services.rapidpro.client import Contact, Flow, Page, RapidProClient, Run, Workspace
from engagement.services.storage.protocol import read_token
from engagement.services.uuid_tables.protocol import UuidExchange
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.operator_labels import OperatorLabels
from engagement.sources.rapidpro.archived_runs import fetch_archives
from engagement.sources.rapidpro.chosen_flows import find_flows
from engagement.sources.rapidpro.contact_map import ContactMap, open_contact_map
from engagement.sources.rapidpro.contacts_waited_for import ask_for_contacts
from engagement.sources.rapidpro.de_identify import ContactsByUrn, ContactsByUuid
from engagement.sources.rapidpro.flow_runs import FlowRuns
from engagement.sources.rapidpro.forgotten_contacts import ContactsButForgotten, drop_waiting
from engagement.sources.rapidpro.listings import read_on
from engagement.sources.rapidpro.model import RapidProSource
from engagement.sources.rapidpro.run_lines import RunLines
from engagement.sources.rapidpro.set_aside import SetAside
from engagement.sources.rapidpro.state.run_store import RunStore
from engagement.sources.rapidpro.state.run_store_files import open_run_store
from engagement.sources.rapidpro.state.set_aside_rows import CONTACTS
from engagement.sources.rapidpro.workspaces import contacts_files, refuse_anonymous, settle_workspace

_logger = logging.getLogger(__name__)

AnyIdentity = ContactsByUrn | ContactsByUuid | ContactsButForgotten


def fetch_flows(source: RapidProSource, context: FetchContext) -> list[FetchedFlow]:
    """Bring the state of a RapidPro source up to date.

    Contacts come first, so that most runs become lines as they arrive; live pages come before archives, so that a run archived
    meanwhile is in one of the two.
    """
    token = read_token(context.storage, source.token_file_url)
    with RapidProClient(source.domain, token, context.policy) as client:
        workspace = client.workspace()
        refuse_anonymous(source, workspace)
        wanted = find_flows(source, client.flows())
        path = context.state_file(state_file_name(source))
        store = context.resources.enter_context(open_run_store(path))
        settle_workspace(source, workspace, store, context)
        known = context.resources.enter_context(
            contextlib.closing(open_contact_map(*contacts_files(source, workspace, context.data_root), store))
        )
        now = datetime.fromisoformat(context.timestamp)
        everybody = _choose_identity(client, known, source, workspace, context.uuid_table)
        identity = ContactsButForgotten(everybody, context.forgotten, now) if context.forgotten else everybody
        set_aside = SetAside(store, f"RapidPro {source.domain}", path.with_suffix(".set_aside.jsonl"))
        _fetch_contacts(client, store, known, identity, set_aside)
        scheme = context.project.coding_plans.operator_scheme
        operators = OperatorLabels(scheme) if scheme is not None else None
        flows = [_open_flow(flow, source, store, operators, context) for flow in wanted]
        for flow in flows:
            flow.render_again()
            _look_up_texts_or_not(store, flow, source.full_texts)
            _fetch_runs(client, store, flow, set_aside)
        fetch_archives(source, client, store, flows, set_aside, context.counts)
        if any(flow.has_new_waiting for flow in flows):
            # Contacts that wrote for the first time while the runs came.
            _fetch_contacts(client, store, known, identity, set_aside)
        gone = ask_for_contacts(store, client, functools.partial(_keep_contacts, store, known, identity))
        known.flush()
        drop_waiting(store, context.forgotten, now)
        for flow in flows:
            flow.resolve_waiting()
        if source.full_texts:
            # Imported only on request.
            from engagement.sources.rapidpro.whole_texts import look_up

            look_up(client, store, flows, context.metadata("rapidpro"))
    _warn_of_left_out(client, identity.left_out)
    for flow in flows:
        flow.report(gone)
    if operators is not None:
        operators.warn_of_missing()
    _report_set_aside(set_aside, store, flows, context)
    return [flow.hand_over() for flow in flows]


def state_file_name(source: RapidProSource) -> str:
    """Name the file of a source's state."""
    return f"{urllib.parse.quote(source.contacts_name, safe=' ')}.sqlite"


def _open_flow(
    flow: Flow, source: RapidProSource, store: RunStore, operators: OperatorLabels | None, context: FetchContext
) -> FlowRuns:
    is_activation = flow.name in source.activation_flow_names
    lines = RunLines(
        flow.name,
        source.test_contact_uuids,
        with_operator=is_activation,
        operators=operators if is_activation else None,
        metadata=context.metadata("rapidpro"),
    )
    return FlowRuns(flow.uuid, flow.name, store, lines, context.raw_data_file(flow.name), context.held_back)


def _choose_identity(
    client: RapidProClient, known: ContactMap, source: RapidProSource, workspace: Workspace, table: UuidExchange
) -> ContactsByUrn | ContactsByUuid:
    if source.identity is Identity.CONTACT:
        return ContactsByUuid(table, workspace.uuid or source.contacts_name)

    def ask(contact: str) -> Contact | None:
        return next(iter(client.contact(contact).rows), None)

    return ContactsByUrn(table, known, ask, workspace.country)


def _fetch_contacts(
    client: RapidProClient,
    store: RunStore,
    known: ContactMap,
    identity: AnyIdentity,
    set_aside: SetAside,
) -> None:
    received = new = 0

    def keep(page: Page[Contact]) -> None:
        nonlocal received, new
        new += _keep_contacts(store, known, identity, page.rows)
        set_aside.take(CONTACTS, page)
        received += len(page.rows)

    read_on(store, client.domain, "contacts", client.contacts, keep)
    set_aside.ask_again(CONTACTS, client.contact_again, keep)
    known.flush()
    _logger.info("RapidPro %s: %s received, %d new", client.domain, count_of(received, "contact"), new)


def _warn_of_left_out(client: RapidProClient, contacts: Collection[str]) -> None:
    if contacts:
        _logger.warning(
            "RapidPro %s: %s with only URNs that identify nobody (no scheme, or an empty or masked path); left "
            "out, with their runs",
            client.domain,
            count_of(len(contacts), "contact"),
        )


def _keep_contacts(store: RunStore, known: ContactMap, identity: AnyIdentity, contacts: list[Contact]) -> int:
    """Remember new contacts' participants; returns how many have a URN that identifies somebody."""
    met_before = store.participants([contact.uuid for contact in contacts])
    met = identity.identify([contact for contact in contacts if contact.uuid not in met_before])
    known.keep(met)
    return len(met)


def _look_up_texts_or_not(store: RunStore, flow: FlowRuns, are_looked_up: bool) -> None:
    """Turn the look-up of a flow's whole texts among the messages on or off."""
    if are_looked_up or store.are_texts_looked_up(flow.id):
        # Imported only on request.
        from engagement.sources.rapidpro.whole_texts import begin_to_look_up

        begin_to_look_up(store, flow, are_looked_up)


def _fetch_runs(client: RapidProClient, store: RunStore, flow: FlowRuns, set_aside: SetAside) -> None:
    def keep(page: Page[Run]) -> None:
        flow.take(page.rows)
        set_aside.take(flow.id, page)

    ask = functools.partial(client.runs, flow.uuid)
    read_on(store, client.domain, f"runs of flow {flow.id}, {flow.name!r}", ask, keep)
    set_aside.ask_again(flow.id, lambda lost: client.run_again(flow.uuid, lost), keep)


def _report_set_aside(set_aside: SetAside, store: RunStore, flows: Sequence[FlowRuns], context: FetchContext) -> None:
    listed = set_aside.report({flow.id: flow.name for flow in flows})
    if listed:
        context.counts["set_aside_rows"] += listed
    if set_aside.replaced_characters:
        context.counts["replaced_characters"] += set_aside.replaced_characters
        _logger.info(
            "RapidPro: %d halves of characters came without their other half, and became U+FFFD",
            set_aside.replaced_characters,
        )
    if listed > 1 and not context.accept_shrinkage:
        set_aside.refuse_too_many(listed, sum(store.count(flow.id) for flow in flows))
