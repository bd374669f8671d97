"""Record what a run of stage 3 is made with."""

import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.custody.run_manifests.kept_inputs import keep_document
from engagement.custody.run_manifests.manifest import FileDigests, RunManifest, version_number, write_manifest
from engagement.foundation.files import digest_file
from engagement.foundation.own_code import describe_own_code
from engagement.foundation.revision import find_image, find_lock, find_revision
from engagement.foundation.run_report import RUN_ID
from engagement.foundation.who import name_account

if TYPE_CHECKING:
    from engagement.configuration import PipelineConfiguration, Project
    from engagement.configuration.kept_project import ProjectDocuments

# run_pipeline.sh sets it.
_RUN = "PIPELINE_RUN_ID"
_WORKBOOK_PACKAGES = frozenset({"xlsxwriter"})
_SUGGESTION_PACKAGES = frozenset({"scikit-learn", "scipy"})


@dataclass(frozen=True)
class MadeRun:
    """A run of stage 3; `time` is that in its outputs, `is_full` if it kept nothing of an earlier run.

    `runs_since_full_read` is 0 if it read every input.
    """

    time: str
    user: str
    is_full: bool
    options: Mapping[str, str]
    runs_since_full_read: int | None


def record_run(
    data_root: Path,
    project: "Project",
    documents: "ProjectDocuments",
    run: MadeRun,
    digests: FileDigests,
    own_modules: Iterable[str | None],
) -> None:
    """Keep the contents of a run's project, and write its manifest.

    `own_modules` are files of the project's own code.
    """
    revision, run_id = name_run(run.time)
    beside = project.path.parent
    manifest = RunManifest(
        version=version_number(),
        run_id=run_id,
        time=run.time,
        user=run.user,
        account=name_account(),
        is_full=run.is_full,
        versions=describe_versions(revision, find_optional_packages(project)),
        options=dict(run.options),
        configuration_file=str(project.path.absolute()),
        configuration=keep_document(data_root, documents.configuration),
        coding_plans=keep_document(data_root, documents.plans),
        schemes={name: keep_document(data_root, scheme) for name, scheme in documents.schemes.items()},
        files={
            name: digests.digest(name, data_root / name)
            for name in find_inputs(data_root, list_flows(project.configuration))
        },
        project_files={name: digests.digest(name, beside / name) for name in find_project_files(project, own_modules)},
        runs_since_full_read=run.runs_since_full_read,
    )
    write_manifest(data_root, manifest)


def digest_labels(data_root: Path, project: "Project", digests: FileDigests) -> None:
    """Digest the labels and the files beside the configuration before they are read.

    Raw files are compared while they are read.
    """
    for name in find_inputs(data_root, list_flows(project.configuration)):
        if not name.startswith("Raw Data/"):
            digests.digest(name, data_root / name)
    for name in find_project_files(project):
        if (project.path.parent / name).is_file():
            digests.digest(name, project.path.parent / name)


def find_optional_packages(project: "Project") -> Set[str]:
    """Name the packages that decide bytes of what not every project asks for."""
    # Imported here, as it imports the configuration: a run with nothing new may know the project already.
    from engagement.labelling.suggestions.wanted import are_suggestions_asked_for

    books = _WORKBOOK_PACKAGES if project.configuration.spreadsheet_files else frozenset()
    return books | (_SUGGESTION_PACKAGES if are_suggestions_asked_for(project.coding_plans.all) else frozenset())


def choose_optional_packages(versions: Mapping[str, str]) -> Set[str]:
    """Choose the optional packages that a run's versions name."""
    return versions.keys() & (_WORKBOOK_PACKAGES | _SUGGESTION_PACKAGES)


def describe_versions(revision: str, optional_packages: Set[str]) -> dict[str, str]:
    """Describe what runs: commit, Pipfile.lock, image, Python, code and the packages that decide bytes."""
    lock = find_lock()
    found = {"revision": revision, **dict(describe_own_code())}
    for name in sorted(optional_packages):
        found[name] = _find_version(name)
    if lock.is_file():
        found["Pipfile.lock"] = digest_file(lock)
    image = find_image()
    return found if image is None else {**found, "image": image}


def _find_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def list_flows(configuration: "PipelineConfiguration") -> list[str]:
    """List the flows whose files stage 3 reads."""
    return [*configuration.activation_flows, *configuration.survey_flows]


def find_inputs(data_root: Path, flows: Iterable[str]) -> Iterator[str]:
    """Name the files of the data root that stage 3 reads, as far as they are there."""
    names = [f"Raw Data/{flow}.jsonl" for flow in flows]
    for folder in ("Coded Coda Files", "Adjudications"):
        names += sorted(f"{folder}/{path.name}" for path in (data_root / folder).glob("*.json"))
    yield from (name for name in names if (data_root / name).is_file())


def find_project_files(project: "Project", own_modules: Iterable[str | None] = ()) -> Iterator[str]:
    """Name the files beside the configuration that stage 3 reads: attendance, links, own code."""
    for group in project.configuration.listening_groups:
        yield from map(str, group.files)
    yield from map(str, project.configuration.linked_participants)
    folder = project.path.parent.absolute()
    for file in own_modules:
        if file is not None and Path(file).absolute().is_relative_to(folder):
            yield str(Path(file).absolute().relative_to(folder))


def name_run(time: str) -> tuple[str, str]:
    """Return the commit that runs, and the id of the pipeline's run; stage 3 by itself gets one like it."""
    told = os.environ.get(_RUN, "")
    if re.fullmatch(RUN_ID, told):
        return told.rpartition("-")[2], told
    revision = find_revision()
    return revision, f"{datetime.fromisoformat(time):%Y-%m-%dT%H%M%SZ}-{revision}"
