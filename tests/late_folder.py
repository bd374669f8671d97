"""A folder that another machine sees late, as on a file system over a network; for tests, on one machine.

The "other machine" is a process with mounts of its own, for which a copy lies over the folder. A thread brings either side's files to
the other: first a half of each, and the rest a moment later.
"""

import contextlib
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

_MOUNT = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


def _unshare() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


def expect_mounts() -> None:
    """Skip the tests of a module where a process can't have mounts of its own."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*_unshare(), "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no mounts of one's own: unshare --mount is refused", allow_module_level=True)


class LateFolder:
    """Brings what changes in `path` to its copy every `seconds`, and what workers leave in the copy back.

    Files whose names are in `held` stay as the copy has them. Unless `brings_back`, what workers write never arrives. Locks are
    one machine's own unless `shares_locks`.
    """

    def __init__(self, path: Path, copy: Path, seconds: float) -> None:
        self.path, self.copy, self._seconds = path, copy, seconds
        self.held: set[str] = set()
        self.brings_back = self.shares_locks = True
        self._brought: dict[Path, tuple[int, int]] = {}
        self._is_over = threading.Event()
        shutil.copytree(path, copy)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "LateFolder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()

    @property
    def command(self) -> list[str | Path]:
        """What to start a program with that sees the copy in place of the folder."""
        return [*_unshare(), "sh", "-c", _MOUNT, "sh", self.copy, self.path]

    def _work(self) -> None:
        while not self._is_over.wait(self._seconds):
            self._bring(self.path, self.copy)
            if self.brings_back:
                self._bring(self.copy, self.path)

    def _bring(self, source: Path, target: Path) -> None:
        for path in [path for path in source.rglob("*") if path.is_file() and path.name not in self.held]:
            there = target / path.relative_to(source)
            # What came from the other side is not brought back, and a job's folder that is gone is not made again.
            if path in self._brought or (source == self.copy and not _is_of_a_job(there)):
                continue
            with contextlib.suppress(OSError):
                version = _version(path)
                if self._brought.get(there) != version:
                    self._bring_file(path, there, version)

    def _bring_file(self, path: Path, there: Path, version: tuple[int, int]) -> None:
        content = path.read_bytes()
        if version != _version(path):
            # It is still being written.
            return
        there.parent.mkdir(parents=True, exist_ok=True)
        self._brought[there] = version
        if path.name == "lock" and self.shares_locks:
            os.link(path, there)
            return
        there.write_bytes(content[: len(content) // 2])
        self._is_over.wait(0.02)
        there.write_bytes(content)
        os.utime(there, ns=(version[1], version[1]))


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _is_of_a_job(path: Path) -> bool:
    return any(parent.name.startswith("cluster.") and parent.exists() for parent in path.parents)
