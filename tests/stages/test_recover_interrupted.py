"""A recovery file is there whole or not at all, whenever the command is killed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import engagement
from recovery_project import NUMBERS, START, Recovery

# Kills its own process when so many lines of the new file were encoded.
KILLED = """
import os, signal, sys
from engagement.__main__ import main
from engagement.desk import recover
encode, left = recover.encode_line, int(sys.argv[1])
def encode_line(cells):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return encode(cells)
recover.encode_line = encode_line
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("lines", [0, 1, 300])
def test_a_kill_leaves_no_half_file_and_nothing_in_the_way_of_the_next(tmp_path: Path, lines: int):
    work = Recovery(tmp_path)
    messages = [(NUMBERS[n % 20], f"answer {n}", START + timedelta(seconds=n)) for n in range(400)]
    work.arrive(messages[:10])
    work.export(messages)
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(lines), *work.command()],
        env={**os.environ, "PYTHONPATH": str(Path(engagement.__file__).parents[1])},
        capture_output=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert not work.output.exists()
    for path in tmp_path.rglob("*"):
        assert path.name == "export.csv" or not path.is_file() or b"25261550" not in path.read_bytes(), path
    assert work.recover() == 0
    assert len(work.rows()) == 390
    assert [path.name for path in tmp_path.glob("recovered*")] == ["recovered.csv"]
