"""Needs of a container for a command of the desk: its path arguments, and what they refer to.

The command's own parser says which arguments are paths. Paths that are not visible yet are named with `look`.
"""

import argparse
import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from engagement.foundation.errors import UsageError
from engagement.services.container_needs import ContainerNeeds
from engagement.services.credentials import load_credentials

COMMANDS = (
    "adjudicate", "audit", "check", "cluster-certificates", "coda-mend", "coda-progress", "compare", "contacts", "de-identify", "diff",
    "evaluate-cleaners", "evaluate-suggestions", "explain", "export-participant", "figures", "forget",
    "icr", "import-project", "new-project", "recover", "reproduce", "scheme", "status", "suggest-labels",
)  # fmt: skip
# Arguments that a command writes to. Without --output some write beside what they read.
_FOLDERS_WRITTEN = {
    ("new-project", "directory"), ("scheme", "folder"), ("cluster-certificates", "folder"), ("compare", "folder"),
    ("figures", "folder"), ("icr", "data_root"), ("adjudicate", "data_root"), ("forget", "data_root"),
    ("export-participant", "data_root"),
    ("forget", "backups_dir"),
}  # fmt: skip
# What these write appears whole: it is built beside its place.
_FILES_WRITTEN = {
    ("adjudicate", "sheet"), ("scheme", "output"), ("contacts", "to_file"), ("de-identify", "output"), ("recover", "output"),
    ("recover", "chart"), ("import-project", "new_folder"), ("import-project", "new_data_root"), ("export-participant", "output"), ("reproduce", "output"), ("suggest-labels", "output"),
    ("suggest-labels", "report"),
}  # fmt: skip
_WRITTEN_BESIDE = {("scheme", "sheet"), ("de-identify", "files")}
# Without --folder they write into the data root.
_WRITTEN_INSIDE = {("compare", "after"), ("figures", "data_root")}
# Options of `contacts` that hand people over: it asks RapidPro, and writes to the data root's record.
_HAND_OVERS = ("to_group", "to_field", "to_file")


def hands_over(given: argparse.Namespace) -> bool:
    """Tell whether a command hands people over to a service or a file."""
    return any(getattr(given, option, None) is not None for option in _HAND_OVERS)


def asks_uuid_table(given: argparse.Namespace) -> bool:
    """Tell whether a command exchanges phone numbers for the uids of a project."""
    asks = hasattr(given, "exports") or hasattr(given, "keep_uuid_table_row")
    return asks or getattr(given, "phone_number_from_stdin", False)


def plan_desk(
    options: list[str], add_project: Callable[[ContainerNeeds, argparse.Namespace, Path], None]
) -> ContainerNeeds:
    """Find the needs of a command and its options.

    `add_project` adds those of a visible pipeline configuration.
    """
    if not options or options[0] not in COMMANDS:
        raise UsageError(
            f"{options[0] if options else 'no command'}: expected one of {', '.join(COMMANDS)}. Each stage has a script of "
            "its own."
        )
    name = options[0]
    parser = argparse.ArgumentParser(prog=f"engagement {name}")
    importlib.import_module(f"engagement.desk.{name.replace('-', '_')}").add_arguments(parser)
    given = parser.parse_args(options[1:])
    needs = ContainerNeeds()
    for argument, path in _paths(given):
        if (name, argument) == ("import-project", "pipeline"):
            # A file in the old folder, which is shown whole.
            continue
        _add_path(needs, name, argument, path, given)
        if "configuration" in argument or (name == "diff" and argument in ("old", "new")):
            add_project(needs, given, path)
    for argument, path in _paths(given):
        if argument.endswith("credentials") and path.exists():
            needs.add_credentials(load_credentials(path))
    if name == "new-project":
        needs.add_host(given.rapid_pro_domain or "")
    return needs


def _paths(given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    for argument, value in vars(given).items():
        values: Iterable[Any] = value if isinstance(value, list) else [value]
        yield from ((argument, item.absolute()) for item in values if isinstance(item, Path))


def _add_path(needs: ContainerNeeds, command: str, argument: str, path: Path, given: argparse.Namespace) -> None:
    is_beside = (command, argument) in _WRITTEN_BESIDE and given.output is None
    is_inside = (command, argument) in _WRITTEN_INSIDE and given.folder is None
    is_recorded = (command, argument) == ("contacts", "data_root") and hands_over(given)
    if is_inside or is_recorded or (command, argument) in _FOLDERS_WRITTEN:
        needs.writable.add(path)
    elif is_beside or (command, argument) in _FILES_WRITTEN:
        needs.writable.add(path.parent)
    else:
        # A configuration refers to files beside it; of a folder with keys only the key is shown.
        is_project = "configuration" in argument or command == "diff"
        shown = path.parent if is_project and argument != "data_root" else path
        needs.read_only.add(shown)
        if not shown.exists():
            needs.out_of_sight.add(shown)
