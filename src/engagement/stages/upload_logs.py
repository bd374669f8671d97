"""Upload a run's archive, memory profile and log to the addresses in the pipeline configuration.

Never replaces an uploaded file. A missing archive is an error; other files may be missing, because nothing was profiled.
With --pending, also uploads all files of earlier runs in the same folders that are not there yet. A killed upload resumes
where it was, as long as the service remembers it.
"""

import argparse
import logging
from collections import Counter
from pathlib import Path

from engagement.configuration.known_facts import digest_project_files, keep_facts, recall_facts
from engagement.delivery.logs import RunFiles, Upload, UploadKind, find_upload_kinds, find_uploads
from engagement.foundation.errors import InputError, ServiceError, UsageError, listing
from engagement.foundation.heard_warnings import hear_warnings
from engagement.foundation.run_report import record_counts
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.local_files import Uploaded
from engagement.services.storage.protocol import Storage, open_storage

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this")
    parser.add_argument("--credentials", type=Path, required=True, help="Google Cloud service account's key (JSON)")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--run-id", required=True, help="run whose files these are")
    parser.add_argument("--memory-profile", type=Path, required=True, help="memory profile; the log lies beside it")
    parser.add_argument("--data-archive", type=Path, required=True, help="archive of the data root")
    parser.add_argument("--pending", action="store_true", help="also upload what earlier runs could not upload")
    parser.add_argument("--sessions-dir", type=Path, help="where to remember unfinished uploads for the next run")


def run(args: argparse.Namespace) -> None:
    """Find the files to upload, and upload them."""
    credentials = load_credentials(args.credentials)
    kinds = _load_kinds(args.pipeline_configuration, args.sessions_dir)
    if not args.run_id or "/" in args.run_id or not args.run_id.isprintable():
        raise UsageError(f"{args.run_id!r} is not a run id; expected one like '2026-11-22T020511Z-unknown'. Mend it.")
    if not kinds:
        log.info(
            "Nothing to upload: the configuration has no MemoryProfileUploadURLPrefix or DataArchiveUploadURLPrefix"
        )
        return
    files = RunFiles(args.run_id, args.memory_profile, args.data_archive)
    storage = open_storage(credentials, RetryPolicy(), args.sessions_dir)
    uploads = [upload for kind in kinds for upload in find_uploads(kind, files, args.pending)]
    missing = [kind.what for kind in kinds if not files.paths[kind.what].exists()]
    for what in missing:
        log.info("No %s of run %s: %s is not there", what, args.run_id, files.paths[what])
    results = [_upload(storage, upload, upload.path in files.paths.values()) for upload in uploads]
    counts = Counter(results)
    record_counts({"uploaded": counts[Uploaded.CREATED], "there_already": counts[Uploaded.IDENTICAL]})
    _refuse_different([upload for upload, result in zip(uploads, results, strict=True) if result is Uploaded.DIFFERENT])
    if "archive" in missing and not args.pending:
        raise InputError(
            f"{args.data_archive}: no such file; expected the run's archive. Whatever else there is was uploaded. "
            "Make an archive with stage 6, and run this again."
        )


def _load_kinds(configuration: Path, notes: Path | None) -> list[UploadKind]:
    """Load the configuration's kinds of uploads; known ones from the folder for notes."""
    note = None if notes is None else notes / "known_project.json"
    known = None if note is None else recall_facts(note, configuration, list[UploadKind])
    if known is not None:
        known.tell_warnings()
        return known.facts
    # Imported here, as most nights do without the models.
    from engagement.configuration import load_pipeline_configuration

    files = digest_project_files(configuration)
    with hear_warnings() as heard:
        kinds = find_upload_kinds(load_pipeline_configuration(configuration))
        if note is not None:
            keep_facts(note, configuration, files, heard.list_all(), kinds)
    return kinds


def _upload(storage: Storage, upload: Upload, is_own: bool) -> Uploaded:
    """Upload a file, and log it. Reads an earlier run's file only if it is not there yet."""
    if not is_own and upload.find_stored(storage.has_object) is not None:
        return Uploaded.IDENTICAL
    if is_own and upload.former_address is not None and storage.has_object(upload.former_address):
        log.info("%s %s: there already, under its former name", upload.kind.what.capitalize(), upload.former_address)
        return Uploaded.IDENTICAL
    result = storage.upload(upload.path, upload.address, upload.kind.is_growing)
    size = upload.path.stat().st_size
    log.info("%s %s: %s: %d bytes", upload.kind.what.capitalize(), upload.address, result.value, size)
    return result


def _refuse_different(uploads: list[Upload]) -> None:
    if uploads:
        problems = [f"{upload.address}: is not the same as {upload.path}" for upload in uploads]
        raise ServiceError(
            f"Storage: {listing(problems)}\nWhat is there is never replaced; expected the same, or nothing. "
            "Compare the two, and remove or rename one."
        )
