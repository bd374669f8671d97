"""Join, clean, code and fold the raw data; write CSVs, Coda files, ICR samples and traced data."""

import argparse
import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.configuration.kept_project import kept_folder
from engagement.configuration.known_facts import digest_project_files, facts_path, keep_facts, recall_facts
from engagement.custody.run_manifests.manifest import FileDigests, read_last_manifest
from engagement.custody.run_manifests.same_inputs import (
    OutputsFacts,
    RunToKeep,
    find_run_to_keep,
    is_full_read_due,
    keep_outputs,
)
from engagement.foundation.file_stamps import FULL_AFTER
from engagement.foundation.heard_warnings import hear_warnings
from engagement.foundation.partitions import parse_count
from engagement.foundation.replaced_folders import complete_replacement
from engagement.pipeline.outputs.analysis_files import analysis_folder
from engagement.pipeline.outputs.places import current_outputs
from engagement.processing.reuse.note_files import notes_folder
from engagement.services.credentials import Credentials, load_credentials

if TYPE_CHECKING:
    from engagement.configuration import Project

log = logging.getLogger(__name__)

MODES = ("all-stages", "auto-code-only")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this, for the provenance of the data")
    parser.add_argument("--credentials", type=Path, required=True, help="credentials file (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument("--mode", choices=MODES, default=MODES[0], help="'auto-code-only' while coding has not begun")
    parser.add_argument(
        "--partitions", type=parse_count, help="parts to split the participants into; by the data's size"
    )
    parser.add_argument(
        "--jobs", type=parse_count, help="processes to run; one a processor, and one alone for little data"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler, like tcp://10.0.0.5:8786, whose workers process the participants; they have to see the data root",
    )
    for name, what in (("ca", "certificate of its CA"), ("cert", "certificate for it"), ("key", "key of --tls-cert")):
        parser.add_argument(f"--tls-{name}", type=Path, metavar="FILE", help=f"with a tls:// scheduler: {what} (PEM)")
    parser.add_argument(
        "--allow-project-code", action="store_true", help="run cleaners and imputation functions of the project's own"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="read every file, and process all participants; by default only what changed since the last run",
    )
    parser.add_argument(
        "--accept-shrinkage",
        action="store_true",
        help="replace the outputs even if far fewer messages are left than the last run had",
    )
    parser.add_argument(
        "--accept-lost-withdrawals",
        action="store_true",
        help="make the outputs even if STOP labels no longer count, so that people who withdrew are in them again",
    )
    parser.add_argument("--upload-only", action="store_true", help="only upload to Drive what the last run wrote")


def run(args: argparse.Namespace, timestamp: str | None = None) -> None:
    """Load, process, save. `timestamp` is that of an earlier run, to make its outputs again."""
    credentials = load_credentials(args.credentials)
    # Workers of a cluster have working directories of their own.
    root: Path = args.data_root if args.scheduler is None else args.data_root.absolute()
    if args.upload_only:
        upload(_load(args.pipeline_configuration), root, credentials)
        return
    options = {"mode": args.mode, "allow_project_code": str(args.allow_project_code).lower()}
    last = read_last_manifest(root)
    is_due = is_full_read_due(last)
    digests = FileDigests(last, args.full or is_due)
    may_keep = not (args.full or is_due or timestamp)
    find = functools.partial(find_run_to_keep, data_root=root, digests=digests, user=args.user, options=options)
    path: Path = args.pipeline_configuration
    note = facts_path(root, "outputs")
    known = recall_facts(note, path, OutputsFacts) if may_keep else None
    if known is not None and (kept := find(path, known.facts)) is not None:
        known.tell_warnings()
        _keep(root, kept)
        return
    files = digest_project_files(path)
    with hear_warnings() as heard:
        project = _load(path)
        warnings = heard.list_all()
    # Imported here, like the configuration.
    from engagement.custody.run_manifests.project_facts import find_outputs_facts

    facts = find_outputs_facts(project)
    kept = find(path, facts) if may_keep else None
    if kept is not None:
        _keep(root, kept)
    else:
        _make(project, root, args, options, timestamp, digests, is_due)
    if known is None and timestamp is None and project.configuration.drive_upload is None:
        keep_facts(note, path, files, warnings, facts)
    upload(project, root, credentials)


def _make(
    project: "Project",
    root: Path,
    args: argparse.Namespace,
    options: dict[str, str],
    timestamp: str | None,
    digests: FileDigests,
    is_due: bool,
) -> None:
    if is_due and digests.last is not None and not args.full:
        log.info("Reading every raw file, as one run in %d does", FULL_AFTER + 1)
    # Imported here, as it takes longer to load than to see that nothing changed.
    from engagement.stages.outputs_making import make_outputs

    make_outputs(project, root, args, options, timestamp, digests, is_due)


def _keep(data_root: Path, kept: RunToKeep) -> None:
    # A run that was killed may have left a part of other ones.
    folders = current_outputs(data_root), analysis_folder(data_root), notes_folder(data_root), kept_folder(data_root)
    for folder in folders:
        complete_replacement(folder)
    keep_outputs(data_root, kept)


def _load(path: Path) -> "Project":
    # Imported here, as most nights need none of it.
    from engagement.configuration import load_project

    return load_project(path)


def upload(project: "Project", data_root: Path, credentials: Credentials) -> None:
    """Upload the tables, where the project has a Drive."""
    if project.configuration.drive_upload is not None:
        # Importing the gate and Drive takes a tenth of the stage's start, and most projects have no Drive.
        from engagement.delivery.drive import upload_tables

        upload_tables(project, data_root, credentials)
