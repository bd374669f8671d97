"""Compare an import with the old outputs and labels, and take over the old data root."""

import argparse
import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import Project, load_project
from engagement.configuration.loading import ProjectFiles
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.coded_datasets import count_old_labels, note_old_labels
from engagement.desk.project_import.old_data.compare_columns import note_columns, read_old_header
from engagement.desk.project_import.old_data.data_root_notes import note_taken_data
from engagement.desk.project_import.old_data.old_data_root import refuse_places, take_over_data_root
from engagement.desk.project_import.old_data.preview_notes import note_preview
from engagement.foundation.errors import ConfigurationError, UsageError

_AFTER_ERRORS = "the coding plans have errors, listed above by `check`. Correct them; then"


@dataclass(frozen=True)
class OldData:
    """What to compare the imported project with, and what to take over; None for what was not asked."""

    compare_with: Path | None = None
    coded: Path | None = None
    data_root: Path | None = None
    new_data_root: Path | None = None

    @classmethod
    def of(cls, args: argparse.Namespace, new_folder: Path) -> "OldData":
        """Read the command line; without --new-data-root, the new data root is beside the new folder."""
        new = args.new_data_root or new_folder.with_name(f"{new_folder.name}_data_root")
        return cls(args.compare_with, args.coded, args.data_root, None if args.data_root is None else new)


def add_arguments_of_old_data(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--compare-with",
        type=Path,
        metavar="CSV",
        help="old messages.csv: tells which columns are new, gone or renamed",
    )
    parser.add_argument(
        "--coded", type=Path, metavar="FOLDER", help="old Coded Coda Files, or downloads: counts the labels at stake"
    )
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="OLD",
        help="old data root: takes over raw runs and labels, and compares outputs",
    )
    parser.add_argument(
        "--new-data-root",
        type=Path,
        metavar="NEW",
        help="where to take it over to, a folder that does not exist yet; '<new-folder>_data_root' if not given",
    )


def refuse_old_data(asked: OldData, args: argparse.Namespace, folders: Sequence[Path]) -> None:
    """Refuse wrong options before anything is read.

    `folders` are those of the old and then the new project.

    Raises
    ------
    UsageError
        A file or folder is not there, the new data root exists or is in one of the folders, or the new project is in old data.
    """
    if args.new_data_root is not None and asked.data_root is None:
        raise UsageError("--new-data-root: --data-root was not given; expected both. Give the old data root as well.")
    if asked.compare_with is not None:
        read_old_header(asked.compare_with)
    if asked.coded is not None and not asked.coded.is_dir():
        raise UsageError(f"{asked.coded}: no such directory; expected the datasets' files from Coda. Check --coded.")
    for new_project, kept in itertools.product(folders[1:], (asked.data_root, asked.coded)):
        if kept is not None and new_project.resolve().is_relative_to(kept.resolve()):
            raise UsageError(
                f"{new_project}: inside of {kept}, which stays as it is; expected another place. Choose one."
            )
    if asked.data_root is not None and asked.new_data_root is not None:
        refuse_places(asked.data_root, asked.new_data_root, folders)


def note_old_data(
    asked: OldData,
    files: ProjectFiles,
    local_names: Mapping[str, str],
    migration: Migration,
    stack: contextlib.ExitStack,
) -> None:
    """Compare, count and take over what was asked, and note what was found.

    `files` are the new project's, as far as they could be read; `local_names` maps old names of Coda files, without their
    ending, to the datasets' names in Coda. The new data root gets its place when `stack` closes without an error.

    Raises
    ------
    InputError
        A file of the old data is damaged; nothing is taken over.
    """
    if asked.compare_with is not None:
        if files.plans is None:
            migration.to_decide("--compare-with", f"{_AFTER_ERRORS} compare the columns of stage 3's messages.csv.")
        else:
            note_columns(asked.compare_with, files.plans, migration)
    if asked.coded is not None:
        if files.plans is None:
            migration.to_decide(
                "--coded", f"{_AFTER_ERRORS} `check` with --data-root counts labels that no plan finds."
            )
        else:
            note_old_labels(count_old_labels(asked.coded, files.plans, local_names), files.plans, migration)
    if asked.data_root is not None and asked.new_data_root is not None:
        _take_over(asked.data_root, asked.new_data_root, files, local_names, migration, stack)


def _take_over(
    old: Path,
    new: Path,
    files: ProjectFiles,
    local_names: Mapping[str, str],
    migration: Migration,
    stack: contextlib.ExitStack,
) -> None:
    if files.configuration is None:
        migration.to_decide(
            "--data-root",
            "not taken over: the configuration has errors, listed above by `check`, so that its flows are unknown.",
        )
        return
    taken = stack.enter_context(take_over_data_root(old, new, files.configuration, _datasets_of(files), local_names))
    note_taken_data(taken, new, files.configuration, migration)
    project = _load(files)
    if project is None:
        migration.to_decide(
            "preview",
            "the new project has errors, listed above by `check`. Correct them, run stage 3, and compare its tables.",
        )
    else:
        note_preview(project, taken.folder, old / "Outputs", migration)


def _datasets_of(files: ProjectFiles) -> list[str]:
    document = files.plans_document
    if document is None:
        return []
    plans = (*document.rqa_coding_plans, *document.demographic_coding_plans, *document.follow_up_coding_plans)
    return list(
        dict.fromkeys(plan.coda_filename.removesuffix(".json") for plan in plans if plan.coda_filename is not None)
    )


def _load(files: ProjectFiles) -> Project | None:
    try:
        return load_project(files.path)
    except ConfigurationError:
        return None
