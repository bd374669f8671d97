"""Write an imported project as a new folder, which appears whole or not at all."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engagement.desk.project_import.migration import Migration
from engagement.foundation.files import make_directory, open_bytes_for_writing
from engagement.foundation.replaced_folders import replace_folder

CONFIGURATION_FILE: Final = "pipeline_configuration.json"
PLANS_FILE: Final = "coding_plans.json"


@dataclass(frozen=True)
class ImportedProject:
    """Content of an imported project's files. `local_names` are names in Coda by old files."""

    configuration: dict[str, Any]
    coding_plans: dict[str, Any]
    schemes: Mapping[str, bytes]
    functions: bytes | None = None
    local_names: Mapping[str, str] = field(default_factory=dict)


def write_project(folder: Path, project: ImportedProject, migration: Migration, look: Callable[[Path], None]) -> None:
    """Write the folder; `look` sees the configuration before MIGRATION.md is written, and may note more."""
    files = {f"{project.coding_plans['CodeSchemesDir']}/{name}": content for name, content in project.schemes.items()}
    files[CONFIGURATION_FILE] = _as_json({**project.configuration, "CodingPlansFile": PLANS_FILE})
    files[PLANS_FILE] = _as_json(project.coding_plans)
    if project.functions is not None:
        files["functions.py"] = project.functions
    with replace_folder(folder) as building:
        for name, content in files.items():
            _write(building / name, content)
        look(building / CONFIGURATION_FILE)
        _write(building / "MIGRATION.md", migration.as_markdown().encode())


def _as_json(document: Mapping[str, Any]) -> bytes:
    # Unsorted: the order is the old project's.
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    make_directory(path.parent)
    with open_bytes_for_writing(path) as file:
        file.write(content)
