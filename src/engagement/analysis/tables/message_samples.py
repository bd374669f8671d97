"""Messages to read: a sample for each code, and all with impact codes, in their original wording."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable, Codes
from engagement.configuration import Code, CodingConfiguration, CodingPlan, ControlCode
from engagement.pipeline.outputs.analysis_files import TIME

_SEED = "sample messages"
_COLUMNS = ["Episode", "Code Scheme", "Code", "Message"]
Episode = tuple[CodingPlan, CodingConfiguration]


def sample_messages(messages: CodedTable, episodes: Sequence[Episode], limit: int) -> pandas.DataFrame:
    """Return the columns of sample_messages.csv: up to `limit` labelled texts for each code but STOP.

    A hash of the episode and the text chooses texts: one more message changes at most one of them.
    """
    rows: list[tuple[str, ...]] = []
    for plan, configuration in episodes:
        texts = messages.texts(plan)
        categories, numbers = texts.cat.categories.to_list(), texts.cat.codes.to_numpy()
        ranks = [_rank(plan.raw_field, text) for text in categories]
        for code, found in _labelled_rows(messages.codes(configuration), configuration, numbers >= 0):
            if code.control_code is not ControlCode.STOP:
                chosen = numpy.unique(numbers[found]).tolist()
                sample = heapq.nsmallest(limit, chosen, key=ranks.__getitem__)
                rows.extend(_rows(configuration, code, (categories[number] for number in sample)))
    return pandas.DataFrame(rows, columns=_COLUMNS)


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
