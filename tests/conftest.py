import signal
from pathlib import Path

import hypothesis
import pytest

# What it imports makes pictures small and charts quick, for the processes that are made to die; not for this one.
collect_ignore = ["faults_preload.py"]

# Examples have no time limits: machines that are busy miss them, and nothing is wrong. (.pytest.ini has one for a test that hangs.)
hypothesis.settings.register_profile("project", deadline=None)
# For a look between two changes: run_scripts/run_tests.sh --quick.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)
hypothesis.settings.load_profile("project")


def _heed(number: int, frame: object) -> None:
    """Do nothing: whoever let this process ignore the signal meant it."""


# Under nohup or behind "&" some signals are ignored, and whoever is started inherits that: a program that a test ends with a
# signal would never end. A signal that is handled is not inherited.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _heed)


# Files of minutes first and files of seconds last, so that all processes end at about the same time.
_FIRST = (
    "services/test_whole_pipeline.py",
    "stages/test_fault_matrix",
    "run_scripts/test_docker.py",
    "stages/",
    "services/",
    "run_scripts/",
    "data/",
    "unit/analysis/",
    "unit/",
)
_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests into the order in which processes take them; within a file it stays."""
    items.sort(key=lambda item: _rank(item.path))


def _rank(path: Path) -> int:
    if not path.is_relative_to(_TESTS):
        return len(_FIRST)
    name = path.relative_to(_TESTS).as_posix()
    return next((rank for rank, first in enumerate(_FIRST) if name.startswith(first)), len(_FIRST))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-golden", action="store_true", help="write the golden files anew from what is made now")
