"""Measure the cleaners against answers coded by people.

The file is a CSV with the columns language, field, text and expected. The cleaner is the one of this language and field,
e.g. somali and gender. Expected is the code that a person gave; empty, or NC, where the cleaner should give none.
Precision is the share of right codes among those that the cleaner gave, recall the share of the expected codes that it
gave, F1 their harmonic mean.
"""

import argparse
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError, listing
from engagement.foundation.files import read_text
from engagement.pipeline.coding.cleaning import cleaner_names, codes_of_cleaner, find_cleaner

COLUMNS = ("language", "field", "text", "expected")
NOT_CODED = ("", "NC")
_FEW = 10


@dataclass(frozen=True)
class Case:
    """An answer, the cleaner that should read it and the code that a person gave it; None for no code."""

    row: int  # line of the CSV, where the heading is row 1
    language: str
    field: str
    text: str
    expected: str | None

    @property
    def cleaner(self) -> str:
        """Give the name of the cleaner."""
        return f"{self.language}.{self.field}"


@dataclass(frozen=True)
class Miss:
    """A case that the cleaner reads differently from a person."""

    case: Case
    found: str | None


@dataclass(frozen=True)
class Score:
    """A cleaner's score: it gave `given` codes, `right` of them right; `expected` cases have a code."""

    given: int
    expected: int
    right: int
    cases: int

    @property
    def precision(self) -> float:
        """Give the share of right codes among the given ones; 1 where none was given."""
        return self.right / self.given if self.given else 1.0

    @property
    def recall(self) -> float:
        """Give the share of the expected codes that were given; 1 where none was expected."""
        return self.right / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        """Give the harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("cases", type=Path, metavar="<csv>", help="coded answers: language, field, text, expected")
    parser.add_argument("--misses", action="store_true", help="list the answers that were read differently, with text")


def run(args: argparse.Namespace) -> None:
    """Read the cases, clean each answer, print the scores."""
    cases = read_cases(args.cases)
    scores, misses = evaluate(cases)
    for line in format_scores(scores):
        print(line)  # noqa: T201
    if args.misses:
        for miss in misses:
            print(format_miss(miss))  # noqa: T201


def read_cases(path: Path) -> list[Case]:
    """Read coded answers.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        It is not of this format, or names cleaners or codes that do not exist: every problem, by row and column.
    """
    text = read_text(path, what="a CSV with the columns " + ", ".join(COLUMNS))
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        found = ", ".join(reader.fieldnames or ()) or "nothing"
        raise InputError(
            f"{path}, row 1: found {found}; expected the columns {', '.join(COLUMNS)}. Mend the heading and run this again."
        )
    cases, problems = [], []
    for record in reader:
        row = reader.line_num
        problem = _find_problem(record)
        if problem:
            problems.append(f"row {row}, {problem}")
        else:
            expected = None if record["expected"].strip() in NOT_CODED else record["expected"].strip()
            cases.append(Case(row, record["language"], record["field"], record["text"], expected))
    if problems:
        raise InputError(f"{path}: {listing(problems)}\nMend these rows and run this again.")
    return cases


def evaluate(cases: Iterable[Case]) -> tuple[dict[str, Score], list[Miss]]:
    """Clean each answer; give a score for each cleaner, sorted by name, and the answers read differently."""
    given: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    misses = []
    for case in cases:
        found = find_cleaner(case.cleaner)(case.text)
        total[case.cleaner] += 1
        given[case.cleaner] += found is not None
        expected[case.cleaner] += case.expected is not None
        right[case.cleaner] += found is not None and found == case.expected
        if found != case.expected:
            misses.append(Miss(case, found))
    scores = {name: Score(given[name], expected[name], right[name], total[name]) for name in sorted(total)}
    return scores, misses


def format_scores(scores: dict[str, Score]) -> list[str]:
    """Lay out the scores as a table, with a last line for all fields together."""
    lines = [f"{'cleaner':<48} {'cases':>6} {'precision':>9} {'recall':>7} {'F1':>6}"]
    everything = Score(
        sum(score.given for score in scores.values()),
        sum(score.expected for score in scores.values()),
        sum(score.right for score in scores.values()),
        sum(score.cases for score in scores.values()),
    )
    for name, score in [*scores.items(), ("all", everything)]:
        lines.append(f"{name:<48} {score.cases:>6} {score.precision:>9.3f} {score.recall:>7.3f} {score.f1:>6.3f}")
    return lines


def format_miss(miss: Miss) -> str:
    """Report an answer that was read differently."""
    case = miss.case
    return (
        f"row {case.row}, {case.cleaner}: {case.text!r} was read as {miss.found or 'no code'}; "
        f"expected {case.expected or 'no code'}"
    )


def _find_problem(record: dict[str, str | None]) -> str | None:
    """Describe the error in a row, and its column; None if the row is right."""
    absent = next((column for column in COLUMNS if record[column] is None), None)
    if absent:
        return f"column {absent}: missing; expected {len(COLUMNS)} columns"
    name = f"{record['language']}.{record['field']}"
    fields = sorted({known.partition(".")[2] for known in cleaner_names()})
    if record["field"] not in fields:
        return f"column field: {record['field']!r}; expected one of {', '.join(fields)}"
    languages = sorted(known.partition(".")[0] for known in cleaner_names() if known.endswith("." + record["field"]))
    if name not in cleaner_names():
        return f"column language: {record['language']!r}; expected one of {', '.join(languages)} for {record['field']}"
    expected = (record["expected"] or "").strip()
    codes = codes_of_cleaner(name)
    if expected not in codes and expected not in NOT_CODED:
        return f"column expected: {expected!r}; expected {_describe(sorted(codes))}, or nothing"
    return None


def _describe(codes: Sequence[str]) -> str:
    if len(codes) <= _FEW:
        return "one of " + ", ".join(codes)
    return f"one of the {len(codes)} codes of this cleaner, e.g. {codes[0]!r}"
