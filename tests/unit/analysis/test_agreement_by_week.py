"""Whether two coders drift apart: the statistics and the report tell it week by week."""

import csv
from pathlib import Path

import pytest

from engagement.analysis.report.agreement import tabulate_agreement
from engagement.analysis.report.coder_agreement import read_agreement
from engagement.analysis.statistics.files import write_statistics
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from example_project import DataRoot, Document, coda_message, episode_run, label, write_project

# Of each message: what the first coder said, what the second one did, and when.
FIRST_WEEK = [("water", "water", "2026-04-03"), ("school", "school", "2026-04-03"), ("roads", "roads", "2026-04-05")]
NEXT_WEEK = [("water", "school", "2026-04-06"), ("school", "school", "2026-04-07")]


def code_twice(root: DataRoot) -> None:
    """Label each message in both datasets; one more was labelled by the first coder alone."""
    first, second = [coda_message("alone", label("episode1", "water"))], [coda_message("alone")]
    for number, (code, other, day) in enumerate([*FIRST_WEEK, *NEXT_WEEK]):
        first.append(coda_message(f"text {number}", label("episode1", code)))
        later: Document = {**label("episode1", other), "DateTimeUTC": f"{day}T08:00:00.000000+00:00"}
        second.append(coda_message(f"text {number}", later))
    root.write_coded("s01e01", *first)
    root.write_coded("s01e01_second", *second)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    configuration = write_project(
        tmp_path / "configuration",
        lambda document: document.update(DoubleCoding={"Share": 1.0, "Users": ["second@example.org"]}),
    )
    root = DataRoot(tmp_path, configuration)
    texts = ["alone", *(f"text {number}" for number in range(5))]
    root.write_runs(*(episode_run(f"p{number}", text, run_id=number) for number, text in enumerate(texts)))
    return root


def write_tables(root: DataRoot, folder: Path) -> Path:
    root.generate()
    season = load_season(load_project(root.configuration), root.path)
    write_statistics(Statistics(season, data_root=root.path), folder)
    return folder


def test_agreement_is_told_by_the_week_of_the_second_label(root: DataRoot, tmp_path: Path):
    code_twice(root)
    folder = write_tables(root, tmp_path / "tables")
    with (folder / "statistics" / "agreement_by_week.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["week"], row["coefficient"]): (row["messages"], row["estimate"]) for row in rows}
    assert {row["dataset"] for row in rows} == {"rqa_s01e01"}
    assert found["2026-W14", "percent_agreement"] == ("3", "1.0")
    assert found["2026-W14", "krippendorff_alpha"] == ("3", "1.0")
    assert found["2026-W15", "percent_agreement"] == ("2", "0.5")
    assert len(rows) == 6
    tables = tabulate_agreement(read_agreement(folder))
    assert [table.caption for table in tables] == ["How far coders agree", "How far the two coders agree, by week"]
    texts = [[cell.text for cell in row] for row in tables[1].rows]
    assert [row[:4] for row in texts] == [
        ["rqa_s01e01", "2026-W14", "3", "1.00"],
        ["rqa_s01e01", "2026-W15", "2", "0.00"],
    ]


def test_there_are_no_weeks_before_somebody_labelled_twice(root: DataRoot, tmp_path: Path):
    folder = write_tables(root, tmp_path / "tables")
    assert not (folder / "statistics" / "agreement_by_week.csv").exists()
    assert tabulate_agreement(read_agreement(folder)) == []
