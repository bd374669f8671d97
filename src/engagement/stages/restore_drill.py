"""Prove the newest archive: it opens, its files are whole, and the same outputs come out of it.

Works in a private folder beside the archives, which is removed afterwards. Writes a line to <data-root>/Runs/restore_drills.jsonl.
"""

import argparse
import logging
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import load_project
from engagement.custody.backups.checksums import compare_checksum
from engagement.custody.backups.keeping import find_own_archives
from engagement.custody.backups.names import ENCRYPTED, scratch_of
from engagement.custody.backups.restore import restore_archive
from engagement.custody.restore_drills.comparison import compare_outputs, verify_chains
from engagement.custody.restore_drills.kept_configuration import copy_kept_configuration, find_missing_files
from engagement.custody.restore_drills.outdated import find_changes_since, read_mode
from engagement.custody.restore_drills.records import DrillRecord, DrillResult, add_record
from engagement.foundation.errors import InputError, MachineError, PipelineError, UsageError, count_of, listing
from engagement.foundation.files import make_directory, write_json
from engagement.foundation.run_report import record_counts
from engagement.foundation.scratch_folders import remove_scratch, scratch_folder
from engagement.stages import generate_outputs

log = logging.getLogger(__name__)

_MEBIBYTE = 2**20
_WHAT_TO_DO = "Do not rely on this archive: make one that reads every file (6_backup_data_root.sh --full), and run the drill again."


@dataclass(frozen=True)
class DrillRequest:
    """What to drill with; files that `configuration` names lie in its folder."""

    data_root: Path
    backups: Path
    configuration: Path | None
    identity: Path | None
    is_code_allowed: bool


def run_drill(request: DrillRequest) -> None:
    """Prove the newest archive of a data root as far as possible, and write down what was found.

    Raises
    ------
    InputError
        The archive is missing or damaged, or other outputs come out of it.
    MachineError
        There is no room; nothing is written down.
    """
    if not request.data_root.is_dir():
        raise UsageError(f"{request.data_root}: no such directory; expected the data root. Check the path.")
    if request.identity is not None and not request.identity.is_file():
        raise UsageError(f"{request.identity}: no such file; expected the secret key. Check the path.")
    started = time.monotonic()
    scratch = scratch_of(request.backups, request.data_root)
    remove_scratch(scratch)
    archives = find_own_archives(request.backups, request.data_root)
    record = DrillRecord("", archives[-1].name if archives else "", DrillResult.FAILED)
    failure: InputError | None = None
    try:
        if not archives:
            raise InputError(
                f"{request.backups}: no archive of {request.data_root}; expected one of this version. Make one, and run the "
                "drill again."
            )
        record = _prove(request, archives[-1], scratch, record)
    except InputError as error:
        failure, record = error, replace(record, reason=str(error))
    ended = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    add_record(request.data_root, replace(record, at=ended, seconds=round(time.monotonic() - started, 1)))
    if failure is not None:
        raise failure


def _prove(request: DrillRequest, archive: Path, scratch: Path, record: DrillRecord) -> DrillRecord:
    is_known = compare_checksum(archive)
    if not is_known:
        log.warning("%s: nobody noted its checksum when it was written; its files have checksums of their own", archive)
    if archive.name.endswith(ENCRYPTED) and request.identity is None:
        proven = "it is as it was written, by size and CRC-32" if is_known else "nothing of it could be proven"
        log.warning(
            "%s: encrypted, and can't be opened on this machine without a secret key; %s. Run the drill with --identity where "
            "the key is",
            archive,
            proven,
        )
        return replace(record, result=DrillResult.NOT_OPENED, reason=f"encrypted; {proven}")
    _expect_room(request, archive)
    with scratch_folder(scratch):
        root = make_directory(scratch / "data root")
        files = restore_archive(archive, root, request.identity)
        record = replace(record, files=files)
        record_counts({"restored_files": files})
        log.info("Restored %s: %d files, directories and links, all of them with the right checksum", archive, files)
        reasons = _compare(request, root, scratch)
    if reasons:
        log.warning("%s: every file is whole, but its outputs can't be compared: %s", archive, "; ".join(reasons))
        return replace(record, result=DrillResult.FILES_WHOLE, reason="; ".join(reasons))
    log.info("%s is proven: stage 3 makes the same Outputs/ from it", archive)
    return replace(record, result=DrillResult.PROVEN)


