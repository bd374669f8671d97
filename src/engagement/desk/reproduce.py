"""Make the outputs of an earlier run of stage 3 again, and compare them with what it left.

Takes the configuration, plans and schemes that the run was made with, and its raw data and labels from the data root, if these are
as they were, or from the archive that was made nearest after the run. Says which output files have the same bytes, which differ, and
which inputs or versions are not those of the run. Changes nothing in the data root. The exit status is 0 if nothing differs but the times
that records got in earlier runs, else 11.
"""

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from engagement.configuration.kept_project import ProjectDocuments
from engagement.custody.run_manifests.kept_inputs import read_kept_documents
from engagement.custody.run_manifests.manifest import RunManifest, read_manifest
from engagement.custody.run_manifests.recording import choose_optional_packages, describe_versions
from engagement.desk.previews.runs import temporary_folder
from engagement.desk.reproduction.comparison import OutputsComparison, compare_outputs
from engagement.desk.reproduction.rebuilding import make_outputs_again
from engagement.desk.reproduction.sources import InputsSource, choose_source, find_changed_files
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import make_directory
from engagement.foundation.revision import find_revision

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("run_id", metavar="run-id", help="the run, as Runs/manifests/ in the data root names it")
    parser.add_argument("--archives", type=Path, metavar="FOLDER", help="folder with archives of the data root")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="secret key for an encrypted archive")
    parser.add_argument(
        "--pipeline-configuration",
        type=Path,
        metavar="FILE",
        help="configuration whose folder has the project's attendance, links and code; by default the run's",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="new folder that keeps what was made, outside the data root"
    )


def run(arguments: argparse.Namespace) -> None:
    """Find the run's inputs, make its outputs again, and compare."""
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    manifest = read_manifest(arguments.data_root, arguments.run_id)
    output = arguments.output
    if output is None:
        with temporary_folder() as folder:
            _reproduce(arguments, manifest, folder)
        return
    if output.resolve().is_relative_to(arguments.data_root.resolve()):
        raise UsageError(
            f"{output}: in the data root; expected a folder outside, which archives do not hold. Change --output."
        )
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output}: exists already; expected a new folder. Remove it, or change --output.")
    _reproduce(arguments, manifest, make_directory(output))


def _reproduce(arguments: argparse.Namespace, manifest: RunManifest, folder: Path) -> None:
    source = choose_source(arguments.data_root, manifest, arguments.archives, folder, arguments.identity)
    documents = _find_documents(arguments.data_root, source, manifest)
    configuration = arguments.pipeline_configuration or Path(manifest.configuration_file)
    reasons = [
        *(f"{source.name}, {change}" for change in source.changed),
        *(
            f"beside the configuration, {change}"
            for change in find_changed_files(manifest.project_files, configuration.parent)
        ),
        *_compare_versions(manifest.versions),
    ]
    sys.stdout.write(f"Run {manifest.run_id} of {manifest.user}, with inputs from {source.name}\n")
    sys.stdout.writelines(f"Not as in the run: {reason}\n" for reason in reasons)
    root = make_outputs_again(folder, manifest, documents, source.data_root, configuration.parent)
    if not source.has_outputs:
        raise InputError(
            f"{source.name}: Outputs/ is not that of the run; expected the run's, to compare with. Name the folder of the run's "
            "archive with --archives; --output keeps what was made now."
        )
    found = compare_outputs(source.data_root / "Outputs", root / "Outputs")
    sys.stdout.writelines(f"{line}\n" for line in _describe(found, manifest.is_full))
    if found.has_differences or (manifest.is_full and found.only_times):
        why = "; ".join(reasons) or "no input, option or version that is known: please report it"
        raise InputError(
            f"Run {manifest.run_id}: its outputs differ from those made now; expected the same. What differs: {why}."
        )


def _find_documents(data_root: Path, source: InputsSource, manifest: RunManifest) -> ProjectDocuments:
    for root in (data_root, source.data_root):
        documents = read_kept_documents(root, manifest)
        if documents is not None:
            return documents
    raise InputError(
        f"{data_root / 'State' / 'run_inputs'}: lacks the configuration, plans or a scheme of run {manifest.run_id}; expected "
        "them, as stage 3 kept them. Name a folder of archives with --archives."
    )


def _compare_versions(before: dict[str, str]) -> Iterator[str]:
    """Say what of the code and its packages is not that of the run."""
    now = describe_versions(find_revision(), choose_optional_packages(before))
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield f"{name}: {before.get(name, 'none')} then, {now.get(name, 'none')} now"


def _describe(found: OutputsComparison, is_full: bool) -> Iterator[str]:
    if found.are_same:
        yield f"The same bytes: all {len(found.same)} files of Outputs/, but for Automated Analysis/, which stage 5 makes from them."
        return
    yield f"The same bytes: {len(found.same)} files"
    why = "" if is_full else ": the run kept records that earlier runs had made"
    yield from (f"Only times, users and hashes differ{why}: {name}" for name in found.only_times)
    yield from (f"Differs: {name}" for name in found.different)
    yield from (f"Not made now: {name}" for name in found.only_before)
    yield from (f"Made only now: {name}" for name in found.only_after)
