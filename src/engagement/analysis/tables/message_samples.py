"""Messages to read: a sample for each code, and all with impact codes, in their original wording."""

from __future__ import annotations

import hashlib
import heapq
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable, Codes
from engagement.configuration import Code, CodingConfiguration, CodingPlan, ControlCode
from engagement.pipeline.outputs.analysis_files import TIME, UID

_SEED = "sample messages"
# Punctuation, blanks, and characters that can't be seen.
_LEFT_OUT = "PZC"
_COLUMNS = ["Episode", "Code Scheme", "Code", "Message"]
Episode = tuple[CodingPlan, CodingConfiguration]


def sample_messages(
    messages: CodedTable, episodes: Sequence[Episode], limit: int
) -> tuple[pandas.DataFrame, list[str]]:
    """Sample up to `limit` labelled texts for each code but STOP.

    Texts that differ in case, blanks or punctuation alone are one.

    Returns the first columns of sample_messages.csv, and for each row the uid of one of those who wrote the text.

    A hash of the episode and the text chooses texts: one more message changes at most one of them.
    """
    uids = messages.column(UID)
    rows: list[tuple[str, ...]] = []
    writers: list[str] = []
    for plan, configuration in episodes:
        texts = messages.texts(plan)
        categories, numbers = texts.cat.categories.to_list(), texts.cat.codes.to_numpy()
        ranks = [_rank(plan.raw_field, text) for text in categories]
        for code, found in _labelled_rows(messages.codes(configuration), configuration, numbers >= 0):
            if code.control_code is not ControlCode.STOP:
                chosen, first = numpy.unique(numbers[found], return_index=True)
                sample = _choose_distinct(chosen.tolist(), categories, ranks, limit)
                rows.extend(_rows(configuration, code, (categories[number] for number in sample)))
                writers.extend(uids.iloc[found[first[numpy.searchsorted(chosen, sample)]]])
    return pandas.DataFrame(rows, columns=_COLUMNS), writers


def _choose_distinct(chosen: Sequence[int], categories: Sequence[str], ranks: Sequence[bytes], limit: int) -> list[int]:
    """Choose the first texts by rank, of those that are alike only the first."""
    size = limit
    while True:
        distinct: dict[str, int] = {}
        for number in heapq.nsmallest(size, chosen, key=ranks.__getitem__):
            distinct.setdefault(fold_text(categories[number]), number)
        if len(distinct) >= limit or size >= len(chosen):
            return list(distinct.values())[:limit]
        size *= 2


def fold_text(text: str) -> str:
    """Make texts equal that differ in case, white space, invisible characters or punctuation alone.

    >>> fold_text("Biyo, waddo!") == fold_text("  biyo WADDO"), fold_text("?!") == fold_text("...")
    (True, False)
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if unicodedata.category(c)[0] not in _LEFT_OUT) or " ".join(plain.split())


def _labelled_rows(
    codes: Codes, configuration: CodingConfiguration, answered: numpy.ndarray
) -> Iterator[tuple[Code, numpy.ndarray]]:
    """Return the positions of labelled rows with a text, for each code of a scheme."""
    places = numpy.flatnonzero(codes.labelled & answered)
    numbers = codes.numbers[places]
    for position, code in enumerate(configuration.code_scheme.codes):
        yield code, places[codes.holds[numbers, position]]


def _rank(raw_field: str, text: str) -> bytes:
    return hashlib.sha256(f"{_SEED}/{raw_field}/{text}".encode()).digest()


def _rows(configuration: CodingConfiguration, code: Code, texts: Iterable[str]) -> Iterable[tuple[str, ...]]:
    name, scheme = str(configuration.analysis_file_key), configuration.code_scheme.name
    return ((name, scheme, code.string_value, text) for text in texts)


def list_messages(
    messages: CodedTable, episodes: Sequence[Episode], string_values: Collection[str]
) -> pandas.DataFrame:
    """Return the columns of impact_messages.csv: every labelled message with one of the codes.

    Sorted by episode, code, time and text.
    """
    times = messages.column(TIME)
    rows: list[tuple[str, ...]] = []
    for plan, configuration in episodes:
        texts = messages.texts(plan)
        for code, found in _labelled_rows(messages.codes(configuration), configuration, texts.notna().to_numpy()):
            if code.string_value in string_values:
                in_order = sorted(zip(times.iloc[found].to_list(), texts.iloc[found].to_list(), strict=True))
                rows.extend(_rows(configuration, code, (text for _, text in in_order)))
    return pandas.DataFrame(rows, columns=_COLUMNS)
