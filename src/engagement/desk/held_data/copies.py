"""Copies of a person's data that lie elsewhere, and until when."""

import html
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import escape

from engagement.configuration import Project
from engagement.desk.held_data.person import PersonSearch

# Made again by stages 3 and 5.
DERIVED = ("Outputs/", "State/analysis/", "State/drive/", "State/agreement/")
_PIECE = 1 << 20


class CopyElsewhere(NamedTuple):
    """A place that holds a copy, or may; `until` says when it is gone there, or what to do."""

    where: str
    until: str


def list_copies(project: Project, keeps_ids: bool = True, with_archives: bool = True) -> Iterator[CopyElsewhere]:
    """List where the project's data goes, and comes from."""
    configuration = project.configuration
    yield CopyElsewhere(f"{', '.join(DERIVED)} of the data root", "the next run of stages 3 and 5")
    plans = project.coding_plans.all
    if any(one.suggestions is not None for plan in plans for one in plan.coding_configurations):
        where = "suggestions in Coda on other people's texts, which were learnt from theirs too"
        yield CopyElsewhere(where, "a coder confirms or changes them")
    upload = configuration.drive_upload
    if upload is not None:
        paths = (upload.production_upload_path, upload.messages_upload_path, upload.individuals_upload_path)
        folders = (upload.automated_analysis_dir, upload.analysis_graphs_dir)
        for path in filter(None, (*paths, *folders)):
            yield CopyElsewhere(f"Google Drive: {path}", "the next upload, but for its earlier versions in Drive")
    if with_archives:
        yield CopyElsewhere("archives of the data root, in the folder of back-ups", "the archive is removed")
    prefix = configuration.memory_profile_upload_url_prefix
    yield CopyElsewhere(
        f"logs of runs{'' if prefix is None else f', also at {prefix}…'}: a warning may name a contact's id in RapidPro",
        "the log is removed",
    )
    if configuration.data_archive_upload_url_prefix is not None:
        where = f"archives at {configuration.data_archive_upload_url_prefix}…"
        yield CopyElsewhere(where, "the archive is removed there")
    for source_type in sorted({source.source_type for source in configuration.raw_data_sources}):
        yield CopyElsewhere(f"the source of the messages: {source_type}", "somebody removes them there")
    if any(source.uses_uuid_table for source in configuration.raw_data_sources):
        table = configuration.phone_number_uuid_table.table_name
        if keeps_ids:
            yield CopyElsewhere(f"uuid table {table!r}: the number with its uid", "somebody is forgotten without it")
        yield CopyElsewhere(f"other projects that use the uuid table {table!r}", "the participant is forgotten in each")


def find_left(search: PersonSearch, contacts: tuple[str, ...]) -> list[str]:
    """Name files of the data root and of the project that hold a uid or a contact's uuid.

    Those that are made again are left out.
    """
    names = [*search.uids, *contacts]
    found = [name for name in find_files_with(search.data_root, names) if not name.startswith(DERIVED)]
    project = search.project.path.parent
    return list(dict.fromkeys([*found, *(str(project / name) for name in find_files_with(project, names))]))


def find_files_with(folder: Path, texts: Sequence[str]) -> list[str]:
    """Name the files of a folder that hold one of some texts, as it is or as JSON, CSV or a page has it."""
    needles = _needles(texts)
    if not needles:
        return []
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path.relative_to(folder).as_posix() for path in paths if _holds(path, needles)]


def holds_any(path: Path, texts: Sequence[str]) -> bool:
    """Check if a file holds one of some texts, like `find_files_with`."""
    needles = _needles(texts)
    return bool(needles) and _holds(path, needles)


def _needles(texts: Sequence[str]) -> list[bytes]:
    return sorted({form.encode() for text in texts for form in _forms_of(text)})


def _forms_of(text: str) -> Iterator[str]:
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield text.replace('"', '""')
    # As jinja escapes it, and as SVG has it.
    yield str(escape(text))
    yield html.escape(text, quote=False)


def _holds(path: Path, names: list[bytes]) -> bool:
    """Look for names in a file, piece by piece."""
    longest = max(map(len, names))
    with path.open("rb") as file:
        tail = b""
        while piece := file.read(_PIECE):
            if any(name in tail + piece for name in names):
                return True
            tail = piece[-longest:]
    return False
