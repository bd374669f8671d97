"""The secret key that the embedded table hashes ids with."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from engagement.foundation.errors import MachineError
from engagement.foundation.files import explain_os_errors


def load_key(path: Path, table: Path) -> bytes:
    """Read the key, or create it if there is no table yet."""
    if not path.exists() and not (table.exists() and table.stat().st_size):
        _make_key(path)
    return read_key(path, table)


def read_key(path: Path, table: Path) -> bytes:
    if not path.exists():
        raise MachineError(
            f"{path}: no such file, but {table.name} is there; expected the key that it was made with. "
            "Restore it from a backup: without it, everybody would get a new uuid."
        )
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        key = b""
    if len(key) != hashlib.sha256().digest_size:
        raise MachineError(f"{path}: not the key of a uuid table; expected 64 hex digits. Restore it from a backup.")
    return key


def _make_key(path: Path) -> None:
    # Written under a temporary name, then linked: if two processes do this at once, the first one's key counts.
    own = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with explain_os_errors(path):
        descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(hashlib.sha256().digest_size))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(own)
        finally:
            own.unlink(missing_ok=True)
