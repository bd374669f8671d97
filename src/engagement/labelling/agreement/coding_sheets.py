"""Coders' filled-in sheets: reliability samples with one or more columns of codes.

A sheet is a file from Outputs/ICR/ as stage 3 writes it: run id in the first column, text in the second. The coder adds
one or more columns whose heading begins with "code". A cell holds one code, or several separated by ; | , or line
breaks. An empty cell means the coder did not code the message; "nothing fits" is a code too: NC.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import CodeScheme
from engagement.configuration.nearest import nearest
from engagement.foundation.csv_cells import remove_guard
from engagement.foundation.errors import InputError, UsageError, listing
from engagement.foundation.sheets import Row, Sheet, column_name, fold_name, read_sheet, split_cell
from engagement.pipeline.coding.coded_datasets import message_id_of

_RUN_ID, _TEXT, _FIRST_OTHER = 0, 1, 2
# The run id, or the text if the run id is missing or shared by several messages.
_Key = tuple[str, str]


@dataclass(frozen=True)
class CodedMessage:
    """A message and each coder's codes, in the coders' order; None from a coder who skipped it.

    `message_id` is the one in Coda; `run_id` is "" if the message has none.
    """

    message_id: str
    run_id: str
    text: str
    codes: tuple[frozenset[str] | None, ...]

    @property
    def is_disagreement(self) -> bool:
        """Tell whether two coders gave it different codes."""
        return len({codes for codes in self.codes if codes is not None}) > 1


@dataclass(frozen=True)
class Codings:
    """Several coders' codes for the same messages, in the order of the first sheet.

    `text_columns` are the headings of the sheets' texts: a raw field, unless somebody changed it.
    """

    coders: tuple[str, ...]
    messages: tuple[CodedMessage, ...]
    text_columns: tuple[str, ...] = ()

    @property
    def codes(self) -> list[str]:
        """All codes that coders used, sorted."""
        return sorted({code for message in self.messages for codes in message.codes for code in codes or ()})


@dataclass(frozen=True)
class _CodedRow:
    row: Row
    codes: frozenset[str] | None


def read_codings(paths: Sequence[Path], code_columns: Sequence[str] = (), scheme: CodeScheme | None = None) -> Codings:
    """Read the sheets of two or more coders; with a `scheme`, a code may be any of its fields.

    Raises
    ------
    UsageError
        There are fewer than two sheets, or a sheet does not exist.
    InputError
        Lists every problem of every sheet, by row and column; or no message was coded by two coders.
    """
    if len(paths) < 2 or len({path.resolve() for path in paths}) < len(paths):
        raise UsageError(
            f"{len(paths)} sheet(s), or the same one twice; expected at least two. Name one sheet per coder."
        )
    sheets = [read_sheet(path, "a sheet of coded messages") for path in paths]
    names = CodeNames(scheme)
    problems: list[str] = []
    coded = [_read_codes(sheet, code_columns, names, problems) for sheet in sheets]
    keys = _choose_keys(sheets)
    for sheet, keys_of_sheet in zip(sheets, keys, strict=True):
        problems += _find_repeated(sheet, keys_of_sheet)
    if problems:
        raise InputError(f"{listing(problems)}\nCorrect the sheets and run this again.")
    messages = _join(coded, keys)
    if not any(sum(codes is not None for codes in message.codes) > 1 for message in messages):
        raise InputError(
            f"{', '.join(map(str, paths))}: no message was coded by two coders; expected sheets of one sample. "
            "Check that they are copies of the same file of Outputs/ICR/."
        )
    headings = dict.fromkeys(sheet.header[1] for sheet in sheets if len(sheet.header) > 1)
    return Codings(_name_coders(paths), messages, tuple(headings))


class CodeNames:
    """Looks up codes by the names that people write for them."""

    def __init__(self, scheme: CodeScheme | None) -> None:
        self._scheme = scheme
        self._known: dict[str, str] = {}
        for code in scheme.codes if scheme else ():
            self._known.setdefault(_fold(code.string_value), code.string_value)
        for code in scheme.codes if scheme else ():
            for name in (code.display_text, str(code.numeric_value), code.code_id, *code.match_values):
                self._known.setdefault(_fold(name), code.string_value)

    def find(self, name: str) -> str | None:
        """Return the code's StringValue, or, without a scheme, the first spelling of the name."""
        if self._scheme is None:
            return self._known.setdefault(_fold(name), name)
        return self._known.get(_fold(name))

    def suggest(self, name: str) -> str:
        """Suggest what was meant, as the end of a sentence."""
        return nearest(name, sorted(set(self._known.values())))


