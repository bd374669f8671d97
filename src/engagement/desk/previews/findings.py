"""Compare two runs of stage 3: cells by column, added and removed rows, Coda files, counts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy
import pandas

from engagement.configuration import CodingPlan
from engagement.desk.previews.labels import LabelsLost, compare_labels
from engagement.desk.previews.rows import Matches, TableRows, match_rows
from engagement.desk.previews.runs import Generated
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.pipeline.outputs.analysis_files import read_season

_NO_TEXT, _TEXT, _OTHER_TEXT = "no text", "a text", "another text"


@dataclass(frozen=True)
class ChangeGroup:
    """Cells or labels that change in the same way: their number, and the message or participant of some."""

    before: str
    after: str
    count: int
    examples: Sequence[str]


@dataclass(frozen=True)
class ColumnChanges:
    """The cells of one column that change."""

    column: str
    cells: int
    changes: Sequence[ChangeGroup]


@dataclass(frozen=True)
class Moving:
    """Rows or messages that are only in one version."""

    count: int = 0
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class TableChanges:
    """One CSV: added, removed and moved columns, added and removed rows, and changed cells in the rest."""

    file: str
    rows_before: int
    rows_after: int
    columns_coming: Sequence[str]
    columns_going: Sequence[str]
    is_order_changed: bool
    rows_coming: Moving
    rows_going: Moving
    columns: Sequence[ColumnChanges]


@dataclass(frozen=True)
class DatasetChanges:
    """One Coda file: texts that come or go, and automatic labels that change."""

    dataset: str
    is_new: bool
    is_gone: bool
    messages_coming: Moving
    messages_going: Moving
    changes: Sequence[ChangeGroup]

    @property
    def is_changed(self) -> bool:
        """True if anything differs."""
        moving = self.messages_coming.count + self.messages_going.count
        return bool(self.is_new or self.is_gone or moving or self.changes)


@dataclass(frozen=True)
class Differences:
    """All differences. `counts` has the counts of stage 3 that differ, before and after."""

    counts: Mapping[str, tuple[int, int]]
    tables: Sequence[TableChanges] = field(default_factory=tuple)
    datasets: Sequence[DatasetChanges] = field(default_factory=tuple)
    labels_lost: Sequence[LabelsLost] = field(default_factory=tuple)

    def document(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return asdict(self)


def compare_runs(old: Generated, new: Generated, most_examples: int) -> Differences:
    """Compare stage 3's results for two configurations of the same data; limits the examples of a change."""
    tables = []
    for file, are_messages in (("messages.csv", True), ("individuals.csv", False)):
        tables.append(_compare_tables(file, TableRows(old, are_messages), TableRows(new, are_messages), most_examples))
    tables.insert(1, _select_production(tables[0], old, new))
    datasets = _compare_coda_files(old, new, most_examples)
    labels_lost = compare_labels(old.project.coding_plans, new.project.coding_plans, old.data_root)
    return Differences(dict(_compare_counts(old, new)), tuple(tables), tuple(datasets), tuple(labels_lost))


def _compare_tables(file: str, old: TableRows, new: TableRows, most_examples: int) -> TableChanges:
    matches = match_rows(old, new)
    common = [column for column in new.header if column in set(old.header)]
    kept = set(old.columns) & set(new.columns)
    columns = (_compare_column(old, new, matches, column, most_examples) for column in new.columns if column in kept)
    return TableChanges(
        file=file,
        rows_before=len(old.keys),
        rows_after=len(new.keys),
        columns_coming=[column for column in new.header if column not in set(old.header)],
        columns_going=[column for column in old.header if column not in set(new.header)],
        is_order_changed=common != [column for column in old.header if column in set(new.header)],
        rows_coming=_moving(new, matches.coming, most_examples),
        rows_going=_moving(old, matches.going, most_examples),
        columns=[changes for changes in columns if changes.cells],
    )


def _moving(rows: TableRows, positions: numpy.ndarray, most_examples: int) -> Moving:
    return Moving(len(positions), _first_names(map(rows.naming(), positions), most_examples))


