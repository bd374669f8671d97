"""Files of code schemes: reading those named on the command line, writing them for people to edit."""

import json
from pathlib import Path
from typing import Any

from engagement.configuration import CodeScheme
from engagement.configuration.code_schemes import load_code_scheme
from engagement.configuration.problems import ProblemsError
from engagement.foundation.errors import UsageError
from engagement.foundation.files import open_for_writing


def read_scheme(path: Path) -> CodeScheme:
    """Read a code scheme named on the command line.

    Raises
    ------
    UsageError
        The file does not exist.
    ConfigurationError
        Lists every problem of the scheme.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected a code scheme. Check the path.")
    scheme, problems = load_code_scheme(path)
    if scheme is None:
        raise ProblemsError({path: problems})
    return scheme


def scheme_document(scheme: CodeScheme) -> dict[str, Any]:
    """Convert the scheme to JSON, with keys in the format's order, omitting empty ones."""
    document = scheme.model_dump(mode="json", by_alias=True, exclude_none=True)
    for code in document["Codes"]:
        if not code["MatchValues"]:
            del code["MatchValues"]
    return document


def write_document(path: Path, document: Any) -> None:
    """Write a configuration file for people to edit, with its key order and letters unchanged."""
    with open_for_writing(path) as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
        file.write("\n")
