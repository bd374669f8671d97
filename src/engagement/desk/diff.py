"""Show how a change of the configuration would change the outputs, before you make it.

Runs stage 3 with both configurations on the raw data and labels of a data root, in a private folder in TMPDIR that is
removed afterwards; nothing is written under the data root. Prints the cells that change, by column and dataset, added and
removed rows and columns, examples by message id, and labels that would be lost. Never prints what people wrote.
"""

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from engagement.configuration import load_project
from engagement.desk.previews.findings import (
    ChangeGroup,
    ColumnChanges,
    DatasetChanges,
    Differences,
    Moving,
    TableChanges,
    compare_runs,
)
from engagement.desk.previews.runs import generate, temporary_folder
from engagement.foundation.errors import UsageError
from engagement.foundation.partitions import count_processors, parse_count

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("old", type=Path, metavar="old-configuration", help="pipeline configuration as it is (JSON)")
    parser.add_argument(
        "new", type=Path, metavar="new-configuration", help="pipeline configuration as it would be (JSON)"
    )
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds the pipeline's data")
    parser.add_argument(
        "--examples", type=parse_count, default=3, metavar="N", help="examples of each change; 3 if not given"
    )
    parser.add_argument(
        "--jobs", type=parse_count, default=count_processors(), help="processes to run; one a processor"
    )
    parser.add_argument(
        "--allow-project-code", action="store_true", help="run cleaners and imputation functions of the projects' own"
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of text")


def run(arguments: argparse.Namespace) -> None:
    """Run stage 3 twice, compare, and print what differs."""
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    old, new = load_project(arguments.old), load_project(arguments.new)
    options = ["--jobs", str(arguments.jobs), *(["--allow-project-code"] if arguments.allow_project_code else [])]
    with temporary_folder() as folder:
        before = generate(folder / "old", "old", old, arguments.data_root, options, may_lack_flows=False)
        after = generate(folder / "new", "new", new, arguments.data_root, options, may_lack_flows=True)
        log.info("Comparing the results")
        findings = compare_runs(before, after, arguments.examples)
    if arguments.json:
        sys.stdout.write(json.dumps(findings.document(), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(describe_findings(findings)) + "\n")


def describe_findings(findings: Differences) -> Iterator[str]:
    """Return the findings as lines of text; one line if nothing differs."""
    lines: list[str] = [f"{name}: {before} -> {after}" for name, (before, after) in findings.counts.items()]
    if lines:
        lines.append("")
    for table in findings.tables:
        lines += _describe_table(table)
    for dataset in findings.datasets:
        lines += _describe_dataset(dataset)
    lines += [f"Coded Coda Files/{lost.dataset}.json: {lost.text}" for lost in findings.labels_lost]
    yield from lines or ["Nothing would change."]


def _describe_table(table: TableChanges) -> Iterator[str]:
    lines = [
        *_describe_columns("columns that come", table.columns_coming),
        *_describe_columns("columns that go", table.columns_going),
        *(["the other columns change places"] if table.is_order_changed else []),
        *_describe_moving("row(s) come", table.rows_coming),
        *_describe_moving("row(s) go", table.rows_going),
        *(line for column in table.columns for line in _describe_column(column)),
    ]
    if lines:
        cells = sum(column.cells for column in table.columns)
        yield (
            f"{table.file}: {table.rows_before} -> {table.rows_after} row(s) of those who did not withdraw, "
            f"{cells} cell(s) in {len(table.columns)} column(s) change"
        )
        yield from (f"  {line}" for line in lines)


def _describe_columns(what: str, columns: Sequence[str]) -> Iterator[str]:
    if columns:
        yield f"{what}: {', '.join(columns)}"


def _describe_moving(what: str, moving: Moving) -> Iterator[str]:
    if moving.count:
        yield f"{moving.count} {what}{_say_examples(moving.examples)}"


def _describe_column(column: ColumnChanges) -> Iterator[str]:
    yield f"{column.column}: {column.cells} cell(s) change"
    yield from (f"  {line}" for line in map(_say_change, column.changes))


def _describe_dataset(dataset: DatasetChanges) -> Iterator[str]:
    state = " (new)" if dataset.is_new else " (no longer written)" if dataset.is_gone else ""
    labels = sum(change.count for change in dataset.changes)
    yield f"Coda Files/{dataset.dataset}.json{state}: automatic labels of {labels} message(s) change"
    for what, moving in (("message(s) come", dataset.messages_coming), ("message(s) go", dataset.messages_going)):
        yield from (f"  {line}" for line in _describe_moving(what, moving))
    yield from (f"  {line}" for line in map(_say_change, dataset.changes))


def _say_change(change: ChangeGroup) -> str:
    return f"{change.count} x {change.before} -> {change.after}{_say_examples(change.examples)}"


def _say_examples(examples: Sequence[str]) -> str:
    return f", e.g. {', '.join(examples)}" if examples else ""
