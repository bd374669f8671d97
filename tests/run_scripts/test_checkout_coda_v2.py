"""Checking out Coda V2's tools: from a real repository, and never in the way of the stages."""

import os
import shutil
import signal
import subprocess
import time

import pytest

SCRIPT = "checkout_coda_v2.sh"
# Git as it is, but it takes its time once the clone is on the disk.
SLOW_GIT = """#!/usr/bin/env bash
"$REAL_GIT" "$@" || exit
sleep "$GIT_SLEEP"
"""


def git(*arguments):
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    path = tmp_path / "a repository"
    git("init", str(path))
    (path / "tool.py").write_text("invented\n")
    git("-C", str(path), "add", "tool.py")
    git("-C", str(path), "commit", "-m", "Add a tool")
    return path


def expect_clone(directory):
    assert (directory / "tool.py").read_text() == "invented\n"
    assert (directory / ".git").is_dir()
    assert not directory.with_name(directory.name + ".partial").exists()


def start_slowly(clone, repository, target, seconds):
    """Start the script with a slow git, and wait until what git clones is on the disk but not in its place."""
    clone.write_program(clone.programs / "git", SLOW_GIT)
    variables = {"REAL_GIT": shutil.which("git"), "GIT_SLEEP": str(seconds), "CODA_V2_REPOSITORY": str(repository)}
    command = [clone.root / "run_scripts" / SCRIPT, target]
    process = subprocess.Popen(command, env=clone.environment(**variables), start_new_session=True)
    deadline = time.monotonic() + 20
    while not (target.with_name(target.name + ".partial") / "tool.py").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_the_repository_is_cloned_where_nothing_is(clone, repository):
    target = clone.work / "tools of others" / "coda v2"
    result = clone.run(SCRIPT, target, CODA_V2_REPOSITORY=str(repository))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    expect_clone(target)


def test_a_directory_that_is_there_is_left_alone(clone, repository):
    target = clone.work / "CodaV2"
    (target / "mine").write_text("mine")
    result = clone.run(SCRIPT, target, CODA_V2_REPOSITORY=str(repository))
    assert (result.returncode, result.stderr) == (0, "")
    assert [path.name for path in target.iterdir()] == ["mine"]


@pytest.mark.parametrize("url", ["no such repository", "https://somebody:secret@127.0.0.1:1/coda.git"])
def test_a_clone_that_fails_is_a_warning_and_leaves_nothing(clone, url):
    target = clone.work / "tools"
    result = clone.run(SCRIPT, target, CODA_V2_REPOSITORY=url)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith(f"WARNING: {target}: CodaV2 could not be cloned from ")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr
    assert "tools" not in " ".join(path.name for path in clone.work.iterdir())


def test_a_git_that_can_not_be_run_is_a_warning(clone, repository):
    clone.write_program(clone.programs / "git", "#!/bin/sh\nexit 127\n")
    result = clone.run(SCRIPT, clone.work / "tools", CODA_V2_REPOSITORY=str(repository))
    assert (result.returncode, result.stderr[:8]) == (0, "WARNING:")


def test_a_parent_that_can_not_be_made_is_a_warning(clone, repository):
    target = clone.credentials / "tools"
    result = clone.run(SCRIPT, target, CODA_V2_REPOSITORY=str(repository))
    assert (result.returncode, result.stderr[:8]) == (0, "WARNING:")


def test_a_clone_that_was_killed_leaves_no_directory_and_the_next_run_makes_it(clone, repository):
    target = clone.work / "tools"
    process = start_slowly(clone, repository, target, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()
    (clone.programs / "git").unlink()
    assert clone.run(SCRIPT, target, CODA_V2_REPOSITORY=str(repository)).stderr == ""
    expect_clone(target)


def test_a_clone_that_outlives_its_script_is_waited_for(clone, repository):
    target = clone.work / "tools"
    process = start_slowly(clone, repository, target, 1)
    process.kill()
    process.wait()
    (clone.programs / "git").unlink()
    assert clone.run(SCRIPT, target, CODA_V2_REPOSITORY=str(repository)).stderr == ""
    expect_clone(target)


def test_two_at_once_make_one_clone(clone, repository):
    target = clone.work / "tools"
    processes = [clone.start(SCRIPT, target, CODA_V2_REPOSITORY=str(repository)) for _ in range(3)]
    assert [(process.communicate(timeout=60), process.returncode) for process in processes] == [(("", ""), 0)] * 3
    expect_clone(target)


@pytest.mark.parametrize("script", ["1_coda_get.sh", "4_coda_add.sh"])
def test_the_coda_stages_check_it_out_and_go_on_without_it(clone, repository, script):
    arguments = [clone.credentials, clone.work / "tools", clone.data_root]
    result = clone.run_on_host(script, *arguments, CODA_V2_REPOSITORY="no such repository")
    assert result.returncode == 0
    assert result.stderr.startswith("WARNING: ")
    result = clone.run_on_host(script, *arguments, CODA_V2_REPOSITORY=str(repository))
    assert "WARNING" not in result.stderr
    expect_clone(clone.work / "tools")
    assert len(clone.stage_calls) == 2


@pytest.mark.parametrize("arguments", [[], ["one", "two"], ["--force", "one"]])
def test_wrong_usage_exits_2_and_clones_nothing(clone, arguments):
    result = clone.run(SCRIPT, *arguments)
    assert result.returncode == 2
    assert "Usage:" in result.stderr
    assert not (clone.work / "one").exists()


def test_help_names_the_variable(clone):
    result = clone.run(SCRIPT, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "CODA_V2_REPOSITORY" in result.stdout
