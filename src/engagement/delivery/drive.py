"""Uploading outputs to Drive: through the gate, then file by file.

It is the last step: if it fails, it can be repeated alone.

Uploads copies made by the gate; Outputs/ does not change.
"""

import contextlib
import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from engagement.configuration import Project
from engagement.configuration.disclosure import PhoneNumberPolicy
from engagement.configuration.pipeline_configuration import DriveUpload
from engagement.delivery.disclosure.analysis_files import KNOWN_KINDS, pass_analysis_file
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.tables import INDIVIDUALS, MESSAGES, PRODUCTION, pass_production, pass_tables
from engagement.delivery.disclosure.verdict import judge, write_findings
from engagement.delivery.hand_over_log import log_hand_over
from engagement.delivery.uncoded import find_reason_to_wait
from engagement.foundation.errors import ConfigurationError, DisclosureError, InputError, ServiceError
from engagement.foundation.files import explain_os_errors, hold_directory, make_directory, read_json
from engagement.foundation.progress import show_progress
from engagement.pipeline.outputs.analysis_files import read_season
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS
from engagement.pipeline.outputs.workbooks import (
    ANALYSIS_WORKBOOK,
    workbook_target,
    write_analysis_workbook,
    write_table_workbook,
)
from engagement.services.credentials import Credentials
from engagement.services.drive.protocol import Drive, OpenDrive, open_drive
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage, read_credentials

log = logging.getLogger(__name__)

# Stage 5's note of the stage 3 run behind its files, and the note's names for the two parts of its folder.
_MADE_FROM, _GRAPHS, _EVERYTHING_ELSE = "made_from.json", "graphs", "everything else"
_MAPS = "maps"
_WORKBOOK = PurePosixPath(ANALYSIS_WORKBOOK)


def upload_tables(project: Project, data_root: Path, credentials: Credentials, connect: OpenDrive = open_drive) -> None:
    """Upload the tables of stage 3, before coding production.csv alone; do nothing without DriveUpload.

    `credentials` come from the command line, and are used to read Drive's own.

    Raises
    ------
    DisclosureError
        The gate found data that must not leave this machine.
    ServiceError, ConfigurationError
        The upload failed; the message says that the outputs are written.
    """
    upload = project.configuration.drive_upload
    if upload is None:
        return
    outputs = data_root / "Outputs"
    if not any((outputs / name).exists() for name in (INDIVIDUALS, MESSAGES)) and (outputs / PRODUCTION).exists():
        _upload_uncoded(upload, project, data_root, credentials, connect)
        return
    with _explained("stage 3"), _temporary_folder(data_root) as copies:
        findings = pass_tables(project, outputs, copies)
        _judge(project, data_root, "tables", findings)
        files = [
            (upload.production_upload_path, copies / PRODUCTION),
            (upload.messages_upload_path, copies / MESSAGES),
            (upload.individuals_upload_path, copies / INDIVIDUALS),
        ]
        _save(data_root, _connect(upload, data_root, credentials, connect), _add_workbooks(project, files))


def _upload_uncoded(
    upload: DriveUpload, project: Project, data_root: Path, credentials: Credentials, connect: OpenDrive
) -> None:
    """Upload production.csv, the only table before coding, unless it may hold what must not leave."""
    if reason := find_reason_to_wait(project, data_root):
        log.warning("Not uploading production.csv, made with --mode auto-code-only: %s", reason)
        return
    with _explained("stage 3"), _temporary_folder(data_root) as copies:
        _judge(project, data_root, "tables", pass_production(project, data_root / "Outputs", copies))
        files = [(upload.production_upload_path, copies / PRODUCTION)]
        _save(data_root, _connect(upload, data_root, credentials, connect), _add_workbooks(project, files))


def _add_workbooks(project: Project, files: Sequence[tuple[str, Path]]) -> Sequence[tuple[str, Path]]:
    """Add a workbook of each copy that passed the gate, where the project has workbooks."""
    if not project.configuration.spreadsheet_files:
        return files
    workbooks = []
    for target, copy in files:
        path = copy.with_suffix(".xlsx")
        # The gate guards every text that it passes.
        write_table_workbook(copy, path, is_guarded=True)
        workbooks.append((workbook_target(target), path))
    return [*files, *workbooks]


