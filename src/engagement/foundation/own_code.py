"""This program's identity: its code, and the versions of everything that affects output bytes."""

import functools
import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

_DECISIVE_PACKAGES = ("anyascii", "msgspec", "numpy", "pyarrow", "pydantic", "rapidfuzz", "tzdata")


@functools.cache
def describe_own_code() -> tuple[tuple[str, str], ...]:
    """Describe it as names, and versions or digests; the package's tables and schemas count as code."""
    root = str(Path(__file__).parents[1])
    digest = hashlib.sha256()
    # Paths as objects, and buffers, would take longer than reading the thousand files.
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            if not name.endswith(".pyc"):
                with open(f"{folder}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
                    content = file.read()
                digest.update(f"{folder.removeprefix(root)}/{name} {len(content)}\n".encode() + content)
    versions = [(name, importlib.metadata.version(name)) for name in _DECISIVE_PACKAGES]
    return ("code", digest.hexdigest()[:12]), ("Python", ".".join(platform.python_version_tuple()[:2])), *versions
