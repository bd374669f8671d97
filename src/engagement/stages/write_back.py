"""Write back to RapidPro who withdrew, which questions are answered, and the groups of selections.

Reads the pipeline configuration's WriteBack and what stage 3 left. Writes contacts' groups and fields in every RapidPro
workspace of the project, only where they differ; `<data-root>/Hand-overs/`, which says what was written when; and
`<data-root>/State/write_back/`. Contacts are addressed by uuid; only with `Create` are numbers read, and contacts made. Whatever
could not be written is written by the next run; the exit status is then 12.
"""

import argparse
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import load_project
from engagement.delivery.write_back.write_back import WriteBackOutcome, WriteBackRun, write_back
from engagement.foundation.errors import InputError, ServiceError, count_of, listing
from engagement.foundation.run_report import record_counts
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage

_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs the pipeline; goes into the record of hand-overs")
    parser.add_argument("--credentials", type=Path, required=True, help="Google Cloud service account's key (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument("--dry-run", action="store_true", help="only print what would change, in counts")
    parser.add_argument(
        "--full", action="store_true", help="compare with RapidPro itself, and not with what was written before"
    )

    parser.add_argument(
        "--accept-many",
        action="store_true",
        help="write even if more contacts change than AtMost, or many withdrew at once",
    )


def run(args: argparse.Namespace) -> None:
    """Load, write, report."""
    credentials = load_credentials(args.credentials)
    project = load_project(args.pipeline_configuration)
    wanted = project.configuration.write_back
    if wanted is None:
        _logger.info("Nothing to write back: the configuration has no WriteBack")
        return
    policy = RetryPolicy()
    outcome = write_back(
        WriteBackRun(
            project=project,
            data_root=args.data_root,
            storage=open_storage(credentials, policy),
            policy=policy,
            user=args.user,
            now=datetime.now(UTC),
            is_dry=args.dry_run,
            is_full=args.full,
            accepts_many=args.accept_many,
        ),
        wanted,
    )
    if args.dry_run:
        sys.stdout.writelines(f"{line}\n" for line in _describe(outcome))
    else:
        _logger.info("%s", _say_withdrawn(outcome))
        record_counts(outcome.counts)
    problems = [*outcome.problems, *outcome.problems_of_data]
    if problems:
        raise (ServiceError if outcome.problems else InputError)(
            f"Write-back: {listing(problems)}\nExpected everything to be written. The rest was; what is missing is written by "
            "the next run, once this is seen to."
        )


def _say_withdrawn(outcome: WriteBackOutcome) -> str:
    elsewhere = f", {outcome.withdrawn_elsewhere:,} of them in another project" if outcome.withdrawn_elsewhere else ""
    return f"{count_of(outcome.withdrawn, 'participant')} withdrew{elsewhere}"


def _describe(outcome: WriteBackOutcome) -> list[str]:
    lines = [
        f"{where}: {target.origin}: {target.name}: {count_of(written.changed, 'contact')} would change, "
        f"{written.same:,} are as they should be, RapidPro has {written.gone:,} no more, {written.inactive:,} can't join"
        for where, target, written in outcome.written
    ]
    return [_say_withdrawn(outcome), *(lines or ["nothing would change"])]
