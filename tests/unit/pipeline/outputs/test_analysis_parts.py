"""The tables for the analysis: whatever the parts that they are merged from, the bytes are the same and no row is lost."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pyarrow.parquet import ParquetFile, read_table

from engagement.configuration import ControlCode, load_project
from engagement.pipeline.coding.codings import make_coding
from engagement.pipeline.coding.labels import Label
from engagement.pipeline.outputs.analysis_files import individuals_path, read_column
from engagement.pipeline.outputs.analysis_parts import AnalysisPart, write_analysis_folder
from example_project import write_project

# More than two row groups, and no multiple of a batch.
PARTICIPANTS = 40_001


def write(root: Path, sizes: Sequence[int]) -> Path:
    """Write invented participants in parts of these sizes; returns the path of the merged table."""
    plans = load_project(write_project(root / "configuration")).coding_plans.all
    missing = [
        make_coding(
            plan,
            tuple((Label(c.code_scheme.control(ControlCode.NA), None),) for c in plan.coding_configurations),
        )
        for plan in plans
    ]
    parts, start = [], 0
    for number, size in enumerate(sizes):
        parts.append(root / f"part {number}")
        with AnalysisPart(parts[-1], plans, are_messages=False) as part:
            for participant in range(start, start + size):
                answers = [f"jawaab {participant % 1000}", *[None] * (len(plans) - 1)]
                part.add_individual(f"uid-{participant}", answers, missing, range(len(plans)))
        start += size
    with write_analysis_folder(root) as folder:
        for task in folder.table_tasks(plans, [], parts):
            task()
    return individuals_path(root / "State" / "analysis")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("whole"), [PARTICIPANTS])


@pytest.mark.parametrize(
    "sizes",
    [
        (0, 16_384, 0, 16_384, PARTICIPANTS - 2 * 16_384),  # exactly row groups, and empty parts
        (1, 16_383, 4_096, 12_289, PARTICIPANTS - 32_769),  # a row too few, a row too many
        (39_999, 2),
    ],
)
def test_the_parts_do_not_change_a_byte(tmp_path: Path, whole: Path, sizes: Sequence[int]):
    assert sum(sizes) == PARTICIPANTS
    assert write(tmp_path, sizes).read_bytes() == whole.read_bytes()


def test_every_row_is_there_in_its_order_and_in_groups_that_fit_in_memory(whole: Path):
    assert read_table(whole, columns=["uid"])["uid"].to_pylist() == [f"uid-{n}" for n in range(PARTICIPANTS)]
    with ParquetFile(whole) as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert groups == [16_384, 16_384, PARTICIPANTS - 2 * 16_384]


def test_a_column_reads_as_categories_whatever_the_row_group(whole: Path):
    texts = read_column(whole, "text:rqa_s01e01_raw")
    assert texts.to_list() == [f"jawaab {n % 1000}" for n in range(PARTICIPANTS)]
    assert len(texts.cat.categories) == 1000


def test_a_run_that_fails_leaves_the_folder_of_the_last_one(tmp_path: Path):
    path = write(tmp_path, [3])
    before = path.read_bytes()
    with pytest.raises(RuntimeError), write_analysis_folder(tmp_path):
        raise RuntimeError
    assert path.read_bytes() == before
    assert [child.name for child in (tmp_path / "State").iterdir()] == ["analysis"]
