"""Read the text of a configuration file: its JSON, the lines of values, and errors in plain words."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from engagement.configuration.problems import Problem, ProblemsError
from engagement.foundation.odd_paths import expect_no_pipe

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_BYTE_ORDER_MARK = "\ufeff"
_MERGE_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_REMEDY = "Mend the file."
_NO_COMMA = "Expecting ',' delimiter"


@dataclass(frozen=True)
class Document:
    """A JSON file that was read: its path, its text, and the parsed document."""

    path: Path
    text: str
    content: Any


@dataclass
class _Container:
    """A list or object being read; `position` counts a list's items, `keys` has an object's so far."""

    path: str
    position: int = 0
    keys: dict[str, int] | None = None


class _OddNumberError(ValueError):
    """A number that JSON does not have."""


def read_document(path: Path, what: str) -> Document:
    """Read a JSON file of the configuration; `what` names its kind, e.g. "a code scheme".

    Raises
    ------
    ProblemsError
        The file is missing, is not UTF-8, is not JSON, or some of its objects have a key twice.
    """
    text = _read_text(path, what)
    has_repeated_keys = False

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_repeated_keys
        made = dict(pairs)
        has_repeated_keys |= len(made) < len(pairs)
        return made

    try:
        content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=make_object)
    except json.JSONDecodeError as error:
        place = _place_of(text, error)
        _refuse(path, _explain(text, error, what), *place)
    except _OddNumberError as error:
        line = next(number for number, line in enumerate(text.split("\n"), 1) if str(error) in line)
        _refuse(path, f"{error} is no number of JSON; expected digits. {_REMEDY}", line)
    except ValueError:
        _refuse(path, f"a number of thousands of digits; expected {what}. {_REMEDY}")
    except RecursionError:
        _refuse(path, f"lists within lists without end; expected {what}. {_REMEDY}")
    if "\\u" in text:
        _refuse_half_characters(path, text)
    if has_repeated_keys:
        raise ProblemsError({path: _scan(text)[1]})
    return Document(path, text, content)


def find_lines(text: str) -> dict[str, int]:
    """Find the line of every value of a JSON text, from 1, by its path; a key and its value count as one.

    >>> find_lines('{\\n "A": [1,\\n  {"B": 2}]}')
    {'$': 1, '$.A': 2, '$.A[0]': 2, '$.A[1]': 3, '$.A[1].B': 3}
    """
    return _scan(text)[0]


def _scan(text: str) -> tuple[dict[str, int], list[Problem]]:
    """Find the line of every value, and the keys that one object has twice."""
    lines: dict[str, int] = {}
    repeated: list[Problem] = []
    containers: list[_Container] = []
    line, passed, key_path = 1, 0, None
    for token in _TOKEN.finditer(text):
        word = token[0]
        line += text.count("\n", passed, token.start())
        passed = token.start()
        inner = containers[-1] if containers else None
        if word in (":", ","):
            if word == "," and inner is not None:
                inner.position += 1
        elif word in ("]", "}"):
            containers.pop()
            key_path = None
        elif inner is not None and inner.keys is not None and key_path is None:
            key = json.loads(word)
            key_path = f"{inner.path}.{key}"
            if key in inner.keys:
                text_of_problem = f"the key {key!r} is on line {inner.keys[key]} already; expected once. Remove one."
                repeated.append(Problem(key_path, text_of_problem, line))
            inner.keys.setdefault(key, line)
            lines[key_path] = line
        else:
            if key_path is not None:
                path, key_path = key_path, None
            else:
                path = "$" if inner is None else f"{inner.path}[{inner.position}]"
                lines[path] = line
            if word in ("[", "{"):
                containers.append(_Container(path, keys=None if word == "[" else {}))
    return lines, repeated


def _read_text(path: Path, what: str) -> str:
    try:
        expect_no_pipe(path)
        content = path.read_bytes()
    except FileNotFoundError:
        _refuse(path, f"no such file; expected {what}. Check the path, upper and lower case too.")
    except OSError as error:
        _refuse(path, f"could not be read: {error.strerror}; expected {what}. Check the file and its permissions.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse(path, f"it is not UTF-8 text; expected {what} in UTF-8. Save the file as UTF-8.", line)
    if "\0" in text:
        _refuse(path, f"it is not UTF-8 text; expected {what} in UTF-8. Save the file as UTF-8.", 1)
    if text.startswith(_BYTE_ORDER_MARK):
        _refuse(path, "begins with a byte order mark; expected plain UTF-8. Save the file as UTF-8 without BOM.", 1)
    return text


def _explain(text: str, error: json.JSONDecodeError, what: str) -> str:
    """Explain why a text is not JSON, from where the reader stopped; shows at most one character of it."""
    rest, before = text[error.pos :], text[: error.pos].rstrip()
    found = rest[:1]
    if not text.strip():
        return f"the file is empty; expected {what}. Write it, or restore the file."
    if rest.startswith(_MERGE_MARKS):
        return f"a mark that a merge left behind; expected {what}. Choose one of the two versions and remove the marks."
    if not found:
        return f"the file ends too early; expected that every bracket is closed. {_REMEDY}"
    # Python 3.13 stops at the comma, and those before it after the comma.
    if (found in "}]" and before.endswith(",")) or re.match(r",\s*[}\]]", rest):
        return "a comma after the last entry; expected none there. Remove the comma."
    if found in "'\u2018\u2019\u201c\u201d\u00ab\u00bb":
        return f'the quotation mark {found}; expected the straight double one. Write it as ".'
    if rest.startswith(("//", "/*", "#")):
        return "a comment; JSON has none. Remove it."
    word = re.match(r"\w*", rest)[0]  # type: ignore[index]  # it matches nothing at least
    if word in _PYTHON_WORDS:
        return f"{word} as Python writes it; expected {_PYTHON_WORDS[word]}. Change it."
    if error.msg.startswith(("Unterminated string", "Invalid control character")):
        return "a text that does not end on its line; expected a double quotation mark at its end. Add it."
    if error.msg.startswith("Invalid \\"):
        return "a backslash that JSON does not know; expected two of them for one. Write \\\\."
    if error.msg.startswith("Extra data"):
        return f"the character {found!r} after the end; expected nothing behind the last bracket. {_REMEDY}"
    if error.msg.startswith(_NO_COMMA):
        return "no comma after this entry; expected one before the next, or a closing bracket. Add it."
    if error.msg.startswith("Expecting ':' delimiter"):
        return f"the character {found!r}; expected a colon after a key. {_REMEDY}"
    if error.msg.startswith("Expecting property name"):
        return f"the character {found!r}; expected a key in double quotation marks. {_REMEDY}"
    return f"the character {found!r}; expected a value: a text in double quotation marks, a number, true, false, [ or {{. {_REMEDY}"


def _place_of(text: str, error: json.JSONDecodeError) -> tuple[int, int]:
    """Locate a mistake by line and column: the surplus comma, or the end of the entry that lacks one."""
    before, rest = text[: error.pos].rstrip(), text[error.pos :]
    if rest and (error.msg.startswith(_NO_COMMA) or (rest[0] in "}]" and before.endswith(","))):
        return before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    return error.lineno, error.colno


def _refuse_half_characters(path: Path, text: str) -> None:
    """Refuse escapes that name half of a character, which can't be written to a file."""
    problems = []
    for token in _TOKEN.finditer(text):
        try:
            json.loads(token[0]).encode() if token[0].startswith('"') else None
        except UnicodeEncodeError:
            line = text.count("\n", 0, token.start()) + 1
            problems.append(
                Problem(
                    None, "half of a character, like \\ud83d alone; expected whole ones. Type the text again.", line
                )
            )
    if problems:
        raise ProblemsError({path: problems})


def _refuse_constant(name: str) -> NoReturn:
    raise _OddNumberError(name)


def _refuse(path: Path, text: str, line: int | None = None, column: int | None = None) -> NoReturn:
    raise ProblemsError({path: [Problem(None, text, line, column)]})
