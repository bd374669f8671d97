"""The statistics as Parquet: the CSV's rows, with types."""

import csv
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow
from pyarrow.parquet import read_table

from engagement.analysis.statistics.files import write_statistics
from engagement.analysis.statistics.parquet_files import kinds_of, write_parquet
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run


class MadeUpRow(NamedTuple):
    date: str
    start: str
    name: str
    n: int
    df: int | None
    percent: float | None


def test_columns_have_the_types_of_what_they_hold(tmp_path: Path):
    rows = [
        MadeUpRow("2026-04-01", "2026-04-01T10:00:00+03:00", "", 3, None, None),
        MadeUpRow("2026-04-02", "2026-04-02T10:00:00+00:00", "x", 0, 2, math.inf),
    ]
    write_parquet(tmp_path / "t.parquet", kinds_of(MadeUpRow), rows)
    table = read_table(tmp_path / "t.parquet")
    assert table.schema.types == [
        pyarrow.date32(), pyarrow.timestamp("us", "UTC"), pyarrow.string(), pyarrow.int64(), pyarrow.int64(),
        pyarrow.float64(),
    ]  # fmt: skip
    first, second = (tuple(row.values()) for row in table.to_pylist())
    assert first == (date(2026, 4, 1), datetime(2026, 4, 1, 7, tzinfo=UTC), "", 3, None, None)
    assert second[3:] == (0, 2, math.inf)


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path):
    write_parquet(tmp_path / "t.parquet", kinds_of(MadeUpRow), [])
    table = read_table(tmp_path / "t.parquet")
    assert (table.num_rows, table.column_names) == (0, list(MadeUpRow._fields))


def written(value: object) -> str:
    return "" if value is None else "Inf" if value == math.inf else str(value)


def test_each_table_is_that_of_its_csv(tmp_path: Path):
    root = DataRoot(tmp_path)
    runs = [episode_run(f"p{n}", "biyo" if n % 3 else "dugsi", number=n % 2 + 1, run_id=n) for n in range(12)]
    asked = [survey_run(f"p{n}", n + 50, gender="naag" if n % 4 else "nin") for n in range(12)]
    root.write_runs(*runs, *asked)
    for number in (1, 2):
        codes = ("water", "school") if number == 1 else ("hope", "hope")
        root.write_coded(
            f"s01e0{number}",
            *(coda_message(t, label(f"episode{number}", c)) for t, c in zip(("biyo", "dugsi"), codes, strict=True)),
        )
    root.write_coded(
        "gender", coda_message("naag", label("gender", "woman")), coda_message("nin", label("gender", "man"))
    )
    root.generate()
    season = load_season(load_project(root.configuration), root.path)
    assert write_statistics(Statistics(season, root.path), tmp_path) == 6
    paths = sorted((tmp_path / "statistics").glob("*.csv"))
    assert len(paths) == 6
    for path in paths:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        table = read_table(path.with_suffix(".parquet"))
        assert table.column_names == rows[0]
        assert [[written(value) for value in row.values()] for row in table.to_pylist()] == rows[1:], path.name
        assert len(rows) > 1
