"""Converting a sheet of codes to a code scheme, or listing every value that a scheme can't have."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from engagement.configuration import Code, CodeScheme, ControlCode
from engagement.foundation.errors import InputError, listing
from engagement.labelling.code_books.building import build_scheme
from engagement.labelling.code_books.look_alikes import find_look_alikes, say_harm
from engagement.labelling.code_books.spreadsheet import (
    CONTROL,
    DISPLAY,
    ID,
    MATCHES,
    META,
    NUMBER,
    SHORTCUT,
    STRING,
    CodeSheet,
)

log = logging.getLogger(__name__)


def make_scheme_of_sheet(
    sheet: CodeSheet,
    name: str,
    control_codes: Iterable[ControlCode],
    with_meta_codes: bool = False,
    version: str | None = None,
    existing: CodeScheme | None = None,
) -> CodeScheme:
    """Convert a sheet's codes to a scheme, adding missing control codes.

    Raises
    ------
    InputError
        Lists by row and column every value that two codes wrongly share, and every code that looks like a control
        code.
    """
    scheme = build_scheme(
        name,
        sheet.codes,
        control_codes=control_codes,
        with_meta_codes=with_meta_codes,
        version=version,
        existing=existing,
    )
    problems = [
        problem for column, values in _UNIQUE.items() for problem in _find_repeated(sheet, scheme, column, values)
    ]
    problems += _find_look_alikes(sheet, scheme)
    if problems:
        raise InputError(f"{sheet.path}: {listing(problems)}\nCorrect the sheet and run this again.")
    return scheme


_COLUMN_OF_FIELD = {"DisplayText": DISPLAY, "StringValue": STRING, "MatchValues": MATCHES}


def _find_look_alikes(sheet: CodeSheet, scheme: CodeScheme) -> Iterable[str]:
    """Find rows that look like a control code; warn of rows that look like each other."""
    for found in find_look_alikes(scheme.codes):
        if found.position >= len(sheet.rows):
            continue
        where = sheet.place(found.position, _COLUMN_OF_FIELD[found.field])
        if found.control is not None:
            yield (
                f"{where}: {found.name!r} looks like the control code {found.control}, but would be another code: "
                f"{say_harm(found.control)}; expected a name that can't be taken for it. Write {found.control} if it is that, or "
                "another name."
            )
        elif found.other is not None:
            log.warning(
                "%s: %s: coders see %r, as in %s; expected a name of its own. Change one.",
                sheet.path,
                where,
                found.name,
                sheet.place(found.other, DISPLAY),
            )


_UNIQUE: Mapping[str, Callable[[Code], Sequence[object]]] = {
    STRING: lambda code: [code.string_value],
    NUMBER: lambda code: [code.numeric_value],
    MATCHES: lambda code: code.match_values,
    SHORTCUT: lambda code: [code.shortcut] if code.shortcut else [],
    CONTROL: lambda code: [str(code.control_code)] if code.control_code else [],
    META: lambda code: [code.meta_code] if code.meta_code else [],
    ID: lambda code: [code.code_id],
}


_KEEP_ID = "Keep it on the code that has its labels, and empty the other cell."


def _find_repeated(
    sheet: CodeSheet, scheme: CodeScheme, column: str, values_of: Callable[[Code], Sequence[object]]
) -> Iterable[str]:
    first: dict[object, int] = {}
    for position, code in enumerate(scheme.codes):
        for value in values_of(code):
            # Codes with one name have one id, which the check of names reports.
            if column == ID and value in first and scheme.codes[first[value]].string_value == code.string_value:
                continue
            if value in first:
                earlier = sheet.place(first[value], column)
                yield (
                    f"{sheet.place(position, column)}: {column} {value!r} is also that of {earlier}; expected to be "
                    f"unique within the scheme. {_KEEP_ID if column == ID else 'Change one.'}"
                )
            first.setdefault(value, position)
