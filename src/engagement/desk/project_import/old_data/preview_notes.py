"""Note in MIGRATION.md how the new tables differ from the old ones, and why."""

from collections.abc import Collection, Iterator
from pathlib import Path

from engagement.configuration import Project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_data.decided_differences import LABELS_ALONE
from engagement.desk.project_import.old_data.preview import (
    PRODUCTION,
    CellChange,
    ColumnCounts,
    ImportPreview,
    TableCounts,
    preview_import,
)
from engagement.foundation.errors import PipelineError, count_of
from engagement.labelling.datasets.datasets import coded_file
from engagement.pipeline.coding.lost_labels import find_lost_labels
from engagement.services.coda.format import read_message_file

TWICE = "a run that carried two answers came out twice; here it comes once per answer"
STOPS = "a STOP counts wherever it was said, also in a message that was then filtered out or moved"
LEFT_OUT = "it holds nothing of participants who withdrew"
_SHOWN = 12
_LOOK = "Look at one of the participants with `explain`, and compare the plans with the old ones."
_UNEXPLAINED = f"No decided difference explains this. {_LOOK}"


def note_preview(project: Project, data_root: Path, old_outputs: Path, migration: Migration) -> None:
    """Run the preview, and note what it finds; a failed one is to decide, and stops nothing."""
    try:
        found = preview_import(project, data_root, old_outputs)
        unsure = find_unsure_datasets(project, data_root)
    except PipelineError as error:
        migration.to_decide("preview", f"stage 3 could not be tried on the data taken over. {error}")
        return
    describe_preview(found, unsure, migration)


def find_unsure_datasets(project: Project, data_root: Path) -> set[str]:
    """Find datasets whose labels did not all come along: there a lost code is no decision."""
    unsure = set()
    for dataset in filter(None, (plan.coda_dataset for plan in project.coding_plans.all)):
        path = coded_file(data_root, dataset)
        if not path.exists() or find_lost_labels(dataset, project.coding_plans, read_message_file(path, "")):
            unsure.add(dataset)
    return unsure


def describe_preview(found: ImportPreview, unsure: Collection[str], migration: Migration) -> None:
    """Note counts under Done, explained differences under Changed, and others under To decide."""
    written = found.written
    migration.done(
        f"Preview: stage 3 on the data taken over makes {count_of(written['messages.csv'], 'message')}, "
        f"{count_of(written['individuals.csv'], 'individual')} and {count_of(written[PRODUCTION], 'row')} of {PRODUCTION}."
    )
    if found.missing:
        migration.to_decide(
            ", ".join(found.missing),
            "not in the old Outputs/, so that nothing was compared with them. Compare with your last copy.",
        )
    for table in found.tables:
        _note_rows(table, migration)
        for column in table.columns:
            _note_column(table.file, column, unsure, migration)
        if table.rows[0] == table.rows[1] and not (table.columns or table.only_old or table.only_new):
            migration.done(
                f"`{table.file}`: the same {count_of(table.rows[0], 'row')}, with the same counts in every column."
            )
    _note_production(found, migration)


def _note_rows(table: TableCounts, migration: Migration) -> None:
    before, after = table.rows
    if before != after:
        migration.changed(table.file, f"{before:,} -> {after:,} rows.")
    if table.withdrawn[0] != table.withdrawn[1]:
        said = f"rows of participants who withdrew: {table.withdrawn[0]:,} -> {table.withdrawn[1]:,}."
        if table.withdrawn[1] > table.withdrawn[0]:
            migration.changed(table.file, f"{said} As decided: {STOPS}.")
        else:
            migration.to_decide(
                table.file, f"{said} Withdrawals would be undone: bring the labels that say STOP along first."
            )
    if table.doubled:
        migration.changed(table.file, f"{count_of(table.doubled, 'row')} only in the old table. As decided: {TWICE}.")
    more_withdrawn = max(0, table.withdrawn[1] - table.withdrawn[0])
    of_withdrawn = min(table.of_withdrawn, more_withdrawn)
    if of_withdrawn:
        migration.changed(table.file, f"{count_of(of_withdrawn, 'row')} only in the old table. As decided: {STOPS}.")
    rest = table.only_old - table.doubled - of_withdrawn
    if rest > 0:
        migration.to_decide(
            table.file,
            f"{count_of(rest, 'row')} only in the old table. {_UNEXPLAINED} Other possible causes: a flow, a time range or a test "
            "contact that was not imported.",
        )
    only_new = table.only_new - max(0, table.withdrawn[0] - table.withdrawn[1])
    if only_new > 0:
        migration.to_decide(
            table.file,
            f"{count_of(only_new, 'row')} only in the new table. If the raw data is not newer than the old table, no decided difference explains this. {_LOOK}",
        )


def _note_column(file: str, column: ColumnCounts, unsure: Collection[str], migration: Migration) -> None:
    counts = [f"{value} {before:,} -> {after:,}" for value, (before, after) in column.values.items()]
    said = "; ".join(_shorten(counts)) or "the same counts, other rows"
    is_unsure = column.dataset in unsure
    explained: dict[str, list[CellChange]] = {}
    unexplained: list[CellChange] = []
    for change in column.changes:
        if change.reason is None or (is_unsure and change.reason in LABELS_ALONE):
            unexplained.append(change)
        else:
            explained.setdefault(change.reason, []).append(change)
    reasons = "".join(f" {_list_changes(changes)}: as decided, {reason}." for reason, changes in explained.items())
    rows = "" if column.changes else " Only through rows that come, go or move; see the lines about rows."
    migration.changed(f"{file}, {column.name}", f"{said}.{reasons}{rows}")
    if unexplained:
        why = (
            "Not all labels of its dataset came along: see the lines about Coda, and bring them first."
            if is_unsure
            else _UNEXPLAINED
        )
        migration.to_decide(f"{file}, {column.name}", f"{_list_changes(unexplained)}. {why}")


def _note_production(found: ImportPreview, migration: Migration) -> None:
    if found.production is None:
        return
    before, after = found.production
    withdrawn = next((table.withdrawn[1] for table in found.tables if table.file == "messages.csv"), None)
    if before == after:
        migration.done(f"`{PRODUCTION}`: the same {count_of(before, 'row')}.")
    elif withdrawn is not None and before - after == withdrawn:
        migration.changed(PRODUCTION, f"{before:,} -> {after:,} rows. As decided: {LEFT_OUT}.")
    else:
        migration.changed(
            PRODUCTION,
            f"{before:,} -> {after:,} rows. {LEFT_OUT[0].upper()}{LEFT_OUT[1:]}; what else differs stands at `messages.csv`.",
        )


def _list_changes(changes: Collection[CellChange]) -> str:
    return ", ".join(_shorten([f"{change.count:,} x {change.before} -> {change.after}" for change in changes]))


def _shorten(items: list[str]) -> Iterator[str]:
    yield from items[:_SHOWN]
    if len(items) > _SHOWN:
        yield f"and {len(items) - _SHOWN} more"
