"""Read bash scripts as text: assignments, loops over lists, and the commands in them. Nothing is run."""

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_HEREDOC: Final = re.compile(r"<<-?\s*(['\"]?)(\w+)\1[^\n]*\n.*?^\s*\2\s*$", re.DOTALL | re.MULTILINE)
_ASSIGNMENT: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<more>\+?)=(?P<value>.*)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:\[[@*]\])?(?::?-(?P<default>[^}]*))?\})")
_PUNCTUATION: Final = "();<>|&"
_DECLARATIONS: Final = frozenset({"declare", "local", "export", "readonly", "typeset"})
_MOST_ALTERNATIVES: Final = 200
# Loops in loops multiply; no script downloads as many datasets.
_MOST_COMMANDS: Final = 2_000


@dataclass(frozen=True)
class ScriptCommand:
    """A command of a script with its variables filled in; a variable that nobody knows still has its `$`.

    `body` are all words of the innermost loop around it, with the same values filled in.
    """

    line: int
    words: tuple[str, ...]
    body: tuple[str, ...]


@dataclass(frozen=True)
class _Statement:
    line: int
    words: tuple[str, ...]


def read_commands(text: str) -> list[ScriptCommand]:
    """Read the commands of a script in order; those in a loop once for each of its words."""
    statements = list(_split_statements(text))
    return list(itertools.islice(_walk(statements, {}), _MOST_COMMANDS))


def _split_statements(text: str) -> Iterator[_Statement]:
    text = _HEREDOC.sub(lambda match: "\n" * match[0].count("\n"), text)
    waiting, first, is_array = "", 0, False
    words: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        waiting, first = (f"{waiting}\n{line}", first) if waiting else (line, number)
        if waiting.endswith("\\"):
            # A command that goes on in the next line.
            waiting = waiting[:-1] or " "
            continue
        try:
            parts = _split_words(waiting)
        except ValueError:
            # A quotation that goes on in the next line.
            continue
        waiting = ""
        for part in [*parts, "\n"]:
            opens_array = part == "(" and words and _ASSIGNMENT.fullmatch(words[-1]) and words[-1].endswith("=")
            is_array = (is_array or bool(opens_array)) and part != ")"
            if is_array and part == "\n":
                continue
            if part in ("\n", ";", "&", "|", "do", "then", "else", "{", "}"):
                if words:
                    yield _Statement(first, tuple(words))
                words = []
                if part == "else":
                    yield _Statement(first, (part,))
            else:
                words.append(part)


def _split_words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in lexer:
        words.extend(token if token and set(token) <= set(_PUNCTUATION) else [token])
    return words


_Values = dict[str, list[str]]


def _walk(statements: Sequence[_Statement], values: _Values) -> Iterator[ScriptCommand]:
    """Yield the commands. Branches of an `if` add to the values that a variable had before."""
    position, depth = 0, 0
    while position < len(statements):
        statement = statements[position]
        words = statement.words
        position += 1
        if words[0] in ("if", "case"):
            depth += 1
            words = words[1:]
        elif words[0] in ("fi", "esac"):
            depth -= 1
            words = words[1:]
        elif words[0] in ("for", "while", "until", "select"):
            end = _end_of_loop(statements, position)
            body = statements[position:end]
            position = end + 1
            yield from _walk_loop(words, body, values)
            continue
        while (
            words and words[0] in (*_DECLARATIONS, "elif", "!", "time") or len(words) > 1 and words[0].startswith("-")
        ):
            words = words[1:]
        if not words:
            continue
        assigned = _assign(words, values, in_branch=depth > 0)
        if not assigned:
            for variant in _fill_all(words, values):
                yield ScriptCommand(statement.line, variant, variant)


def _end_of_loop(statements: Sequence[_Statement], start: int) -> int:
    depth = 1
    for position in range(start, len(statements)):
        first = statements[position].words[0]
        depth += (first in ("for", "while", "until", "select")) - (first == "done")
        if depth == 0:
            return position
    return len(statements)


def _walk_loop(words: Sequence[str], body: Sequence[_Statement], values: _Values) -> Iterator[ScriptCommand]:
    if words[0] != "for" or len(words) < 4 or words[2] != "in":
        yield from _walk(body, values)
        return
    all_words = [word for statement in body for word in statement.words]
    for item in [filled for word in words[3:] for filled in _fill(word, values)]:
        inner = {**values, words[1]: [item]}
        commands = list(itertools.islice(_walk(body, inner), _MOST_COMMANDS))
        filled = tuple(filled for word in all_words for filled in _fill(word, inner))
        for command in commands:
            yield ScriptCommand(command.line, command.words, filled)


def _assign(words: Sequence[str], values: _Values, in_branch: bool) -> bool:
    """Follow `NAME=value` and `NAME=(a b)`; false for anything else."""
    match = _ASSIGNMENT.fullmatch(words[0])
    if match is None or match["value"] == "$":
        # NAME=$( … ): what a command says. The command in it is one of the script's.
        return False
    if match["value"] == "" and len(words) > 1 and words[1] == "(":
        found = [filled for word in words[2:] if word != ")" for filled in _fill(word, values)]
    elif len(words) > 1:
        return False
    else:
        found = _fill(match["value"], values)
    keeps = bool(match["more"]) or in_branch
    before = values.get(match["name"], []) if keeps else []
    values[match["name"]] = list(dict.fromkeys([*before, *found]))[:_MOST_ALTERNATIVES]
    return True


def _fill(word: str, values: Mapping[str, list[str]]) -> list[str]:
    """Fill a word's variables in, once for each of their values."""
    names = list(dict.fromkeys(match["plain"] or match["name"] for match in _VARIABLE.finditer(word)))
    known = [name for name in names if values.get(name)]
    filled = []
    for choice in itertools.islice(itertools.product(*(values[name] for name in known)), _MOST_ALTERNATIVES):
        chosen = dict(zip(known, choice, strict=True))
        filled.append(_VARIABLE.sub(lambda match, chosen=chosen: _value_of(match, chosen), word))  # type: ignore[misc]
    return filled


def _value_of(match: re.Match[str], chosen: Mapping[str, str]) -> str:
    name = match["plain"] or match["name"]
    return chosen.get(name, match[0] if match["default"] is None else match["default"])


def _fill_all(words: Sequence[str], values: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Fill all words of a command in, with one value of each variable at a time."""
    names = {match["plain"] or match["name"] for word in words for match in _VARIABLE.finditer(word)}
    known = sorted(name for name in names if values.get(name))
    for choice in itertools.islice(itertools.product(*(values[name] for name in known)), _MOST_ALTERNATIVES):
        chosen = {name: [value] for name, value in zip(known, choice, strict=True)}
        yield tuple(_fill(word, chosen)[0] for word in words)