def upload_analysis(
    project: Project, data_root: Path, credentials: Credentials, connect: OpenDrive = open_drive
) -> None:
    """Upload those files in stage 5's folder that belong to the current outputs; see `upload_tables`.

    Files from earlier outputs may contain messages of people who have withdrawn since, so they stay here.
    """
    upload = project.configuration.drive_upload
    target = None if upload is None else upload.automated_analysis_dir or upload.analysis_graphs_dir
    if upload is None or target is None:
        return
    folder = data_root / "Outputs" / AUTOMATED_ANALYSIS
    lets_pass = project.configuration.disclosure.phone_numbers is PhoneNumberPolicy.ALLOW
    with _explained("stage 5"), _temporary_folder(data_root) as copies:
        findings = DisclosureFindings()
        names = list(_find_current_files(folder, data_root))
        passed = {
            name: pass_analysis_file(folder / name, str(name), copies, findings, lets_pass)
            for name in names
            if name != _WORKBOOK
        }
        _judge(project, data_root, "analysis", findings)
        if _WORKBOOK in names:
            passed[_WORKBOOK] = _make_analysis_workbook(passed, copies)
        files = [(f"{target}/{name}", path) for name, path in passed.items()]
        _save(data_root, _connect(upload, data_root, credentials, connect), files)


def _make_analysis_workbook(passed: Mapping[PurePosixPath, Path], copies: Path) -> Path:
    """Make the workbook of the tables that passed the gate; it can't look into stage 5's own."""
    path = copies / _WORKBOOK
    write_analysis_workbook(path, {name: table for name, table in passed.items() if name.suffix == ".csv"})
    return path


def _find_current_files(folder: Path, data_root: Path) -> Iterator[PurePosixPath]:
    """Find the analysis files made from the latest run of stage 3, by their path in the folder."""
    note = folder / _MADE_FROM
    made = read_json(note, InputError, what="what the analysis was made from")
    source, _ = read_season(data_root)
    made = made if isinstance(made, dict) else {}
    current = {part for part in (_GRAPHS, _EVERYTHING_ELSE) if made.get(part) == asdict(source)}
    passed_over, unknown = 0, []
    for path in sorted(folder.rglob("*")):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        # The stage keeps JSON files for itself, and the gate looks into the CSV beside a Parquet file, which says the same.
        is_twin = path.suffix == ".parquet" and path.with_suffix(".csv").exists()
        if not path.is_file() or path.suffix == ".json" or is_twin:
            continue
        # A PDF that is none of the maps is somebody's own.
        is_known = path.suffix in KNOWN_KINDS and (path.suffix != ".pdf" or name.parts[0] == _MAPS)
        if not is_known and name != _WORKBOOK:
            unknown.append(path.suffix)
            continue
        if (_GRAPHS if name.parts[0] == _GRAPHS else _EVERYTHING_ELSE) in current:
            yield name
        else:
            passed_over += 1
    if passed_over:
        log.warning(
            "Not uploading %d analysis file(s) made from earlier outputs: run stage 5 again",
            passed_over,
        )
    if unknown:
        log.warning(
            "Not uploading %d file(s) that stage 5 does not make: the gate can't look into %s",
            len(unknown),
            ", ".join(sorted({suffix or "files without an ending" for suffix in unknown})),
        )


def _judge(project: Project, data_root: Path, what: str, findings: DisclosureFindings) -> None:
    found_in = _state(data_root) / f"held_back_{what}.csv"
    write_findings(found_in, findings)
    judge(findings, project.configuration.disclosure, f"Upload of the {what}", found_in)


def _connect(upload: DriveUpload, data_root: Path, credentials: Credentials, connect: OpenDrive) -> Drive:
    policy = RetryPolicy()
    storage = open_storage(credentials, policy)
    return connect(read_credentials(storage, upload.drive_credentials_file_url), _state(data_root), policy)


def _save(data_root: Path, drive: Drive, files: Sequence[tuple[str, Path]]) -> None:
    outcomes: Counter[str] = Counter()
    folders = sorted({str(PurePosixPath(path).parts[0]) for path, _ in files})
    with log_hand_over(data_root, "drive", f"Drive: {', '.join(folders)}") as counts:
        for path, source in show_progress(files, len(files), "Drive", "file"):
            outcomes[drive.save_file(path, source).outcome] += 1
        counts.update(outcomes)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "none to upload"
    log.info("Drive: %d file(s): %s", len(files), told)


@contextlib.contextmanager
def _explained(stage: str) -> Iterator[None]:
    """Extend a failure unrelated to the outputs with what is done and what is missing."""
    try:
        yield
    except (ConfigurationError, ServiceError, DisclosureError) as error:
        raise type(error)(
            f"{error}\nThe outputs of {stage} are written; only the upload to Drive is missing. "
            f"Run {stage} with --upload-only once that is fixed."
        ) from None


@contextlib.contextmanager
def _temporary_folder(data_root: Path) -> Iterator[Path]:
    """Give an empty folder for the copies, removed afterwards.

    Waits for another upload of this data root, and removes a killed upload's folder.
    """
    with hold_directory(_state(data_root), lambda: log.info("Drive: waiting for another upload of this data root")):
        folder = _state(data_root) / "copies.partial"
        with explain_os_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            make_directory(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _state(data_root: Path) -> Path:
    return data_root / "State" / "drive"
