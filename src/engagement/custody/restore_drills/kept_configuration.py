"""The configuration that made an archive's outputs: the copy in State/project/, made whole again.

It names files beside the project's own configuration, which the archive has not: lists of participants, and the project's code.
"""

from pathlib import Path
from typing import Any

from engagement.configuration import load_project
from engagement.configuration.kept_project import find_kept_configuration, kept_folder
from engagement.foundation.errors import ConfigurationError, InputError
from engagement.foundation.files import copy_tree, explain_os_errors, read_json, write_json
from engagement.pipeline.coding.named_functions import has_project_functions


def find_missing_files(data_root: Path, configuration: Path | None) -> list[str]:
    """Say why stage 3 can't run with the kept configuration; nothing if it can."""
    try:
        kept = find_kept_configuration(data_root)
        document = read_json(kept, ConfigurationError)
        if configuration is not None:
            return []
        names_files = any(document.get(key) for key in ("ListeningGroups", "LinkedParticipants"))
        if names_files or has_project_functions(load_project(kept)):
            return [
                "files beside the configuration are needed, which archives do not have: name it with --pipeline-configuration"
            ]
    except (InputError, ConfigurationError) as error:
        return [str(error).replace(str(data_root), "<data root>")]
    return []


def copy_kept_configuration(data_root: Path, folder: Path, configuration: Path | None) -> Path:
    """Copy the kept configuration without its uploads, and return the copy's path.

    The files beside `configuration` are linked there.
    """
    kept = find_kept_configuration(data_root)
    copy_tree(kept_folder(data_root), folder)
    document: dict[str, Any] = read_json(kept, ConfigurationError)
    document.pop("DriveUpload", None)
    if configuration is not None:
        original = configuration.resolve().parent
        for group in document.get("ListeningGroups", ()):
            group["Files"] = [str((original / name).resolve()) for name in group["Files"]]
        if "LinkedParticipants" in document:
            document["LinkedParticipants"] = [
                str((original / name).resolve()) for name in document["LinkedParticipants"]
            ]
        with explain_os_errors(folder):
            for other in original.iterdir():
                if not (folder / other.name).exists():
                    (folder / other.name).symlink_to(other)
    write_json(folder / kept.name, document)
    return folder / kept.name
