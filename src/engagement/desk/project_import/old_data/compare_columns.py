"""Compare the columns of an old messages.csv with those of the imported project."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import CodingMode, CodingPlans
from engagement.configuration.field_names import UID_FIELD
from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.desk.project_import.migration import Migration
from engagement.foundation.errors import InputError, UsageError, count_of
from engagement.foundation.files import reading_csv
from engagement.pipeline.outputs.rows import AnalysisRows

# Names of a participant's column in files of all generations; a file without any is none of the pipeline's.
_PARTICIPANT_COLUMNS = frozenset({"uid", "avf_phone_id", "participant_uuid"})
_NOT_SHOWN = "(a name with a phone number, not shown)"
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# Between the name of a matrix of columns and a code: ours and that of the engagement databases.
_SEPARATORS = ("_", ":")


@dataclass(frozen=True)
class ColumnDifferences:
    """Columns of one file only, each in its file's order, and those that have another name (old -> new)."""

    added: Sequence[str]
    removed: Sequence[str]
    renamed: Mapping[str, str]
    is_order_changed: bool
    repeated: Sequence[str] = ()


def read_old_header(path: Path) -> list[str]:
    """Read the column names of an old messages.csv or individuals.csv.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        It is not CSV, or its first line names no participant: it may be a row of answers, which must not be shown.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected messages.csv of the earlier pipeline. Check the path.")
    with reading_csv(path) as lines:
        header = next(lines, [])
    if not _PARTICIPANT_COLUMNS & {name.casefold() for name in header}:
        raise InputError(
            f"{path}, line 1: no column 'uid' among {len(header)}; expected the header of messages.csv of the earlier pipeline. "
            "Give the CSV that the old stage 3 wrote."
        )
    return [_NOT_SHOWN if holds_phone_number(name) else name for name in header]


def compare_columns(old: Sequence[str], plans: CodingPlans) -> ColumnDifferences:
    """Compare the columns of an old file with those of the imported plans, in order."""
    new = AnalysisRows(plans.all).header
    known, wanted = set(old), set(new)
    added, removed = [name for name in new if name not in known], [name for name in old if name not in wanted]
    renamed = _match_participants(removed, added) | _match_spellings(removed, added)
    renamed |= _match_matrices(_without(removed, renamed), set(_without(added, renamed.values())), plans)
    kept = [renamed.get(name, name) for name in dict.fromkeys(old)]
    there = set(kept)
    return ColumnDifferences(
        added=_without(added, renamed.values()),
        removed=list(dict.fromkeys(_without(removed, renamed))),
        renamed={name: renamed[name] for name in old if name in renamed},
        is_order_changed=[name for name in kept if name in wanted] != [name for name in new if name in there],
        repeated=[name for name in known if old.count(name) > 1],
    )


def note_columns(path: Path, plans: CodingPlans, migration: Migration) -> ColumnDifferences:
    """Note in MIGRATION.md how the columns will differ from those of an old messages.csv.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        It is no messages.csv.
    """
    found = compare_columns(read_old_header(path), plans)
    name = path.name
    for text in _describe(found):
        migration.changed(name, text)
    if not (found.added or found.removed or found.renamed or found.is_order_changed):
        migration.done(f"`{name}`: the imported project writes the same columns in the same order.")
    return found


def _describe(found: ColumnDifferences) -> Iterator[str]:
    if found.renamed:
        pairs = ", ".join(f"`{old}` is now `{new}`" for old, new in found.renamed.items())
        yield f"{count_of(len(found.renamed), 'column')} will be named otherwise: {pairs}."
    if found.added:
        yield f"{count_of(len(found.added), 'column')} will be new, in order: {_quote(found.added)}."
    if found.removed:
        yield f"{count_of(len(found.removed), 'column')} will be gone, in their old order: {_quote(found.removed)}."
    if found.is_order_changed:
        yield "the columns that stay change places: address them by name, not by number."
    if found.repeated:
        yield f"the old file has {_quote(found.repeated)} several times; here a column stands once."


def _quote(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _without(names: Sequence[str], others: Iterable[str]) -> list[str]:
    found = set(others)
    return [name for name in names if name not in found]


def _match_participants(removed: Sequence[str], added: Sequence[str]) -> dict[str, str]:
    """Pair the column of participants' ids, which had other names."""
    old = [name for name in removed if name.casefold() in _PARTICIPANT_COLUMNS]
    return {old[0]: UID_FIELD} if UID_FIELD in added and len(old) == 1 else {}


def _match_spellings(removed: Sequence[str], added: Sequence[str]) -> dict[str, str]:
    """Pair names that differ only in case and between their words, as by `_`, `__` and `:`."""
    new_names: dict[str, list[str]] = {}
    for name in added:
        new_names.setdefault(_spell(name), []).append(name)
    old_names: dict[str, list[str]] = {}
    for name in dict.fromkeys(removed):
        old_names.setdefault(_spell(name), []).append(name)
    return {
        names[0]: new_names[spelling][0]
        for spelling, names in old_names.items()
        if len(names) == 1 and len(new_names.get(spelling, [])) == 1
    }


def _spell(name: str) -> str:
    return _BETWEEN_WORDS.sub("_", name.casefold()).strip("_")


def _match_matrices(removed: Sequence[str], added: set[str], plans: CodingPlans) -> dict[str, str]:
    """Pair the columns of a matrix whose name changed, by the scheme's codes."""
    old = set(removed)
    found: dict[str, dict[str, str]] = {}
    ambiguous: set[str] = set()
    for configuration in (configuration for plan in plans.all for configuration in plan.coding_configurations):
        columns = list(configuration.columns())
        if configuration.coding_mode is not CodingMode.MULTIPLE or not columns or not added.issuperset(columns):
            continue
        values = [code.string_value for code in configuration.code_scheme.codes]
        starts = {
            name.removesuffix(f"{separator}{values[0]}") + separator
            for separator in _SEPARATORS
            for name in removed
            if name.endswith(f"{separator}{values[0]}")
        }
        matching = [start for start in starts if old.issuperset(start + value for value in values)]
        if len(matching) == 1:
            if matching[0] in found:
                ambiguous.add(matching[0])
            found[matching[0]] = {matching[0] + value: column for value, column in zip(values, columns, strict=True)}
    return {name: column for start, pairs in found.items() if start not in ambiguous for name, column in pairs.items()}
