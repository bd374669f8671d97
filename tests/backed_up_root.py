"""Back-ups of a data root and what comes back of them, as an operator makes them."""

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

from engagement.__main__ import main

SOURCE = Path(__file__).resolve().parents[1] / "src"
RUN_ID = "2026-11-22T020511Z-" + "ab" * 20
NAME = f"data-{RUN_ID}.tar.gz"


def back_up(root, backups, *options, run_id=RUN_ID):
    return main(
        ["backup-data-root", "--data-root", str(root), "--backups-dir", str(backups), "--run-id", run_id, *options]
    )


def restore(archive, directory):
    return main(["backup-data-root", "--restore", str(archive), "--into", str(directory)])


def contents(directory):
    """All that a restored data root is compared by."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if path.is_symlink():
            found[path.relative_to(directory)] = path.readlink()
        elif path.is_dir():
            found[path.relative_to(directory)] = mode
        else:
            found[path.relative_to(directory)] = (mode, status.st_mtime, path.read_bytes())
    return found


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "engagement", "backup-data-root", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def limit_files(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit
