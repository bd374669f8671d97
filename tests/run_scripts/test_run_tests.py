"""The checks of run_tests.sh: which there are, in what order, and how their statuses and options are passed on."""

import pytest

QUICK = ["--hypothesis-profile", "quick", "-m", "not slow"]
CHECKS = ["lint of Python", "format of Python", "types of Python", "lint of bash", "format of bash", "tests"]


FAKE_TOOL = """#!/usr/bin/env bash
name="${0##*/}"
[[ $name != python ]] || { name="$2"; printf '%s\\n' "$@" "---" >>"$FAKE_PYTHON_LOG"; }
[[ ${FAKE_RED:-nothing} != "$name" ]] || exit "$FAKE_RED_STATUS"
"""


@pytest.fixture
def developers_clone(clone):
    """A clone with the tools of a developer, which only pass; FAKE_RED names one that does not."""
    environment = clone.root / ".venv"
    digest = (environment / "boundaries").read_text().strip()
    (environment / "synchronised").write_text(f"{digest} development\n")
    (environment / "cluster").write_text(f"{digest}\n")
    for name in ("python", "ruff", "shellcheck", "shfmt"):
        clone.write_program(environment / "bin" / name, FAKE_TOOL)
    return clone


def checks_of(result) -> list[str]:
    return [line.removeprefix("== ") for line in result.stderr.splitlines() if line.startswith("== ")]


def test_every_check_runs_in_its_order_and_all_green_is_0(developers_clone):
    result = developers_clone.run("run_tests.sh")
    assert (result.returncode, checks_of(result)) == (0, CHECKS)
    assert developers_clone.stage_calls == [
        ["-m", "mypy"],
        ["-m", "pytest", "--numprocesses", "auto", "--dist", "loadscope", "--no-loadscope-reorder"],
    ]


def test_a_red_check_does_not_keep_the_others_from_running_and_its_status_is_the_scripts(developers_clone):
    result = developers_clone.run("run_tests.sh", FAKE_RED="shellcheck", FAKE_RED_STATUS="3")
    assert (result.returncode, checks_of(result)) == (3, CHECKS)


def test_red_types_are_a_red_script(developers_clone):
    assert developers_clone.run("run_tests.sh", FAKE_RED="mypy", FAKE_RED_STATUS="1").returncode == 1


def test_the_tests_alone_leave_out_every_other_check(developers_clone):
    result = developers_clone.run("run_tests.sh", "--tests-only", FAKE_RED="ruff", FAKE_RED_STATUS="3")
    assert (result.returncode, checks_of(result)) == (0, ["tests"])


@pytest.mark.parametrize(
    ("arguments", "passed_on"),
    [
        # The caller's own words, and nothing of the script's.
        (["-k", "folding", "--quick"], ["-k", "folding", "--quick"]),
        (["--quick"], [*QUICK, "tests/unit", "tests/data"]),
        (["--quick", "-k", "a b"], [*QUICK, "-k", "a b", "tests/unit", "tests/data"]),
        (["--coverage"], ["--cov", "--cov-report="]),
        (
            ["--coverage", "--quick"],
            ["--cov", "--cov-report=", *QUICK, "tests/unit", "tests/data"],
        ),
    ],
)
def test_options_are_passed_on_to_pytest(developers_clone, arguments, passed_on):
    result = developers_clone.run("run_tests.sh", *arguments)
    assert result.returncode == 0
    (call,) = (call for call in developers_clone.stage_calls if call[:2] == ["-m", "pytest"])
    assert call[7:] == passed_on
    is_measured = developers_clone.stage_calls[-1] == ["tests/coverage_by_room.py"]
    assert is_measured == ("--coverage" in arguments)
