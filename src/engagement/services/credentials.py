"""Credentials files: a Google service account's key, or the embedded twins' directory."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engagement.foundation.errors import ConfigurationError, PipelineError, UsageError
from engagement.foundation.files import read_text

_SERVICE_ACCOUNT_KEYS = ("project_id", "client_email", "private_key", "token_uri")
# Linux limits, in bytes; the path limit leaves room for the folder before a relative path.
_LONGEST_NAME, _LONGEST_PATH = 255, 2048
_TYPE = re.compile(r"[a-z_]{1,40}")
_EMULATOR_VARIABLES = ("FIRESTORE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST")


@dataclass(frozen=True)
class GoogleCredentials:
    """A service account's key; `info` is the key document and is never shown."""

    project_id: str
    info: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class EmbeddedCredentials:
    """Credentials of the embedded twins, which keep their state in `directory` (absolute)."""

    directory: Path


Credentials = GoogleCredentials | EmbeddedCredentials


def load_credentials(path: Path) -> Credentials:
    """Read the credentials file named on the command line.

    A relative embedded directory starts at the file's folder.
    """
    text = read_text(path, UsageError, "a credentials file")
    return parse_credentials(text, where=str(path), folder=path.resolve().parent, error=UsageError)


def parse_credentials(
    text: str, where: str, folder: Path, error: type[PipelineError] = ConfigurationError
) -> Credentials:
    """Read a credentials document; errors name `where`, embedded directories are relative to `folder`.

    Raises
    ------
    `error`
        It is not JSON, is of another type, or lacks a key. The message never includes its content.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as problem:
        raise error(
            f"{where}, line {problem.lineno}, column {problem.colno}: not JSON; expected a credentials file. "
            "Download the service account's key again."
        ) from None
    except (ValueError, RecursionError):
        raise error(
            f"{where}: not JSON; expected a credentials file. Download the service account's key again."
        ) from None
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "embedded":
        directory = document.get("directory")
        if not isinstance(directory, str) or not directory or not _is_path(directory):
            raise error(f"{where}: no 'directory'; expected the embedded services' directory. Add it.")
        return EmbeddedCredentials((folder / directory).resolve())
    if kind != "service_account":
        # Google's type names are short; anything longer may be part of a key.
        shown = repr(kind) if isinstance(kind, str) and _TYPE.fullmatch(kind) else "not a type name"
        raise error(f"{where}: 'type' is {shown}; expected 'service_account' or 'embedded'. Check which file this is.")
    # An emulator needs no key, so a project id is enough.
    needed = ("project_id",) if any(os.environ.get(name) for name in _EMULATOR_VARIABLES) else _SERVICE_ACCOUNT_KEYS
    missing = [name for name in needed if not document.get(name) or not isinstance(document[name], str)]
    if missing:
        raise error(
            f"{where}: no {', '.join(map(repr, missing))}; expected a service account's key. Download it again."
        )
    return GoogleCredentials(document["project_id"], document)


def _is_path(text: str) -> bool:
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        return False
    names = encoded.split(b"/")
    return b"\0" not in encoded and len(encoded) <= _LONGEST_PATH and max(map(len, names)) <= _LONGEST_NAME
