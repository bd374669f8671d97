"""Show what a run of the pipeline would fetch, add to Coda and upload, and what Firestore would bill.

Nothing is written, locked or sent. Asks RapidPro for one page of each listing, and the bucket for the files of earlier runs;
does not ask Coda and Drive. Names each service that can't be reached; the exit status is then 12.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import load_project
from engagement.foundation.errors import ServiceError, listing
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage
from engagement.stages.planning.context import PlanContext
from engagement.stages.table import STAGES, load_function, optional_stages_after, stages_of_a_run, title_of

# No request is repeated: somebody is waiting for the answer, and can ask again.
_POLICY = RetryPolicy(budget_seconds=0.0, told_budget_seconds=0.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--credentials", type=Path, required=True, help="Google Cloud service account's key (JSON)")
    parser.add_argument(
        "--coda-pull-credentials", type=Path, required=True, help="stage 1's credentials of Coda (JSON)"
    )
    parser.add_argument(
        "--coda-push-credentials", type=Path, required=True, help="stage 4's credentials of Coda (JSON)"
    )
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument("--backups-dir", type=Path, required=True, help="directory for the archives")
    parser.add_argument("--performance-logs-dir", type=Path, required=True, help="directory for logs and profiles")
    numbers = stages_of_a_run()
    parser.add_argument("--first", type=int, choices=numbers, default=1, help="the stage that the run begins with")
    parser.add_argument("--last", type=int, choices=numbers, default=7, help="the stage that it ends with")
    parser.add_argument("--keep-days", type=int, help="days after which the run removes archives")


def run(args: argparse.Namespace) -> None:
    """Print the plan, stage by stage, then the services that gave no answer."""
    credentials = load_credentials(args.credentials)
    context = PlanContext(
        project=load_project(args.pipeline_configuration),
        data_root=args.data_root,
        backups=args.backups_dir,
        performance_logs=args.performance_logs_dir,
        coda_pull_credentials=load_credentials(args.coda_pull_credentials),
        coda_push_credentials=load_credentials(args.coda_push_credentials),
        storage=open_storage(credentials, _POLICY),
        policy=_POLICY,
        now=datetime.now(UTC),
        keep_days=args.keep_days,
    )
    sys.stdout.write(f"A run on {args.data_root} would do this; nothing of it is done now, and nothing is written.\n")
    for number, name in sorted(stages_of_a_run().items()):
        if not args.first <= number <= args.last:
            continue
        sys.stdout.write(f"{number} {title_of(name)}\n")
        for line in load_function(STAGES[name].plan or "")(context):
            sys.stdout.write(f"    {line}\n")
        # They are skipped with --only, as a run does.
        for optional in optional_stages_after(number) if args.first < args.last else ():
            lines = list(load_function(STAGES[optional].plan or "")(context))
            sys.stdout.writelines([f"  {title_of(optional)}\n", *(f"    {line}\n" for line in lines)] if lines else [])
        sys.stdout.flush()
    if context.unreachable:
        raise ServiceError(
            f"{listing(context.unreachable)}\nExpected every service to answer. What else the plan says holds."
        )
