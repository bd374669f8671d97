"""Find out that a run of stage 3 would make what the last one made, without doing it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engagement.configuration.kept_project import ProjectDocuments, is_project_kept, read_documents
from engagement.custody.run_manifests.kept_inputs import digest_document, is_kept
from engagement.custody.run_manifests.manifest import FileDigests, RunManifest, write_manifest
from engagement.custody.run_manifests.recording import (
    describe_versions,
    find_inputs,
    name_run,
)
from engagement.foundation.file_stamps import FULL_AFTER, stamp_of
from engagement.foundation.run_report import record_counts
from engagement.foundation.who import name_account
from engagement.processing.reuse.left_files import LastRun, read_last_run
from engagement.processing.reuse.maker import describe_maker
from engagement.processing.reuse.note_files import note_unchanged_inputs
from engagement.sources.manifest import read_manifest

log = logging.getLogger(__name__)

_RAW_DATA = "Raw Data/"


class OutputsFacts(msgspec.Struct, frozen=True):
    """What stage 3 has to know of a project's files to see that it would make the same outputs again.

    `settings` is a digest. `files` are beside the configuration. `packages` are those that not every project needs.
    """

    settings: str
    time_zone: str
    flows: list[str]
    files: list[str]
    packages: list[str]
    has_own_code: bool


@dataclass(frozen=True)
class RunToKeep:
    """The last run, whose outputs stay, and its manifest."""

    run: LastRun
    manifest: RunManifest


def is_full_read_due(last: RunManifest | None) -> bool:
    """Tell whether a run has to read every input: too many before it believed stamps, or nobody knows."""
    return last is None or last.runs_since_full_read is None or last.runs_since_full_read >= FULL_AFTER


def find_run_to_keep(
    path: Path, facts: OutputsFacts, data_root: Path, digests: FileDigests, user: str, options: Mapping[str, str]
) -> RunToKeep | None:
    """Return the last run if this one would leave the same; else None.

    `path` is the pipeline configuration's.

    Code of the project's own may do something else today. Who runs it is in the outputs.
    """
    manifest = digests.last
    if manifest is None or facts.has_own_code:
        return None
    run = read_last_run(data_root, describe_maker(facts.settings, facts.time_zone, options["mode"]))
    if run is None or run.time != manifest.time:
        return None
    documents = read_documents(path)
    if not (
        _is_by_the_same(facts.packages, manifest, user, options)
        and _is_same_project(path, data_root, manifest, documents)
    ):
        return None
    names, beside = list(find_inputs(data_root, facts.flows)), path.parent
    expected = read_manifest(data_root / "Raw Data")
    are_files_same = (
        set(names) == manifest.files.keys()
        and all(run.verified.get(name) in versions for name, versions in expected.items() if _RAW_DATA + name in names)
        and all(_is_same(name, data_root, manifest, run, digests) for name in names)
        and set(facts.files) == manifest.project_files.keys()
        and all((beside / name).is_file() for name in facts.files)
        and all(
            digests.digest(name, beside / name).sha256 == manifest.project_files[name].sha256 for name in facts.files
        )
    )
    if not are_files_same:
        return None
    # As git renews its index: what was read again need not be read in the next run.
    files, project_digests = digests.renew(manifest.files), digests.renew(manifest.project_files)
    return RunToKeep(run, msgspec.structs.replace(manifest, files=files, project_files=project_digests))


def keep_outputs(data_root: Path, kept: RunToKeep) -> None:
    """Leave everything as the last run left it; write a manifest, and repeat the last run's warnings."""
    for warning in kept.run.warnings:
        log.warning("%s", warning)
    since = kept.manifest.runs_since_full_read
    _, run_id = name_run(_now())
    write_manifest(
        data_root,
        msgspec.structs.replace(
            kept.manifest, run_id=run_id, runs_since_full_read=None if since is None else since + 1
        ),
    )
    log.info(
        "Nothing changed since the run of %s: kept Outputs/ as it is, %d message(s), %d participant(s)",
        kept.run.time,
        kept.run.counts["messages"],
        kept.run.counts["participants"],
    )
    note_unchanged_inputs(data_root)
    record_counts(kept.run.counts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _is_by_the_same(packages: list[str], manifest: RunManifest, user: str, options: Mapping[str, str]) -> bool:
    return (
        manifest.user == user
        and manifest.account == name_account()
        and manifest.options == options
        and manifest.versions == describe_versions(name_run(_now())[0], set(packages))
    )


def _is_same_project(path: Path, data_root: Path, manifest: RunManifest, documents: ProjectDocuments) -> bool:
    parts = {
        "": (documents.configuration, manifest.configuration),
        "plans": (documents.plans, manifest.coding_plans),
        **{f"scheme {name}": (scheme, manifest.schemes.get(name)) for name, scheme in documents.schemes.items()},
    }
    return (
        manifest.configuration_file == str(path.absolute())
        and documents.schemes.keys() == manifest.schemes.keys()
        and all(digest_document(document) == digest for document, digest in parts.values())
        and all(is_kept(data_root, str(digest)) for _, digest in parts.values())
        and is_project_kept(documents, data_root)
    )


def _is_same(name: str, data_root: Path, manifest: RunManifest, run: LastRun, digests: FileDigests) -> bool:
    path = data_root / name
    if name.startswith(_RAW_DATA):
        raw_name = name.removeprefix(_RAW_DATA)
        if run.raw_files.get(raw_name) == stamp_of(path):
            return True
        # Only of these is the digest known to be that of the bytes that were read.
        if raw_name not in run.verified:
            return False
    return digests.digest(name, path).sha256 == manifest.files[name].sha256
