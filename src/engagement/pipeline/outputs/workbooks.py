"""The outputs as workbooks: the tables of the analysis together, and each table of stage 3 by itself.

They are made from the CSVs, whose apostrophes against formulas they do without: a text in a workbook is never run.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import logging
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path, PurePosixPath
from typing import Any

from engagement.foundation.csv_cells import remove_guard
from engagement.foundation.errors import InputError
from engagement.foundation.files import digest_file, explain_os_errors, read_json, reading_csv, write_json
from engagement.foundation.workbooks import WorkbookLosses, WorkbookSheet, is_number, write_workbook
from engagement.pipeline.outputs.columns import COLUMNS

log = logging.getLogger(__name__)

# Increase it when the same tables make another workbook.
_VERSION = 1
_TABLES = ("messages", "individuals", "production")
_NOTE = "tables.json"
ANALYSIS_WORKBOOK = "tables.xlsx"
_DEFINITIONS, _HEADER = "definitions", ("Sheet", "Column", "What it holds")
# Names of codes and people's texts, even where they look like numbers.
_TEXT_COLUMNS = re.compile(
    "(dataset|episode|theme|code|value|(row|column)_value|name|label|message( ?id)?|reference|week|period|from|to)$",
    re.IGNORECASE,
).match
_NO_NUMBER = ("", "-")


def write_analysis_workbook(path: Path, tables: Mapping[PurePosixPath, Path]) -> None:
    """Write the tables of the analysis into one workbook, their definitions first.

    `tables` maps each table's name in the folder of the analysis to its CSV.
    """
    known = list(dict.fromkeys(column.file for column in COLUMNS))
    names = {name: f"Automated Analysis/{name}" for name in tables}
    # In the manual's order; what it does not know comes last.
    ordered = sorted(tables, key=lambda name: (known.index(names[name]) if names[name] in known else len(known), name))
    definitions = [row for name in ordered for row in _define(name.stem, names[name])]
    sheets = (_analysis_sheet(name.stem, tables[name]) for name in ordered)
    losses = write_workbook(path, itertools.chain([WorkbookSheet(_DEFINITIONS, _HEADER, definitions)], sheets))
    _report(path, losses)


def write_table_workbook(source: Path, path: Path, is_guarded: bool) -> None:
    """Write a table of stage 3 as a workbook of texts, as in the CSV, with its definitions behind it."""
    with reading_csv(source) as rows:
        header = next(rows, [])
        cells = ([remove_guard(cell) for cell in row] for row in rows) if is_guarded else rows
        definitions = WorkbookSheet(_DEFINITIONS, _HEADER, list(_define(source.stem, source.name)))
        losses = write_workbook(path, (WorkbookSheet(source.stem, header, cells), definitions))
    _report(path, losses)


def workbook_tasks(outputs: Path, guard_formulas: bool) -> list[Callable[[], None]]:
    """List the tasks that write each table in a folder of outputs as a workbook beside it."""
    tables = [path for path in (outputs / f"{name}.csv" for name in _TABLES) if path.exists()]
    return [
        functools.partial(
            write_table_workbook, path, path.with_suffix(".xlsx"), guard_formulas or path.stem == "production"
        )
        for path in tables
    ]


def workbook_target(target: str) -> str:
    """Name a workbook's place in Drive by that of its CSV.

    >>> workbook_target("Season/messages.csv"), workbook_target("Season/messages")
    ('Season/messages.xlsx', 'Season/messages.xlsx')
    """
    return target.removesuffix(".csv") + ".xlsx"


def update_analysis_workbook(folder: Path, earlier: Path) -> bool:
    """Write the workbook of an analysis, or take that of an `earlier` folder with the same tables.

    Returns whether it was written.
    """
    tables = find_tables(folder)
    note, digest = folder / _NOTE, _digest(tables)
    old = earlier / ANALYSIS_WORKBOOK
    is_known = old.is_file() and _read_note(earlier / _NOTE) == [digest, digest_file(old)]
    if is_known:
        with explain_os_errors(folder / ANALYSIS_WORKBOOK):
            shutil.copyfile(old, folder / ANALYSIS_WORKBOOK)
    else:
        write_analysis_workbook(folder / ANALYSIS_WORKBOOK, tables)
    write_json(note, [digest, digest_file(folder / ANALYSIS_WORKBOOK)])
    return not is_known


def find_tables(folder: Path) -> dict[PurePosixPath, Path]:
    """Find the CSVs in a folder of the analysis, by their names in it."""
    return {PurePosixPath(path.relative_to(folder).as_posix()): path for path in sorted(folder.rglob("*.csv"))}


def _digest(tables: Mapping[PurePosixPath, Path]) -> str:
    found = hashlib.sha256(json.dumps([_VERSION, [astuple(column) for column in COLUMNS]]).encode())
    for name, path in tables.items():
        found.update(f"{name} {digest_file(path)}\n".encode())
    return found.hexdigest()


def _read_note(path: Path) -> Any:
    try:
        return read_json(path, InputError)
    except InputError:
        return None


def _define(sheet: str, file: str) -> Iterator[tuple[str, str, str]]:
    return ((sheet, column.name, column.meaning) for column in COLUMNS if column.file == file)


def _analysis_sheet(name: str, path: Path) -> WorkbookSheet:
    with reading_csv(path) as rows:
        header = next(rows, [])
        numbers = _find_numbers(header, rows)
    return WorkbookSheet(name, header, _read_rows(path), numbers)


def _read_rows(path: Path) -> Iterator[list[str]]:
    with reading_csv(path) as rows:
        next(rows, None)
        for row in rows:
            yield [remove_guard(cell) for cell in row]


def _find_numbers(header: Sequence[str], rows: Iterable[Sequence[str]]) -> frozenset[int]:
    """Find the columns of numbers: every cell is one, or says that there is none."""
    left = {place for place, name in enumerate(header) if _TEXT_COLUMNS(name) is None}
    for row in rows:
        left -= {place for place in left if row[place] not in _NO_NUMBER and not is_number(row[place])}
    return frozenset(left)


def _report(path: Path, losses: WorkbookLosses) -> None:
    if told := losses.say():
        log.warning("%s: a workbook can't hold everything: %s. The CSVs have it all.", path.name, told)