def _first_names(names: Iterator[str], most: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < most and (name := next(names, None)) is not None:
        found[name] = None
    return list(found)


def _compare_column(old: TableRows, new: TableRows, matches: Matches, column: str, most_examples: int) -> ColumnChanges:
    before = old.cells(column).to_numpy(dtype=object)[matches.old]
    after = new.cells(column).to_numpy(dtype=object)[matches.new]
    differing = numpy.flatnonzero(before != after)
    if not len(differing):
        return ColumnChanges(column, 0, [])
    pairs = pandas.DataFrame({"before": before[differing], "after": after[differing], "match": differing})
    # People's texts are not printed: the ids in Coda say where to look.
    had_text = pairs["before"] != ""
    if old.is_text(column):
        pairs["before"] = numpy.where(had_text, _TEXT, _NO_TEXT)
    if new.is_text(column):
        still = numpy.where(had_text & old.is_text(column), _OTHER_TEXT, _TEXT)
        pairs["after"] = numpy.where(pairs["after"] == "", _NO_TEXT, still)
    name = _naming(old, new, matches, column)
    changes = []
    for (was, becomes), group in pairs.groupby(["before", "after"], sort=True):
        examples = _first_names(map(name, group["match"]), most_examples)
        changes.append(ChangeGroup(str(was), str(becomes), len(group), examples))
    return ColumnChanges(column, len(differing), sorted(changes, key=lambda change: -change.count))


def _naming(old: TableRows, new: TableRows, matches: Matches, column: str) -> Callable[[int], str]:
    """Make a function that names a changed cell by its new text's id, or its old one's if none is left."""
    name_old, name_new = old.naming(column), new.naming(column)

    def name(match: int) -> str:
        found = name_new(matches.new[match])
        return found if found.startswith("message") else name_old(matches.old[match])

    return name


def _select_production(messages: TableChanges, old: Generated, new: Generated) -> TableChanges:
    """production.csv has the rows of messages.csv, and of its columns those with what people wrote."""
    before = ["uid", *(plan.raw_field for plan in old.project.coding_plans.all)]
    after = ["uid", *(plan.raw_field for plan in new.project.coding_plans.all)]
    return TableChanges(
        file="production.csv",
        rows_before=messages.rows_before,
        rows_after=messages.rows_after,
        columns_coming=[column for column in after if column not in before],
        columns_going=[column for column in before if column not in after],
        is_order_changed=[c for c in after if c in before] != [c for c in before if c in after],
        rows_coming=messages.rows_coming,
        rows_going=messages.rows_going,
        columns=[changes for changes in messages.columns if changes.column in after and changes.column in before],
    )


def _compare_counts(old: Generated, new: Generated) -> Iterator[tuple[str, tuple[int, int]]]:
    funnels = [read_season(generated.data_root)[1] for generated in (old, new)]
    counted: list[dict[str, int]] = [
        {
            "messages made of the runs": funnel.messages,
            "messages kept": funnel.kept,
            "participants who withdrew": funnel.withdrawn_participants,
            "their messages": funnel.withdrawn_messages,
            "wrong-scheme contradictions": len(funnel.contradictions),
            **{f"messages dropped {reason}": count for reason, count in funnel.dropped.items()},
            **{f"wrong-scheme answers of no dataset, '{name}'": count for name, count in funnel.lost.items()},
        }
        for funnel in funnels
    ]
    for name in dict.fromkeys([*counted[0], *counted[1]]):
        before, after = (counts.get(name, 0) for counts in counted)
        if before != after:
            yield name, (before, after)


def _compare_coda_files(old: Generated, new: Generated, most_examples: int) -> Iterator[DatasetChanges]:
    plans = [_plans_by_dataset(generated) for generated in (old, new)]
    for dataset in dict.fromkeys([*plans[0], *plans[1]]):
        is_new, is_gone = dataset not in plans[0], dataset not in plans[1]
        before = {} if is_new else _read_proposals(old, plans[0][dataset])
        after = {} if is_gone else _read_proposals(new, plans[1][dataset])
        found: dict[tuple[str, str], list[str]] = {}
        for message_id, labels in after.items():
            if message_id in before and before[message_id] != labels:
                found.setdefault((before[message_id], labels), []).append(message_id)
        changes = [ChangeGroup(was, becomes, len(ids), ids[:most_examples]) for (was, becomes), ids in found.items()]
        coming, going = ([i for i in some if i not in others] for some, others in ((after, before), (before, after)))
        result = DatasetChanges(
            dataset,
            is_new,
            is_gone,
            Moving(len(coming), coming[:most_examples]),
            Moving(len(going), going[:most_examples]),
            sorted(changes, key=lambda change: -change.count),
        )
        if result.is_changed:
            yield result


def _plans_by_dataset(generated: Generated) -> dict[str, CodingPlan]:
    return {plan.coda_dataset: plan for plan in generated.project.coding_plans.all if plan.coda_dataset is not None}


def _read_proposals(generated: Generated, plan: CodingPlan) -> dict[str, str]:
    """Map each message id to the cleaners' proposals, in words."""
    path: Path = generated.data_root / "Outputs" / "Coda Files" / str(plan.coda_filename)
    schemes = {coding.code_scheme.scheme_id: coding.code_scheme for coding in plan.coding_configurations}

    def say(label: Mapping[str, str]) -> str:
        scheme = schemes[label["SchemeID"]]
        return f"{scheme.name}: {scheme.codes_by_id[label['CodeID']].string_value}"

    messages = read_json(path, InputError, what="a Coda file")
    return {m["MessageID"]: ", ".join(map(say, m["Labels"])) or "no label" for m in messages}
