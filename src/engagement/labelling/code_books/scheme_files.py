"""Files of code schemes: read as the command line names them, written for people to go on with."""

import json
from pathlib import Path
from typing import Any

from engagement.configuration import CodeScheme
from engagement.configuration.code_schemes import load_code_scheme
from engagement.configuration.problems import ProblemsError
from engagement.foundation.errors import UsageError
from engagement.foundation.files import open_for_writing


def read_scheme(path: Path) -> CodeScheme:
    """Read a code scheme that the command line names.

    Raises
    ------
    UsageError
        There is no such file.
    ConfigurationError
        With every problem of the scheme.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected a code scheme. Check the path.")
    scheme, problems = load_code_scheme(path)
    if scheme is None:
        raise ProblemsError({path: problems})
    return scheme


def scheme_document(scheme: CodeScheme) -> dict[str, Any]:
    """The scheme as JSON: keys in the format's order, without those that say nothing."""
    document = scheme.model_dump(mode="json", by_alias=True, exclude_none=True)
    for code in document["Codes"]:
        if not code["MatchValues"]:
            del code["MatchValues"]
    return document


def write_document(path: Path, document: Any) -> None:
    """Write a file of the configuration for people to edit: keys in their own order, letters as they are."""
    with open_for_writing(path) as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
        file.write("\n")