def _expect_room(request: DrillRequest, archive: Path) -> None:
    """Check that a data root of today's size has room, and stage 3's files beside it."""
    used = sum(
        path.lstat().st_size for path in request.data_root.rglob("*") if path.is_file() and not path.is_symlink()
    )
    outputs = request.data_root / "Outputs"
    again = sum(path.lstat().st_size for path in outputs.rglob("*") if path.is_file() and not path.is_symlink())
    free, needed = shutil.disk_usage(request.backups).free, used + 2 * again
    if free < needed:
        raise MachineError(
            f"{request.backups}: {free / _MEBIBYTE:.1f} MiB are free; expected about {needed / _MEBIBYTE:.1f} MiB to restore "
            f"{archive.name} beside it. Nothing was proven. Free some space, and run the drill again."
        )
    log.info(
        "Restoring %s beside it, and making its outputs again: until the drill ends, that takes about %.1f MiB of %.1f MiB "
        "that are free",
        archive.name,
        needed / _MEBIBYTE,
        free / _MEBIBYTE,
    )


def _compare(request: DrillRequest, root: Path, scratch: Path) -> list[str]:
    """Run stage 3 on a restored data root; return why the outputs can't be compared, if so.

    Raises
    ------
    InputError
        Other outputs came out of it, or none, and nothing explains that.
    """
    archived = scratch / "archived outputs"
    if not (root / "Outputs").is_dir():
        return ["the archive has no Outputs/, as stage 3 had not run yet"]
    missing = find_missing_files(root, request.configuration)
    if missing:
        verify_chains(root / "Outputs")
        return missing
    # Until then, Outputs/ are part of what stage 3's notes tell of.
    reasons: list[str] = []
    try:
        configuration = copy_kept_configuration(root, scratch / "configuration", request.configuration)
        mode = read_mode(root) or ("all-stages" if (root / "Outputs" / "messages.csv").exists() else "auto-code-only")
        reasons += find_changes_since(load_project(configuration), root)
        (root / "Outputs").rename(archived)
        _generate(configuration, root, scratch, mode, request.is_code_allowed)
    except MachineError:
        raise
    except PipelineError as error:
        said = str(error).replace(str(root), "<data root>").replace(str(scratch), "<scratch folder>")
        if not reasons and isinstance(error, InputError):
            raise InputError(f"Stage 3 on the restored data root: {said}") from None
        verify_chains(archived if archived.exists() else root / "Outputs")
        return [*reasons, f"stage 3 on the restored data root: {said}"]
    differences = compare_outputs(archived, root / "Outputs")
    if not differences:
        return []
    # What came out the same is verified with it.
    verify_chains(archived)
    if reasons:
        return [*reasons, f"so {count_of(len(differences), 'file')} came out different"]
    raise InputError(
        f"Outputs/ of the archive, {listing(differences)}; expected the same files from the same data, configuration and version. "
        + _WHAT_TO_DO
    )


def _generate(configuration: Path, root: Path, scratch: Path, mode: str, is_code_allowed: bool) -> None:
    log.info("Stage 3 on the restored data root; the lines below are of it, and nothing of the data root changes")
    credentials = scratch / "credentials.json"
    # Without DriveUpload no service is used: these are credentials for nothing.
    write_json(credentials, {"type": "embedded", "directory": "embedded"})
    parser = argparse.ArgumentParser()
    generate_outputs.add_arguments(parser)
    options = ["--full", "--accept-shrinkage", "--accept-lost-withdrawals", "--mode", mode]
    if is_code_allowed:
        options.append("--allow-project-code")
    paths = ["--credentials", credentials, "--pipeline-configuration", configuration, "--data-root", root]
    generate_outputs.run(parser.parse_args(["--user", "restore drill", *map(str, paths), *options]))
