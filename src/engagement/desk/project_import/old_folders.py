"""Find the pipelines of an old folder: JSON, or Python with PIPELINE_CONFIGURATION."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from engagement.desk.project_import.classic.layouts import python_files
from engagement.foundation.errors import ConfigurationError, UsageError

_MOST_BYTES: Final = 5_000_000
_MOST_FILES: Final = 5_000
_SKIPPED: Final = {"code_schemes", "venv", "node_modules", "__pycache__", "schema"}
_TELLING_KEYS: Final = {"RapidProKeyRemappings", "SourceKeyRemappings", "RawDataSources", "PhoneNumberUuidTable", "UuidTable",
                        "ActivationFlowNames"}  # fmt: skip
_LATER: Final = re.compile(r"^PIPELINE_CONFIGURATION\b", re.MULTILINE)


def choose_pipeline(root: Path, given: Path | None) -> Path:
    """Return the file of the pipeline to import: the one that was given, else the only one.

    Raises
    ------
    UsageError
        There is no such file, it is outside of the folder, or there are several; these are listed.
    ConfigurationError
        The folder has no pipeline.
    """
    if given is not None:
        path = given if given.is_absolute() else root / given
        if not path.is_file() and given.is_file():
            path = given
        if not path.is_file():
            raise UsageError(
                f"{path}: no such file; expected the old pipeline's configuration. {_say(find_pipelines(root), root)}"
            )
        if not path.resolve().is_relative_to(root.resolve()):
            raise UsageError(f"{path}: outside of {root}; expected a file of the old folder. Give one of its files.")
        return path
    found = find_pipelines(root)
    if len(found) > 1:
        raise UsageError(f"{root}: {len(found)} pipelines; expected --pipeline with one of them. {_say(found, root)}")
    if not found:
        raise ConfigurationError(
            f"{root}: no pipeline in it; expected a JSON configuration with RapidProKeyRemappings, or a Python file with "
            "PIPELINE_CONFIGURATION. Give the folder that holds the whole project."
        )
    return found[0]


def find_pipelines(root: Path) -> list[Path]:
    """Find the files that configure a pipeline."""
    later = [path for path in python_files(root) if _LATER.search(_read(path))]
    return sorted([*(path for path in _json_files(root) if _is_configuration(path)), *later])


def read_configuration(path: Path, root: Path) -> dict[str, Any]:
    """Read an old JSON configuration."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise ConfigurationError(f"{path}: a link out of the old folder; expected a file. Copy it there.")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{path}, line {error.lineno}: not JSON ({error.msg}); expected the old pipeline's configuration. Mend it in a copy."
        ) from None
    except (ValueError, RecursionError, OSError):
        raise ConfigurationError(
            f"{path}: not JSON; expected the old pipeline's configuration. Mend it in a copy."
        ) from None
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path}: no JSON object; expected the old pipeline's configuration. Choose another file."
        )
    return content


def _say(found: list[Path], root: Path) -> str:
    names = ", ".join(str(path.relative_to(root)) for path in found[:20])
    return f"There are: {names}." if found else "There is none in it."


def _json_files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(files):
            if name.endswith(".json") and (Path(folder) / name).is_file():
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(folder) / name


def _is_configuration(path: Path) -> bool:
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError):
        # A configuration with a mistake in it is told when it is read.
        return "pipeline_config" in path.name
    return isinstance(content, dict) and bool(_TELLING_KEYS & content.keys())


def _read(path: Path) -> str:
    try:
        return "" if path.stat().st_size > _MOST_BYTES else path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
