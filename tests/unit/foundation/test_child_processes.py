"""Processes that a stage shares its work out to end with it, even if it is killed alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARTITIONS = """
import os, signal, sys
from pathlib import Path
from engagement.foundation.partitions import run_partitions

def hold(number):
    Path(sys.argv[1], str(os.getpid())).touch()
    signal.pause()

list(run_partitions(hold, 2, 2))
"""
PICTURES = """
import os, signal, sys
from dataclasses import dataclass
from pathlib import Path
from engagement.analysis.pictures.pictures import draw_pictures

@dataclass(frozen=True)
class Picture:
    number: int
    pids: str

def hold(picture):
    Path(picture.pids, str(os.getpid())).touch()
    signal.pause()

if __name__ == "__main__":
    pictures = {str(number): Picture(number, sys.argv[1]) for number in range(8)}
    draw_pictures(Path(sys.argv[2]), pictures, ["png"], hold, [], 2)
"""


def wait(holds):
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_running(pid):
    try:
        state = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # it has ended, and nobody has asked how


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("source", [PARTITIONS, PICTURES], ids=["partitions", "pictures"])
def test_processes_end_with_a_parent_that_is_killed_alone(tmp_path, source, number):
    program, pids, pictures = tmp_path / "program.py", tmp_path / "pids", tmp_path / "pictures"
    program.write_text(source)
    pids.mkdir()
    command = [sys.executable, program, pids, pictures]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, start_new_session=True) as parent:
        try:
            wait(lambda: parent.poll() is not None or len(list(pids.iterdir())) == 2)
            parent.send_signal(number)
            assert parent.wait(60) == -number
            children = [path.name for path in pids.iterdir()]
            assert len(children) == 2
            wait(lambda: not any(map(is_running, children)))
        finally:
            if any(map(is_running, [path.name for path in pids.iterdir()])):
                os.killpg(parent.pid, signal.SIGKILL)
