"""Match two versions of messages.csv or individuals.csv, read from stage 3's columnar tables."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy
import pandas

from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan
from engagement.desk.previews.runs import Generated
from engagement.foundation.csv_cells import guard_cell
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.pipeline.outputs.analysis_files import (
    DATASET,
    RUN_ID,
    TIME,
    UID,
    analysis_folder,
    codes_column,
    individuals_path,
    messages_path,
    read_column,
    text_column,
)
from engagement.pipeline.outputs.rows import AnalysisRows

# Keys that identify a row, the strictest first: rows that one key leaves over are matched by the next. Among like rows the
# first is matched with the first.
_MESSAGE_KEYS = ((UID, TIME, RUN_ID, "text"), (UID, "text"), (UID, RUN_ID, TIME), (UID, TIME))
_INDIVIDUAL_KEYS = ((UID,),)


class TableRows:
    """Rows of one table, without those who withdrew: message by message, or participant by participant."""

    def __init__(self, generated: Generated, are_messages: bool) -> None:
        folder = analysis_folder(generated.data_root)
        self._path: Path = messages_path(folder) if are_messages else individuals_path(folder)
        self._plans = generated.project.coding_plans
        self._guards_formulas = generated.project.configuration.guard_formulas
        self.are_messages = are_messages
        self.header: list[str] = AnalysisRows(self._plans.all).header
        self._last_codes: tuple[str | None, pandas.Series] = (None, pandas.Series())
        self._by_column: dict[str, tuple[CodingPlan, CodingConfiguration | None]] = {}
        for plan in self._plans.all:
            self._by_column[plan.raw_field] = (plan, None)
            for coding in plan.coding_configurations:
                self._by_column.update((column, (plan, coding)) for column in coding.columns())

    @property
    def columns(self) -> list[str]:
        """List the columns that can differ between rows of one participant, in the header's order."""
        return [column for column in self.header if column in self._by_column]

    def is_text(self, column: str) -> bool:
        """Check if a column holds people's texts."""
        return self._by_column[column][1] is None

    def cells(self, column: str) -> pandas.Series:
        """Return one column as it is in the CSV."""
        plan, coding = self._by_column[column]
        if coding is None:
            texts = self.texts(plan).fillna("")
            return texts.map(guard_cell) if self._guards_formulas else texts
        codes = self._codes(codes_column(coding.coded_field))
        cells = [_say_cell(coding, json.loads(combination), column) for combination in codes.cat.categories]
        return pandas.Series(numpy.array(cells, dtype=object)[codes.cat.codes.to_numpy()])

    def _codes(self, column: str) -> pandas.Series:
        """Read the codes of a coding, once for all columns of a matrix, which follow each other."""
        name, codes = self._last_codes
        if name != column:
            codes = read_column(self._path, column)
            self._last_codes = column, codes
        return codes

    def texts(self, plan: CodingPlan) -> pandas.Series:
        """Return the text of a raw field; null without an answer."""
        return read_column(self._path, text_column(plan.raw_field)).astype(object)

    @cached_property
    def keys(self) -> pandas.DataFrame:
        """Return the key that identifies each row."""
        columns = {UID: read_column(self._path, UID).astype(object)}
        if self.are_messages:
            columns |= {TIME: read_column(self._path, TIME), RUN_ID: read_column(self._path, RUN_ID).astype(object)}
            columns |= {"text": self.own_texts, DATASET: self._datasets}
        return pandas.DataFrame(columns)

    @cached_property
    def _datasets(self) -> pandas.Series:
        return read_column(self._path, DATASET).astype(object)

    @cached_property
    def own_texts(self) -> pandas.Series:
        """Return each message's answer to its episode."""
        texts = pandas.Series("", index=range(len(self._datasets)), dtype=object)
        for plan in self._plans.rqa:
            is_own = self._datasets == (plan.coda_dataset or plan.raw_field)
            texts[is_own] = self.texts(plan)[is_own]
        return texts

    def naming(self, column: str | None = None) -> Callable[[int], str]:
        """Make a function that names a row by the id in Coda of the text that a column codes, or participant.

        Without a column it is the text that the message answers its episode with. Rows of individuals are found by participant.
        """
        uids = self.keys[UID].to_numpy()
        if not self.are_messages:
            return lambda row: f"participant {uids[row]}"
        texts = (self.own_texts if column is None else self.texts(self._by_column[column][0])).to_numpy()
        return lambda row: (
            f"participant {uids[row]}" if pandas.isna(texts[row]) else f"message {message_id_of(texts[row])}"
        )


def _say_cell(coding: CodingConfiguration, code_ids: Sequence[str], column: str) -> str:
    values = [coding.code_scheme.codes_by_id[code_id].string_value for code_id in code_ids]
    if coding.coding_mode is CodingMode.SINGLE:
        return values[0]
    return "1" if column.removeprefix(f"{coding.analysis_file_key}_") in values else "0"


@dataclass(frozen=True)
class Matches:
    """Rows with the same message or participant in both versions; added and removed ones; by position."""

    old: numpy.ndarray
    new: numpy.ndarray
    going: numpy.ndarray
    coming: numpy.ndarray


def match_rows(old: TableRows, new: TableRows) -> Matches:
    """Match each row of one version with its row in the other."""
    pairs = []
    left, right = old.keys, new.keys
    for names in _MESSAGE_KEYS if old.are_messages else _INDIVIDUAL_KEYS:
        keys = [_with_occurrence(frame, list(names)) for frame in (left, right)]
        merged = keys[0].merge(keys[1], on=[*names, "occurrence"], suffixes=("_old", "_new"))
        pairs.append(merged[["position_old", "position_new"]].to_numpy())
        left = left.drop(index=pandas.Index(merged["position_old"]))
        right = right.drop(index=pandas.Index(merged["position_new"]))
    both = numpy.concatenate(pairs)
    both = both[numpy.argsort(both[:, 1], kind="stable")]
    return Matches(both[:, 0], both[:, 1], left.index.to_numpy(), right.index.to_numpy())


def _with_occurrence(frame: pandas.DataFrame, names: list[str]) -> pandas.DataFrame:
    keyed = frame[names].copy()
    keyed["occurrence"] = frame.groupby(names, sort=False, dropna=False).cumcount()
    keyed["position"] = frame.index
    return keyed
