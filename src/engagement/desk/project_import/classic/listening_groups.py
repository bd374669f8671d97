"""ListeningGroups of an old project, made from its list of CSVs, ready to be pasted."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from engagement.desk.project_import.migration import Migration, paste_ready

LISTENING_GROUPS: Final = "ListeningGroupCSVURLs"
_FOLDER: Final = "attendance"


def tell_listening_groups(value: object, migration: Migration) -> None:
    """Tell how the old groups are configured here; somebody has to fetch their files first."""
    groups: dict[str, list[str]] = {}
    urls = []
    for name, url in _name_files(value):
        urls.append(url)
        groups.setdefault(name, []).append(f"{_FOLDER}/{PurePosixPath(url).name}")
    if not groups:
        migration.to_decide(LISTENING_GROUPS, f"it could not be read. It was:{paste_ready(value)}")
        return
    configured = [{"Name": name, "Files": files} for name, files in groups.items()]
    migration.to_decide(
        LISTENING_GROUPS,
        "each group was a true/false column in the outputs, as it is with ListeningGroups here: listening_group_<Name>. Download "
        f"{', '.join(urls)} into a folder `{_FOLDER}` beside the configuration, and put this into it. Files of one group can "
        f"stand in one list.{paste_ready({'ListeningGroups': configured})}",
    )


def _name_files(value: object) -> Iterator[tuple[str, str]]:
    """Give each file's address with the name of its group: its own, or one made of the file's name."""
    named = value.items() if isinstance(value, dict) else [("", value)]
    for name, files in named:
        for url in files if isinstance(files, list) else [files]:
            if isinstance(url, str):
                yield _name_of(str(name) or PurePosixPath(url).stem), url


def _name_of(stem: str) -> str:
    """Make a name for a column from a file's.

    >>> _name_of("Listening_Group_2"), _name_of("mothers-Hagadera")
    ('group_2', 'mothers_hagadera')
    """
    words = re.sub("[^a-z0-9]+", "_", stem.casefold()).strip("_").removeprefix("listening_")
    return words if words[:1].isalpha() else f"group_{words}".rstrip("_")
