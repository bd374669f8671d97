"""Parts of the work run on processes that are forked, unless a thread makes that unsafe."""

import os
import subprocess
import sys
import threading

import pytest

from engagement.foundation.partitions import has_other_threads, run_partitions

# Each in a process of its own: whoever runs the tests may have threads.
ALONE = """
import os, sys, threading
from engagement.foundation.errors import MachineError
from engagement.foundation.partitions import run_partitions
big = {number: number * number for number in range(10)}
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", ALONE + program]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_processes_inherit_what_the_work_refers_to():
    result = run("print(list(run_partitions(lambda n: (big[n], os.getpid() == os.getppid()), 4, 2)))")
    assert result.stdout == "[(0, False), (1, False), (4, False), (9, False)]\n", result.stderr
    result = run(
        "here = os.getpid(); print({os.getpid() == here for _ in run_partitions(lambda n: os.getpid(), 4, 2)})"
    )
    assert result.returncode == 0, result.stderr
    result = run("here = os.getpid(); print(here in set(run_partitions(lambda n: os.getpid(), 4, 2)))")
    assert result.stdout == "False\n", result.stderr


def test_a_killed_process_is_a_problem_of_the_machine():
    program = """
try:
    list(run_partitions(lambda n: os.kill(os.getpid(), 9), 4, 2))
except MachineError as error:
    print(error)
"""
    assert run(program).stdout.startswith("Processes: one of them was killed, most likely because memory ran out.")


def test_with_another_thread_the_work_is_done_without_a_fork(caplog):
    waiting = threading.Event()
    other = threading.Thread(target=waiting.wait)
    other.start()
    try:
        assert has_other_threads()
        assert set(run_partitions(lambda _: os.getpid(), 4, 2)) == {os.getpid()}
    finally:
        waiting.set()
        other.join()
    assert "Working on 1 process, not 2: this one has other threads" in caplog.text


@pytest.mark.parametrize("imports", ["pyarrow.parquet, numpy, pandas", "google.cloud.storage, requests, matplotlib"])
def test_no_library_of_a_stage_starts_a_thread(imports):
    program = f"""
import contextlib, io
from engagement.__main__ import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["status", "--help"])
import {imports}
from engagement.foundation.partitions import has_other_threads
print(has_other_threads())
"""
    assert run(program).stdout == "False\n"


def test_a_pool_that_was_closed_leaves_no_thread_that_forbids_the_next():
    # The system can list a thread for a moment after it was joined.
    program = """
from engagement.foundation.partitions import run_partitions
for _ in range(100):
    list(run_partitions(lambda n: n, 2, 2))
"""
    result = run(program)
    assert result.returncode == 0, result.stderr
    assert "Working on 1 process" not in result.stderr
