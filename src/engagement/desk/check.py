"""Check a project before a run, and report everything wrong or odd in its files at once.

Each error and each warning is one line: file, line, JSON path, what was found, what was expected, what to do. With a data
root, also compares the fetched runs with the remappings, and the coders' labels with the code schemes. With --online, also
asks the services, and writes nothing there. The exit status is 10 with errors and 0 with warnings only; 12 if a service gave
no answer, 11 if a file of the data root can't be read.
"""

import argparse
import logging
import sys
from pathlib import Path

from engagement.configuration.loading import ProjectFiles, read_project_files
from engagement.desk.checks.coded_labels import find_label_warnings
from engagement.desk.checks.fetched_results import count_fetched_keys, find_fetched_warnings
from engagement.desk.checks.findings import Findings
from engagement.desk.checks.labels_at_stake import LabelsAtStake
from engagement.desk.checks.online import Services, ask_services
from engagement.desk.checks.project_warnings import find_project_warnings
from engagement.foundation.errors import ConfigurationError, UsageError
from engagement.services.credentials import load_credentials

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "pipeline_configuration", type=Path, metavar="pipeline-configuration", help="pipeline configuration (JSON)"
    )
    parser.add_argument("--data-root", type=Path, help="also check against the data fetched into this data root")
    parser.add_argument("--online", action="store_true", help="ask the services as well; needs --credentials")
    parser.add_argument("--credentials", type=Path, help="Google Cloud service account's key (JSON)")
    parser.add_argument("--coda-pull-credentials", type=Path, help="stage 1's credentials of Coda (JSON)")
    parser.add_argument("--coda-push-credentials", type=Path, help="stage 4's credentials of Coda (JSON)")


def run(args: argparse.Namespace) -> None:
    """Check the files, the data root and the services; then report the findings."""
    if not args.pipeline_configuration.is_file():
        raise UsageError(
            f"{args.pipeline_configuration}: no such file; expected a pipeline configuration. Check the path."
        )
    if args.data_root is not None and not args.data_root.is_dir():
        raise UsageError(f"{args.data_root}: no such directory; expected the data root. Check the path.")
    services = _read_credentials(args) if args.online else None
    files = read_project_files(args.pipeline_configuration)
    findings = Findings(files.problems)
    find_project_warnings(files, findings)
    if args.data_root is not None:
        _compare_with_data(files, args.data_root, findings)
    if services is not None:
        ask_services(files, services, findings)
    labels = None if args.data_root is None else LabelsAtStake(args.data_root)
    sys.stdout.writelines(f"{line}\n" for line in findings.lines(labels))
    _conclude(files, findings)


def _read_credentials(args: argparse.Namespace) -> Services:
    if args.credentials is None:
        raise UsageError("check: --online without --credentials; expected both. Give --credentials.")
    coda = [
        load_credentials(path) for path in (args.coda_pull_credentials, args.coda_push_credentials) if path is not None
    ]
    if not coda:
        log.warning("Coda is not asked: no --coda-pull-credentials or --coda-push-credentials were given")
    # Both are often the same.
    return Services(load_credentials(args.credentials), tuple(c for n, c in enumerate(coda) if c not in coda[:n]))


def _compare_with_data(files: ProjectFiles, data_root: Path, findings: Findings) -> None:
    """Compare the configuration with the raw data, and the coding plans with the coders' labels."""
    if files.configuration is not None:
        with findings.noted(files.path, "$"):
            fetched = count_fetched_keys(files.configuration, data_root)
            log.info("Read %d run(s) of %d flow(s)", sum(fetched.runs.values()), len(fetched.runs))
            findings.add_warnings(files.path, find_fetched_warnings(files.configuration, fetched))
    if files.plans is not None and files.plans_path is not None:
        with findings.noted(files.plans_path, "$"):
            findings.add_warnings(files.plans_path, find_label_warnings(files.plans, data_root))


def _conclude(files: ProjectFiles, findings: Findings) -> None:
    """Return the last line of the report and the exit status."""
    counts = f"{files.path}: {findings.error_count} error(s), {findings.warning_count} warning(s)"
    if findings.failures:
        counts += f", {len(findings.failures)} question(s) failed"
    if findings.error_count:
        rest = "" if files.plans is not None else " Warnings follow once the files can be read."
        raise ConfigurationError(f"{counts}; expected no error. Mend what is listed and check again.{rest}")
    if findings.failures:
        raise type(findings.failures[0])(
            f"{counts}; expected an answer to each. See to what is listed and check again."
        )
    sys.stdout.write(f"{counts}.\n")
