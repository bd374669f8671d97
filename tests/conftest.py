import hypothesis
import pytest

# What it imports makes pictures small and charts quick, for the processes that are made to die; not for this one.
collect_ignore = ["faults_preload.py"]

# Tests have no time limits: machines that are busy miss them, and nothing is wrong.
hypothesis.settings.register_profile("project", deadline=None)
# For a look between two changes: run_scripts/run_tests.sh --quick.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)
hypothesis.settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew-golden", action="store_true", help="write the golden files anew from what is made now")
