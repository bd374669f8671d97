"""This program's identity: its code, and the versions of everything that affects output bytes."""

import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path

_DECISIVE_PACKAGES = ("anyascii", "msgspec", "numpy", "pyarrow", "pydantic", "rapidfuzz", "tzdata")


@functools.cache
def describe_own_code() -> tuple[tuple[str, str], ...]:
    """Describe it as names, and versions or digests; the package's tables and schemas count as code."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root)} {len(content)}\n".encode() + content)
    versions = [(name, importlib.metadata.version(name)) for name in _DECISIVE_PACKAGES]
    return ("code", digest.hexdigest()[:12]), ("Python", ".".join(platform.python_version_tuple()[:2])), *versions
