"""Write everything that is held of one person into a folder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engagement.desk.held_data.copies import list_copies
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.desk.held_data.table import PLACES
from engagement.foundation.errors import UsageError
from engagement.foundation.files import explain_os_errors, make_directory, open_for_writing, write_csv, write_json
from engagement.foundation.pages import render_page

_FOR_USER_ALONE = 0o700
# Who labelled, decided or handed over is nobody that the participant asked about.
_SIGNED = frozenset(("hand-over", "decision on labels"))
_TITLES = {
    "Coda files": "Your messages, and how people labelled them",
    "Decisions on labels": "Labels that people decided on together",
    "Hand-overs": "Lists that you were on when something was sent or handed on",
    "Write-back": "What your contact in RapidPro was given",
    "Outputs": "Tables made from your answers",
    "Submissions of the fetch": "Forms and messages of yours, as they arrived",
    "Raw Data": "Your answers, as they arrived",
    "State of the fetch": "Your contacts and messages in RapidPro",
    "Contacts": "Which contact is yours",
}


def check_folder(folder: Path, data_root: Path, configuration: Path) -> None:
    """Refuse a folder that has something in it, or that goes into archives or versions.

    Raises
    ------
    UsageError
        It can't be used; nothing was written.
    """
    for other, what in ((data_root, "the data root"), (configuration.parent, "the folder of the project")):
        if folder.resolve().is_relative_to(other.resolve()):
            raise UsageError(
                f"{folder}: in {what}; expected a place outside, as no copy may get into archives or versions. Change --output."
            )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists already; expected a new folder. Remove it, or change --output.")


def write_export(search: PersonSearch, folder: Path) -> int:
    """Write everything as JSON, as CSV and as a page; return the number of items. Nothing held, no file."""
    found = {
        place.name: [item._replace(content=_without_others(item)) for item in place.find(search)] for place in PLACES
    }
    count = sum(map(len, found.values()))
    if not count:
        return 0
    make_directory(folder)
    with explain_os_errors(folder):
        folder.chmod(_FOR_USER_ALONE)
    copies = [{"where": copy.where, "until": copy.until} for copy in list_copies(search.project)]
    document = {
        "uids": search.uids,
        "held": {name: [_describe(item) for item in items] for name, items in found.items() if items},
        "copies": copies,
    }
    write_json(folder / "everything.json", document)
    rows = [
        (name, number, item.file, item.kind, key, value)
        for name, items in found.items()
        for number, item in enumerate(items, 1)
        for key, value in _flatten(item.content)
    ]
    write_csv(folder / "everything.csv", ("Place", "Number", "File", "Kind", "Field", "Value"), rows)
    shown = [(name, [(item, list(_flatten(item.content))) for item in items]) for name, items in found.items() if items]
    page = render_page(
        Path(__file__).with_name("export.html.jinja"), uids=search.uids, places=shown, copies=copies, titles=_TITLES
    )
    with open_for_writing(folder / "everything.html") as file:
        file.write(page)
    return count


def _without_others(item: HeldItem) -> Mapping[str, Any]:
    """Leave out who else is named: in labels, decisions, hand-overs, and a run's history."""
    content = {key: value for key, value in item.content.items() if key != "by" or item.kind not in _SIGNED}
    if "history" in content:
        content["history"] = [
            {**update, "Metadata": _without(update["Metadata"], "User")} if "Metadata" in update else update
            for update in content["history"]
        ]
    return {key: _without_origins(value) for key, value in content.items()}


def _without_origins(value: Any) -> Any:
    """Leave out of labels, wherever they are, who gave them."""
    if isinstance(value, Mapping):
        is_label = "CodeID" in value
        return {key: _without_origins(one) for key, one in value.items() if key != "Origin" or not is_label}
    return [_without_origins(one) for one in value] if isinstance(value, list | tuple) else value


def _without(part: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != name}


def _describe(item: HeldItem) -> dict[str, Any]:
    return {"file": item.file, "kind": item.kind, "content": item.content}


def _flatten(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a text for each field, but for a record's history, which everything.json has."""
    for key, value in content.items():
        if key != "history":
            yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