def _fold(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _read_codes(sheet: Sheet, code_columns: Sequence[str], names: CodeNames, problems: list[str]) -> list[_CodedRow]:
    positions = _find_code_columns(sheet, code_columns, problems)
    coded = []
    for row in sheet.rows:
        codes = set()
        for position in positions:
            for written in split_cell(row.cells[position]):
                code = names.find(written)
                if code is None:
                    where = f"{sheet.path}, row {row.number}, {column_name(sheet.header, position)}"
                    problems.append(f"{where}: {written!r} is not a code of the scheme{names.suggest(written)}")
                else:
                    codes.add(code)
        coded.append(_CodedRow(row, frozenset(codes) or None))
    return coded


def _find_code_columns(sheet: Sheet, code_columns: Sequence[str], problems: list[str]) -> list[int]:
    """Find the code columns: those named, or headings that begin with "code", or the only other column."""
    others = range(_FIRST_OTHER, len(sheet.header))
    if code_columns:
        wanted = set(map(fold_name, code_columns))
        found = [position for position in others if fold_name(sheet.header[position]) in wanted]
    else:
        found = [position for position in others if fold_name(sheet.header[position]).startswith("code")]
        if not found and len(others) == 1:
            found = [*others]
    if not found:
        headings = ", ".join(map(repr, sheet.header)) or "none"
        expected = " or ".join(map(repr, code_columns)) or "one whose name begins with 'code', behind run id and text"
        problems.append(
            f"{sheet.path}, row 1: the columns are {headings}; expected {expected}. Add it, or --code-column."
        )
    return found


def _choose_keys(sheets: Sequence[Sheet]) -> list[list[_Key]]:
    """Choose each sheet's keys: run ids if unique, as no spreadsheet program "corrects" them."""
    repeated = {
        run_id
        for sheet in sheets
        for run_id, times in Counter(row.cells[_RUN_ID] for row in sheet.rows).items()
        if times > 1
    }
    return [
        [
            (row.cells[_RUN_ID], "") if row.cells[_RUN_ID] not in ("", *repeated) else ("", _text_of(row))
            for row in sheet.rows
        ]
        for sheet in sheets
    ]


def _text_of(row: Row) -> str:
    """Return the text as written, without the apostrophe that stops spreadsheets running it."""
    return remove_guard(row.cells[_TEXT]) if len(row.cells) > _TEXT else ""


def _find_repeated(sheet: Sheet, keys: Sequence[_Key]) -> Iterable[str]:
    first: dict[_Key, int] = {}
    for row, key in zip(sheet.rows, keys, strict=True):
        if key in first:
            yield f"{sheet.path}, row {row.number}: repeats the message of row {first[key]}; expected each once. Remove one row."
        first.setdefault(key, row.number)


def _join(coded: Sequence[Sequence[_CodedRow]], keys: Sequence[Sequence[_Key]]) -> tuple[CodedMessage, ...]:
    by_coder: list[Mapping[_Key, _CodedRow]] = [
        dict(zip(keys_of_sheet, rows, strict=True)) for keys_of_sheet, rows in zip(keys, coded, strict=True)
    ]
    messages = []
    for key in dict.fromkeys(key for keys_of_sheet in keys for key in keys_of_sheet):
        found = [rows.get(key) for rows in by_coder]
        row = next(item.row for item in found if item is not None)
        text = _text_of(row)
        codes = tuple(item.codes if item is not None else None for item in found)
        messages.append(CodedMessage(message_id_of(text), row.cells[_RUN_ID], text, codes))
    return tuple(messages)


def _name_coders(paths: Sequence[Path]) -> tuple[str, ...]:
    """Name coders after their files, or their paths if file names repeat."""
    stems = [path.stem for path in paths]
    return tuple(stems if len(set(stems)) == len(stems) else map(str, paths))
