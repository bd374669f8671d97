"""Find a person in what killed or failed runs left.

These are files that were never completed, and downloads that never reached Raw Data/.

The next run makes all of it again, so a file that names them goes whole.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from engagement.desk.held_data.copies import find_files_with, holds_any
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.foundation.files import explain_os_errors
from engagement.sources.gcloud_bucket.fetch import DOWNLOADS

_UNFINISHED = ".partial"


def find_unfinished(search: PersonSearch) -> Iterator[HeldItem]:
    """Find what is not finished and names them."""
    for path in _naming(search):
        yield HeldItem(search.name_of(path), "unfinished file or folder", {})


def remove_unfinished(search: PersonSearch) -> None:
    """Remove what is not finished and names them."""
    for path in _naming(search):
        with explain_os_errors(path):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _naming(search: PersonSearch) -> list[Path]:
    paths = list(_left_overs(search.data_root))
    if not paths:
        return []
    texts = {message_id for own in search.texts.own.values() for message_id in own}
    names = [*search.uids, *search.contacts, *texts]
    return [path for path in paths if (find_files_with(path, names) if path.is_dir() else holds_any(path, names))]


def _left_overs(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.name.endswith(_UNFINISHED):
            # Without the folder that it was to replace, this one may be the only complete version.
            if path.is_file() or path.with_name(path.name.removesuffix(_UNFINISHED)).exists():
                yield path
        elif path.is_dir():
            yield from _left_overs(path)
        elif path.parent.name == DOWNLOADS and path.parent.parent.name == "fetch":
            yield path
