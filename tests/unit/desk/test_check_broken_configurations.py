"""Every way to go wrong that we could think of, and what exactly is said of it.

The tables of `broken_projects` are the specification. Each case is a small valid project, one or a few edits of its files, and
every line that the check then says.
"""

from pathlib import Path

import pytest

from broken_projects.code_schemes import CODE_SCHEMES
from broken_projects.coding_plans import CODING_PLANS
from broken_projects.documents import NO_JSON
from broken_projects.settings import ANALYSIS_AND_DRIVE, PROJECT_SETTINGS
from broken_projects.sources import KEYS_AND_SOURCES
from checked_project import Case, write_broken_project
from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError

ALL = [*NO_JSON, *KEYS_AND_SOURCES, *PROJECT_SETTINGS, *ANALYSIS_AND_DRIVE, *CODING_PLANS, *CODE_SCHEMES]
# What is looked for in a check only: stages find it when they read the file.
ONLY_CHECKED = ("Boundaries", "BroadcastCalendarFile", "PopulationMarginsFile", "our_cleaners", '"LocationLevel"')


def lines_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """What was said, with paths from the project's folder on: the findings, and the last line."""
    captured = capsys.readouterr()
    *_, last = captured.err.replace(f"{folder}/", "").splitlines()
    return captured.out.replace(f"{folder}/", "").splitlines(), last


def refuse_in_a_stage(path: Path, broken: Case) -> None:
    """Load a project as stages do: they refuse what the check refuses, in the same words."""
    errors = [
        line for line in broken.lines if line.startswith("ERROR: ") and not any(map(line.__contains__, ONLY_CHECKED))
    ]
    if not errors:
        load_project(path)
        return
    with pytest.raises(ConfigurationError) as refused:
        load_project(path)
    told = str(refused.value)
    for line in errors:
        # "ERROR: <file>, line 2, at $.X: <text>": stages name the file once, before all of its problems.
        place, _, what = line.partition(": ")[2].partition(": ")
        assert f"{', '.join(place.split(', ')[1:])}: {what}".removeprefix(": ") in told


@pytest.mark.parametrize("broken", ALL, ids=lambda broken: broken.name)
def test_a_broken_project_gets_exactly_its_message_from_the_check_and_the_stages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: Case
):
    path = write_broken_project(tmp_path / "project", broken)
    assert main(["check", str(path)]) == 10
    lines, last = lines_of(path.parent, capsys)
    assert lines == broken.lines
    errors = sum(line.startswith("ERROR: ") for line in lines)
    warnings = len(lines) - errors
    assert last.startswith(
        f"ERROR: pipeline_configuration.json: {errors} error(s), {warnings} warning(s); expected no error."
    )
    refuse_in_a_stage(path, broken)


def test_nothing_that_may_be_secret_is_said():
    said = "".join(line for broken in ALL for line in broken.lines)
    for secret in ("0123456789abcdef", "private_key", "+2547"):
        assert secret not in said


def test_every_message_tells_what_was_found_what_was_expected_and_what_to_do():
    for broken in ALL:
        for line in broken.lines:
            assert any(word in line for word in ("expected", "unknown key", "JSON has none")), line
            assert line.endswith("."), line
            assert line.count(". ") >= 1, line
