"""Fetch a RapidPro source's archived runs, each archive once; a missing one delays nothing else."""

import functools
import logging
from collections import Counter
from collections.abc import Iterator, Sequence

from engagement.foundation.errors import count_of
from engagement.services.rapidpro.client import ArchiveError, Page, RapidProClient, Run, UnreadableRow
from engagement.sources.rapidpro.flow_runs import FlowRuns
from engagement.sources.rapidpro.model import ArchivePolicy, RapidProSource
from engagement.sources.rapidpro.set_aside import SetAside
from engagement.sources.rapidpro.state.run_store import RunStore

_logger = logging.getLogger(__name__)


def fetch_archives(
    source: RapidProSource,
    client: RapidProClient,
    store: RunStore,
    flows: Sequence[FlowRuns],
    set_aside: SetAside,
    counts: Counter[str],
) -> None:
    """Read the unread archives. `counts` gets the missing ones: each fetch asks for them again."""
    if source.archives is ArchivePolicy.IGNORE:
        with store.transaction():
            store.set_aside.keep_archives(())
        _logger.info("RapidPro %s: archives are left out, as configured", client.domain)
        return
    archives = client.run_archives()
    with store.transaction():
        store.set_aside.keep_archives({archive.md5 for archive in archives})
    read = missing = 0
    for archive in archives:
        new_for = {flow.uuid: flow for flow in flows if not store.has_read_archive(flow.id, archive.md5)}
        if not new_for:
            continue
        try:
            client.read_archive(
                archive,
                new_for,
                functools.partial(_keep, store, new_for, archive.md5, set_aside),
            )
            read += 1
        except ArchiveError as error:
            missing += 1
            _logger.warning(
                "%s Everything else is fetched without it; it is asked for again in every fetch. If nobody can bring it back, "
                '"Archives": "ignore" leaves all archives of this source out.',
                error,
            )
    if missing:
        counts["missing_archives"] += missing
    _logger.info(
        "RapidPro %s: %s of runs, %d read now, %d could not be read",
        client.domain,
        count_of(len(archives), "archive"),
        read,
        missing,
    )


def _keep(
    store: RunStore, flows: dict[str, FlowRuns], md5: str, set_aside: SetAside, batches: Iterator[Page[Run]]
) -> None:
    """Keep the flows' runs of an archive in one transaction: all, or none if it is damaged."""
    counted = {uuid: flow.counts for uuid, flow in flows.items()}
    received = replaced = 0
    unreadable: list[UnreadableRow] = []
    try:
        with store.transaction():
            for batch in batches:
                received += len(batch.rows)
                replaced += batch.replaced_characters
                unreadable += batch.unreadable
                for uuid, flow in flows.items():
                    of_flow = batch.rows if len(flows) == 1 else [run for run in batch.rows if run.flow.uuid == uuid]
                    flow.take(of_flow, is_archived=True)
            numbers = {uuid: flow.id for uuid, flow in flows.items()}
            unfinished = set_aside.take_archive(md5, numbers, received, replaced, unreadable)
            for flow in flows.values():
                if flow.id not in unfinished:
                    store.keep_archive(flow.id, md5)
    except BaseException:
        for uuid, flow in flows.items():
            flow.counts = counted[uuid]
        raise
