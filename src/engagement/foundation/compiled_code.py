"""Compile what changed of the project's code: python -I …/compiled_code.py SOURCE SCRATCH.

The run scripts start it by its path, before a stage; so it imports nothing but the standard library. On a full disk, Python can leave
compiled files that are cut short, and then fail at every start. Here each one is looked at and on the disk before it gets its name.
It holds its source's digest, so Python never runs it for another source.
"""

import importlib.util
import marshal
import os
import py_compile
import shutil
import sys
from pathlib import Path

# A compiled file begins with what Python it is for, and its source's digest.
_HEADER_BYTES = 16


def compile_code(source: Path, scratch: Path) -> int:
    """Compile the modules below a folder that are newer than their compiled files; return how many.

    They are made in `scratch`, which is on the same disk, and is removed.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    made: dict[Path, Path] = {}
    for path in source.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(path)))
        if not compiled.exists() or compiled.stat().st_mtime <= path.stat().st_mtime:
            new = scratch / f"{len(made)}"
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            py_compile.compile(str(path), str(new), str(path), doraise=True, invalidation_mode=mode)
            marshal.loads(new.read_bytes()[_HEADER_BYTES:])  # noqa: S302 - written just now
            made[new] = compiled
    os.sync()
    for new, compiled in made.items():
        compiled.parent.mkdir(exist_ok=True)
        new.replace(compiled)
    shutil.rmtree(scratch)
    return len(made)


if __name__ == "__main__":
    compile_code(*map(Path, sys.argv[1:]))
