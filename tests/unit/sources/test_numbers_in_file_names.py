"""Files of datasets that a person put there: their names are told to the log, so that a phone number in one is not."""

from pathlib import Path

import pytest

from checked_project import write_small_project
from engagement.configuration import load_project
from engagement.foundation.errors import InputError
from engagement.labelling.datasets.datasets import find_datasets
from engagement.labelling.datasets.unread_files import describe_unread_files


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    folder = tmp_path / "data root" / "Coded Coda Files"
    folder.mkdir(parents=True)
    for name in ("SMALL_episode", "+252615001001", "SMALL 0615 001 001"):
        (folder / f"{name}.json").write_text("[]")
    return folder.parent


def test_datasets_are_not_named_by_phone_numbers(data_root: Path):
    with pytest.raises(InputError, match=r"Coded Coda Files: 2 file names with a phone number .*; expected") as refused:
        find_datasets(data_root, None)
    assert "001" not in str(refused.value).replace(str(data_root), "")


def test_a_file_that_no_plan_has_is_not_shown_by_its_number(data_root: Path, tmp_path: Path):
    plans = load_project(write_small_project(tmp_path / "project")).coding_plans
    said = list(describe_unread_files(data_root, plans))
    assert len(said) == 2
    assert "001" not in str([(path.relative_to(data_root), text) for path, text in said])
