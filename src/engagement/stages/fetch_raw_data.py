"""Fetch the project's new and changed flow runs, and save them de-identified.

Reads the pipeline configuration's sources: RapidPro workspaces, files in buckets, recovery CSVs. Writes
`<data-root>/Raw Data/<flow>.jsonl`, one run a line, and `manifest.json` beside them, keeps each
contact's participant in `<data-root>/Contacts/`, and in `<data-root>/State/fetch/` what the next fetch need not ask for again. Phone numbers become uuids before
anything is written.
"""

import argparse
import contextlib
import logging
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import load_project
from engagement.foundation.run_report import record_counts
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage
from engagement.sources.context import FetchContext
from engagement.sources.fetch import fetch_sources
from engagement.sources.fetched_flows import refuse_shrinkage
from engagement.sources.manifest import RawDataWriter

_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs the pipeline; goes into the runs' metadata")
    parser.add_argument("--credentials", type=Path, required=True, help="Google Cloud service account's key (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument(
        "--accept-shrinkage",
        action="store_true",
        help="write the flows even if far fewer runs came than were held before, or many of them can't be read",
    )
    parser.add_argument(
        "--accept-workspace",
        action="store_true",
        help="start again with the token's workspace, even if it is not the earlier one",
    )
    parser.add_argument(
        "--accept-new-uuid-table",
        action="store_true",
        help="fetch even if the uuid table knows none of the data root's participants",
    )


def run(args: argparse.Namespace) -> None:
    """Load, fetch, write: the order of this stage and nothing else."""
    credentials = load_credentials(args.credentials)
    project = load_project(args.pipeline_configuration)
    policy = RetryPolicy()
    with contextlib.ExitStack() as resources:
        context = FetchContext(
            project=project,
            data_root=args.data_root,
            storage=open_storage(credentials, policy),
            policy=policy,
            user=args.user,
            timestamp=datetime.now(UTC).isoformat(),
            resources=resources,
            accept_shrinkage=args.accept_shrinkage,
            accept_workspace=args.accept_workspace,
            accept_new_uuid_table=args.accept_new_uuid_table,
        )
        resources.callback(lambda: record_counts(context.counts))
        flows = fetch_sources(context)
        if not args.accept_shrinkage:
            refuse_shrinkage(flows)
        writer = RawDataWriter(args.data_root / "Raw Data")
        for flow in flows:
            flow.write(writer)
        writer.finish(flow.file for flow in flows)
    runs = sum(flow.runs for flow in flows)
    _logger.info("%d runs of %d flows in Raw Data", runs, len(flows))
    record_counts({"flows": len(flows), "runs": runs})
