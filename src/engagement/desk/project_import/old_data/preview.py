"""Run stage 3 on the data taken over, and compare its tables with the old ones.

It runs in a temporary folder. Nobody's text is shown: only codes of the schemes, and counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration import CodingPlan, CodingPlans, Project
from engagement.desk.previews.runs import generate, temporary_folder
from engagement.desk.project_import.old_data.compare_columns import compare_columns, read_old_header
from engagement.desk.project_import.old_data.decided_differences import ComparedColumn, explain_change, list_columns
from engagement.desk.project_import.old_data.old_tables import (
    RowPairs,
    TableColumns,
    match_rows_of,
    read_table,
    split_codes,
)
from engagement.foundation.files import reading_csv

OTHER_VALUE = "another value"
TABLES = ("messages.csv", "individuals.csv")
PRODUCTION = "production.csv"


@dataclass(frozen=True)
class CellChange:
    """Cells of a column that change alike; the decided difference that explains them, or None."""

    before: str
    after: str
    count: int
    reason: str | None


@dataclass
class ColumnCounts:
    """A column with other counts than before, by value; and the matched cells that change."""

    name: str
    dataset: str | None
    values: Mapping[str, tuple[int, int]]
    changes: list[CellChange] = field(default_factory=list)


@dataclass(frozen=True)
class TableCounts:
    """A table before and after: its rows, and the columns that differ."""

    file: str
    rows: tuple[int, int]
    withdrawn: tuple[int, int]
    only_old: int
    only_new: int
    doubled: int
    of_withdrawn: int
    columns: Sequence[ColumnCounts]


@dataclass(frozen=True)
class ImportPreview:
    """Stage 3's tables beside the old ones; `missing` are old tables that are not there."""

    tables: Sequence[TableCounts]
    production: tuple[int, int] | None
    written: Mapping[str, int]
    missing: Sequence[str]


def preview_import(project: Project, data_root: Path, old_outputs: Path, options: Sequence[str] = ()) -> ImportPreview:
    """Run stage 3 on a data root in a temporary folder, and compare with old outputs.

    `options` are more options of stage 3, like --jobs.

    Raises
    ------
    PipelineError
        Stage 3 failed, or an old table can't be read.
    """
    with temporary_folder() as folder:
        generated = generate(folder / "imported", "imported", project, data_root, list(options), may_lack_flows=True)
        outputs = generated.data_root / "Outputs"
        old = {name: path for name in (*TABLES, PRODUCTION) if (path := _find_old_table(old_outputs, name)) is not None}
        missing = [name for name in (*TABLES, PRODUCTION) if name not in old]
        tables = [
            _compare_table(name, old[name], outputs / name, project.coding_plans) for name in TABLES if name in old
        ]
        written = {name: _count_rows(outputs / name) for name in (*TABLES, PRODUCTION)}
        production = None if PRODUCTION in missing else (_count_rows(old[PRODUCTION]), written[PRODUCTION])
        return ImportPreview(tables, production, written, missing)


def _find_old_table(old_outputs: Path, name: str) -> Path | None:
    """Find an old table by its name; earlier ones may have the pipeline's name before it."""
    if (old_outputs / name).is_file():
        return old_outputs / name
    found = sorted(old_outputs.glob(f"*_{name}"))
    return found[0] if len(found) == 1 else None


def _count_rows(path: Path) -> int:
    with reading_csv(path) as lines:
        next(lines, None)
        return sum(1 for _ in lines)


def _compare_table(name: str, old_path: Path, new_path: Path, plans: CodingPlans) -> TableCounts:
    header = read_old_header(old_path)
    found = compare_columns(header, plans)
    old_names = {new: old for old, new in found.renamed.items()}
    there = {*header, *old_names}
    coded = [column for plan in plans.all for column in list_columns(plan) if column.name in there]
    texts = [plan.raw_field for plan in plans.all if plan.raw_field in there]
    columns = TableColumns([column.name for column in coded], texts, old_names, are_messages=name == TABLES[0])
    old, new = read_table(old_path, columns, is_old=True), read_table(new_path, columns, is_old=False)
    pairs = match_rows_of(old, new)
    counts = [_count_values(table.rows.values(), coded) for table in (old, new)]
    return TableCounts(
        name,
        (old.count, new.count),
        (old.withdrawn, new.withdrawn),
        pairs.only_old.total(),
        pairs.only_new.total(),
        pairs.doubled,
        pairs.of_withdrawn,
        [*_compare_codes(coded, counts[0], counts[1], pairs), *_compare_texts(plans.all, old.texts, new.texts, texts)],
    )


def _count_values(rows: Iterable[Sequence[tuple[str, str]]], coded: Sequence[ComparedColumn]) -> list[Counter[str]]:
    """Count the values of each column. Most rows have the same codes as many others."""
    different = Counter(codes for several in rows for codes, _ in several)
    counts: list[Counter[str]] = [Counter() for _ in coded]
    if coded:
        for codes, times in different.items():
            for counter, value in zip(counts, split_codes(codes), strict=True):
                counter[value] += times
    return counts


def _compare_codes(
    coded: Sequence[ComparedColumn], old: Sequence[Counter[str]], new: Sequence[Counter[str]], pairs: RowPairs
) -> list[ColumnCounts]:
    changes: list[Counter[tuple[str, str]]] = [Counter() for _ in coded]
    for (before, after), times in pairs.changes.items():
        for counter, was, becomes in zip(changes, split_codes(before), split_codes(after), strict=True):
            if was != becomes:
                counter[was, becomes] += times
    found = []
    for column, before_counts, after_counts, changed in zip(coded, old, new, changes, strict=True):
        if not changed and before_counts == after_counts:
            continue
        values: Counter[str] = Counter()
        later: Counter[str] = Counter()
        for total, counted in ((values, before_counts), (later, after_counts)):
            for value, count in counted.items():
                total[_show(column, value)] += count
        differing = {
            value: (values[value], later[value])
            for value in dict.fromkeys([*values, *later])
            if values[value] != later[value]
        }
        cells = [
            CellChange(_show(column, was), _show(column, becomes), count, explain_change(column, was, becomes))
            for (was, becomes), count in changed.most_common()
        ]
        found.append(ColumnCounts(column.name, column.plan.coda_dataset, differing, cells))
    return found


def _compare_texts(
    plans: Sequence[CodingPlan], old: Counter[str], new: Counter[str], texts: Sequence[str]
) -> list[ColumnCounts]:
    datasets = {plan.raw_field: plan.coda_dataset for plan in plans}
    return [
        ColumnCounts(name, datasets[name], {"with a text": (old[name], new[name])})
        for name in texts
        if old[name] != new[name]
    ]


def _show(column: ComparedColumn, value: str) -> str:
    """Show a code's value only: an old column of that name may hold what people wrote."""
    if value == "":
        return "(empty)"
    return value if value in column.known_values else OTHER_VALUE
