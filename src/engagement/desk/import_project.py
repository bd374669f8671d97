"""Import a project of an earlier pipeline: a new folder with configuration, plans and MIGRATION.md.

Reads a classic project (a JSON configuration, coding plans in Python), or a later one of the Engagement-Data-Pipeline. Nothing of
the old project is run, and its folder is not changed. MIGRATION.md says what was carried over, changed, dropped, and what is to
decide; `check` runs by itself at the end, and its result is there as well.
"""

import argparse
import contextlib
import logging
import sys
from pathlib import Path

from engagement.configuration.loading import ProjectFiles, read_project_files
from engagement.desk.checks.findings import Findings
from engagement.desk.checks.project_warnings import find_project_warnings
from engagement.desk.project_import.classic.project import import_classic_project
from engagement.desk.project_import.edp.project import import_edp_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.options import (
    OldData,
    add_arguments_of_old_data,
    note_old_data,
    refuse_old_data,
)
from engagement.desk.project_import.old_folders import choose_pipeline
from engagement.desk.project_import.one_at_a_time import wait_for_turn
from engagement.desk.project_import.writing import ImportedProject, write_project
from engagement.foundation.errors import UsageError

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("old_folder", type=Path, metavar="old-folder", help="the old project, as its owner has it")
    parser.add_argument("new_folder", type=Path, metavar="new-folder", help="the new project, which does not exist yet")
    parser.add_argument(
        "--pipeline", type=Path, metavar="FILE", help="which pipeline of the old folder, if it has several"
    )
    add_arguments_of_old_data(parser)


def run(args: argparse.Namespace) -> None:
    """Convert, write, check."""
    old, new = args.old_folder, args.new_folder
    asked = OldData.of(args, new)
    _refuse_folders(old, new)
    refuse_old_data(asked, args, [old, new])
    with wait_for_turn([new, *([asked.new_data_root] if asked.new_data_root is not None else [])]):
        # Another import may have been there first.
        _refuse_folders(old, new)
        refuse_old_data(asked, args, [old, new])
        _import(args, asked)


def _import(args: argparse.Namespace, asked: OldData) -> None:
    old, new = args.old_folder, args.new_folder
    pipeline = choose_pipeline(old, args.pipeline)
    migration = Migration()
    importer = import_edp_project if pipeline.suffix == ".py" else import_classic_project
    project = importer(old, pipeline, migration)
    errors = _Errors()
    # The new data root gets its place last: nothing is left behind where the new project could not be written.
    with contextlib.ExitStack() as stack:

        def look(path: Path) -> None:
            files = _look(path, migration, errors)
            note_old_data(asked, files, project.local_names, migration, stack)

        write_project(new, project, migration, look)
    counts = ", ".join(f"{name} {len(migration.lines(name))}" for name in ("Done", "Changed", "Dropped", "To decide"))
    sys.stdout.write(f"{new}: {_count_of_plans(project)} coding plans. Read MIGRATION.md there: {counts}.\n")
    if asked.new_data_root is not None and asked.new_data_root.is_dir():
        sys.stdout.write(f"{asked.new_data_root}: the data root taken over.\n")
    if errors.count:
        sys.stdout.write(
            f"check: {errors.count} error(s), which are under To decide. Mend them before the first run.\n"
        )


class _Errors:
    count = 0


def _refuse_folders(old: Path, new: Path) -> None:
    if not old.is_dir():
        raise UsageError(f"{old}: no such folder; expected the folder of the old project. Check the path.")
    if new.exists() or new.is_symlink():
        raise UsageError(f"{new}: it is there already; expected a new folder. Choose another name.")
    aside = new.with_name(f"{new.name}.old")
    if aside.exists():
        raise UsageError(
            f"{aside}: it is in the way of {new.name!r}; expected no folder of that name. Choose another name."
        )
    if new.resolve().is_relative_to(old.resolve()):
        raise UsageError(f"{new}: inside of the old folder, which stays as it is; expected another place. Choose one.")


def _count_of_plans(project: ImportedProject) -> int:
    return sum(len(plans) for key, plans in project.coding_plans.items() if key.endswith("CodingPlans"))


def _look(path: Path, migration: Migration, errors: _Errors) -> ProjectFiles:
    """Check the new project, and note what is wrong or odd in it; returns what was read of it."""
    files = read_project_files(path)
    findings = Findings(files.problems)
    find_project_warnings(files, findings)
    errors.count = findings.error_count
    for line in findings.lines():
        word, _, text = line.partition(": ")
        text = text.replace(f"{path.parent}/", "")
        if word == "WARNING":
            migration.warn(text)
        else:
            migration.to_decide(f"check: {word}", text)
    migration.done(f"`check` ran: {findings.error_count} error(s), {findings.warning_count} warning(s).")
    return files
