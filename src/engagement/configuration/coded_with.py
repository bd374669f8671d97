"""Conditions on participants' codes: "s01e01:water and not (gender:man or age:5..17)"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engagement.configuration.code_schemes import Code, CodeScheme

_TOKEN = re.compile(r"\s*(?:(?P<bracket>[()])|'(?P<quoted>[^']*)'|(?P<word>[^\s()']+))")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
_WHOLE_NUMBER = re.compile(r"-?\d+")
# Brackets within brackets: nobody writes more, and each level is a call.
_DEEPEST = 20


@dataclass(frozen=True)
class CodeTerm:
    """A code of a dataset, or numbers from one to another: "age:18..35"."""

    dataset: str
    code: str

    def means(self, code: Code) -> bool:
        """Tell whether it means a code of the dataset's scheme.

        >>> CodeTerm("age", "18..35").means(Code.model_construct(string_value="20"))
        True
        """
        limits = _RANGE.fullmatch(self.code)
        if limits is None or code.string_value == self.code:
            return code.string_value == self.code
        number = _WHOLE_NUMBER.fullmatch(code.string_value)
        return number is not None and int(limits[1]) <= int(number[0]) <= int(limits[2])

    def is_in(self, scheme: CodeScheme) -> bool:
        """Tell whether it means any code of a scheme."""
        return any(map(self.means, scheme.codes))


@dataclass(frozen=True)
class AllOf:
    """Every one of some conditions holds."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of some conditions holds."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """A condition does not hold."""

    condition: "Condition"


type Condition = CodeTerm | AllOf | AnyOf | Not


def parse_condition(text: str) -> Condition:
    """Read a condition; "not" binds closest, then "and", then "or".

    >>> parse_condition("a:1 or b:2 and not c:3")
    ... # doctest: +NORMALIZE_WHITESPACE
    AnyOf(conditions=(CodeTerm(dataset='a', code='1'),
    AllOf(conditions=(CodeTerm(dataset='b', code='2'), Not(condition=CodeTerm(dataset='c', code='3'))))))

    Raises
    ------
    ValueError
        It is none; the text says what was expected.
    """
    reader = _Reader(text)
    condition = reader.read_any(0)
    if reader.next is not None:
        raise ValueError(f"expected 'and', 'or' or the end before {reader.next[1]!r}")
    return condition


def terms_of(condition: Condition) -> Iterator[CodeTerm]:
    """List the codes that a condition names, in order."""
    if isinstance(condition, CodeTerm):
        yield condition
    elif isinstance(condition, Not):
        yield from terms_of(condition.condition)
    else:
        for part in condition.conditions:
            yield from terms_of(part)


class _Reader:
    """Reads tokens one by one; `next` is the kind and the text of the next one, None at the end."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._place = 0
        self.next: tuple[str, str] | None = None
        self._advance()

    def _advance(self) -> None:
        if self._place == len(self._text):
            self.next = None
            return
        found = _TOKEN.match(self._text, self._place)
        if found is None:
            raise ValueError("expected a second ' behind the first")
        self._place = found.end()
        kind = str(found.lastgroup)
        self.next = kind, found[kind]

    def _take(self, kind: str, text: str) -> bool:
        is_next = self.next == (kind, text)
        if is_next:
            self._advance()
        return is_next

    def read_any(self, depth: int) -> Condition:
        found = [self._read_all(depth)]
        while self._take("word", "or"):
            found.append(self._read_all(depth))
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _read_all(self, depth: int) -> Condition:
        found = [self._read_one(depth)]
        while self._take("word", "and"):
            found.append(self._read_one(depth))
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def _read_one(self, depth: int) -> Condition:
        is_negated = False
        while self._take("word", "not"):
            is_negated = not is_negated
        condition = self._read_term(depth)
        return Not(condition) if is_negated else condition

    def _read_term(self, depth: int) -> Condition:
        if self._take("bracket", "("):
            if depth == _DEEPEST:
                raise ValueError(f"expected {_DEEPEST} brackets within brackets at most")
            condition = self.read_any(depth + 1)
            if not self._take("bracket", ")"):
                raise ValueError("expected a closing bracket for each opening one")
            return condition
        if self.next is None:
            raise ValueError("expected '<dataset>:<code>' at the end")
        kind, text = self.next
        dataset, colon, code = text.partition(":")
        if kind == "bracket" or not (dataset and colon and code):
            raise ValueError(f"expected '<dataset>:<code>' where {text!r} stands")
        self._advance()
        return CodeTerm(dataset, code)
