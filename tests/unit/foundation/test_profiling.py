"""What --profile-cpu and --profile-memory leave, as the programs that show it read it."""

import argparse
import builtins
import itertools
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import mprof
import pytest

from engagement.__main__ import main
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.profiling import Profiler

SOURCE = Path(__file__).resolve().parents[3] / "src"
MIB = 2**20
NOTHING = argparse.Namespace()


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def record_memory(path, block):
    profiler = Profiler(memory=path)
    with profiler.record(NOTHING, "invented"):
        block(profiler)
    return mprof.read_mprofile_file(str(path))


def wait_until(holds, seconds=20):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


def test_memory_is_sampled_about_ten_times_a_second(tmp_path):
    started = time.time()
    partial = tmp_path / "memory.partial"
    profile = record_memory(tmp_path / "memory", lambda _: wait_until(lambda: partial.read_text().count("MEM ") >= 8))
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(profile["timestamp"]))
    # On a busy machine some are longer.
    assert 0.09 <= gaps[len(gaps) // 4] <= 0.2
    assert started <= profile["timestamp"][0] <= profile["timestamp"][-1] <= time.time()
    assert sorted(profile["timestamp"]) == profile["timestamp"]
    assert profile["cmd_line"] == "engagement invented\n"


def test_a_short_run_has_a_sample(tmp_path):
    assert record_memory(tmp_path / "memory", lambda _: None)["mem_usage"]


def test_the_memory_of_child_processes_counts(tmp_path):
    program = f"held = bytearray(300 * {MIB}); held[::4096] = b'x' * len(held[::4096]); import time; time.sleep(0.5)"

    def run_child(_):
        subprocess.run([sys.executable, "-c", program], check=True)

    usage = record_memory(tmp_path / "memory", run_child)["mem_usage"]
    assert max(usage) - usage[-1] > 300


# In a process of its own: whoever runs the tests may have threads, which make a fork unsafe.
MARKED = """
import argparse, multiprocessing, pathlib, sys, time
from engagement.foundation.profiling import Profiler

def hold(seconds):
    time.sleep(seconds)

profiler = Profiler(memory=pathlib.Path(sys.argv[1]))
with profiler.record(argparse.Namespace(), "invented"):
    marked = profiler.profile(hold)
    assert marked.__name__ == "hold"
    marked(0.2)
    child = multiprocessing.get_context("fork").Process(target=marked, args=(0.3,))
    child.start()
    child.join()
"""


def test_a_marked_function_is_measured_from_its_call_to_its_end(tmp_path):
    path = tmp_path / "memory"
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", MARKED, path]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, check=True)
    ((name, calls),) = mprof.read_mprofile_file(str(path))["func_timestamp"].items()
    assert name == "__main__.hold"
    took = [end - start for start, end, *_ in calls]
    assert 0.2 <= took[0] <= 1
    assert 0.3 <= took[1] <= 1


def test_without_the_option_a_marked_function_is_itself():
    assert Profiler().profile(spin) is spin


def test_what_was_measured_before_an_error_is_kept(tmp_path):
    with pytest.raises(InputError), Profiler(tmp_path / "cpu.html", tmp_path / "memory").record(NOTHING, "invented"):
        raise InputError("invented")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cpu.html", "memory"]
    assert mprof.read_mprofile_file(str(tmp_path / "memory"))["mem_usage"]


def test_the_profile_of_the_processor_is_a_page(tmp_path):
    with Profiler(cpu=tmp_path / "cpu.html").record(NOTHING, "invented"):
        spin(0.1)
    page = (tmp_path / "cpu.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert '"spin' in page
    assert "engagement invented" in page


def test_folded_stacks_hold_the_time_of_each_stack_once(tmp_path):
    with Profiler(cpu=tmp_path / "cpu.folded").record(NOTHING, "invented"):
        spin(0.2)
        spin(0.1)
    lines = (tmp_path / "cpu.folded").read_text().splitlines()
    found = dict(re.fullmatch(r"([^ ;]+(?:;[^ ;]+)*) (\d+)", line).groups() for line in lines)
    assert len(found) == len(lines)
    spun = {stack: int(count) for stack, count in found.items() if ":spin" in stack}
    assert all(re.search(r":test_folded_stacks\w+;[^;]+:spin(;<built-in>:perf_counter)?$", stack) for stack in spun)
    assert sum(spun.values()) == pytest.approx(300_000, rel=0.1)


def test_with_a_profile_of_the_processor_all_work_is_in_one_process(tmp_path):
    args = argparse.Namespace(jobs=4)
    with Profiler(memory=tmp_path / "memory").record(args, "invented"):
        assert args.jobs == 4
    with Profiler(cpu=tmp_path / "cpu").record(args, "invented"):
        assert args.jobs == 1


def test_a_folder_that_is_not_there_is_told_before_anything_runs(tmp_path):
    with (
        pytest.raises(UsageError, match="no such directory"),
        Profiler(memory=tmp_path / "none" / "memory").record(NOTHING, "invented"),
    ):
        pytest.fail("it ran")


@pytest.mark.parametrize("stage", ["fetch-raw-data", "generate-outputs"])
def test_the_stages_that_take_long_have_the_options(stage, capsys):
    with pytest.raises(SystemExit):
        main([stage, "--help"])
    assert {"--profile-cpu", "--profile-memory"} <= set(capsys.readouterr().out.replace("\n", " ").split())
    assert builtins.profile(spin) is spin


def test_nothing_for_profiles_is_loaded_without_the_options():
    program = """
        import contextlib, sys
        from engagement.__main__ import main
        with contextlib.suppress(SystemExit):
            main(["generate-outputs", "--help"])
        sys.exit(bool({"pyinstrument", "psutil", "memory_profiler"} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    assert subprocess.run(command, env={"PYTHONPATH": str(SOURCE)}, stdout=subprocess.DEVNULL).returncode == 0


def test_a_killed_run_leaves_its_samples_and_no_process(tmp_path):
    program = f"""
        import argparse, pathlib, time
        from engagement.foundation.profiling import Profiler
        with Profiler(memory=pathlib.Path({str(tmp_path / "memory")!r})).record(argparse.Namespace(), "invented"):
            print("running", flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"running\n"
        samples = tmp_path / "memory.partial"
        wait_until(lambda: samples.exists() and "MEM" in samples.read_text())
        process.send_signal(signal.SIGKILL)
        # The output ends when the last process that has it open has ended.
        assert process.stdout.read() == b""
    (left,) = tmp_path.iterdir()
    assert left.name == "memory.partial"
    assert mprof.read_mprofile_file(str(left))["mem_usage"]
