"""Values of an earlier project's Python, as far as they can be known without running it.

Texts, numbers, lists, tuples and dictionaries are Python's own. The classes below stand for the rest.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

# Tells a name that is None from a name that is not there.
MISSING: Final = object()


@dataclass(frozen=True, eq=False)
class Unknown:
    """A value that can't be read from the source; `what` says why, `file` is relative to the old folder.

    `is_whole_file` if nothing of the file can be read.
    """

    file: str
    line: int
    what: str
    is_whole_file: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Foreign:
    """A name of a library, or of a module that the old folder lacks."""

    name: str

    @property
    def last(self) -> str:
        """Return the last part of the name.

        >>> Foreign("core_data_modules.cleaners.Codes").last
        'Codes'
        """
        return self.name.rpartition(".")[2]


@dataclass(eq=False)
class Scope:
    """Names of a module, a class body or a function.

    `guesses` are foreign modules that were imported with a star; `fields` are names that a class body annotates.
    """

    file: str
    names: dict[str, object] = field(default_factory=dict)
    outer: "Scope | None" = None
    guesses: list[str] = field(default_factory=list)
    is_class: bool = False
    fields: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class PythonModule:
    """A file of the old folder that was read."""

    name: str
    scope: Scope


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the old folder, or a lambda; `owner` is the class of a class method."""

    name: str
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: tuple[object, ...] = ()
    keyword_defaults: tuple[object, ...] = ()
    owner: "PythonClass | None" = None

    @property
    def file(self) -> str:
        """Return its file, relative to the old folder."""
        return self.scope.file

    @property
    def line(self) -> int:
        """Return the line where it begins."""
        return self.node.lineno

    @property
    def is_class_method(self) -> bool:
        """Check if the class is its first argument."""
        return any(isinstance(mark, ast.Name) and mark.id == "classmethod" for mark in self._marks())

    @property
    def is_static(self) -> bool:
        """Check if neither class nor instance is its first argument."""
        return any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in self._marks())

    def _marks(self) -> list[ast.expr]:
        return [] if isinstance(self.node, ast.Lambda) else self.node.decorator_list


@dataclass(frozen=True, eq=False)
class PythonClass:
    """A class of the old folder."""

    name: str
    file: str
    line: int
    scope: Scope
    bases: tuple[object, ...] = ()

    def find(self, name: str, depth: int = 20) -> object:
        """Find a member, its own or a base class's; `MISSING` if there is none."""
        if name in self.scope.names:
            return self.scope.names[name]
        for base in self.bases if depth else ():
            found = base.find(name, depth - 1) if isinstance(base, PythonClass) else MISSING
            if found is not MISSING:
                return found
        return MISSING

    def fields(self, depth: int = 20) -> list[str]:
        """List the fields of a dataclass in order, those of its base classes first."""
        bases = [base for base in self.bases if isinstance(base, PythonClass)] if depth else []
        inherited = [name for base in reversed(bases) for name in base.fields(depth - 1)]
        return list(dict.fromkeys([*inherited, *self.scope.fields]))


@dataclass(frozen=True, eq=False)
class Call:
    """A call that is kept as it is: of a class, of a library's function, or of a method of such a call.

    `name` is the last part of `full_name`. `keywords` has arguments by position too, where the class of the old folder says
    their names; `defaults` has what its `__init__` says of the others.
    """

    name: str
    arguments: tuple[object, ...]
    keywords: dict[str, object]
    file: str
    line: int
    full_name: str = ""
    owner: object = None
    defaults: dict[str, object] = field(default_factory=dict)
    made_by: PythonClass | None = None

    def get(self, keyword: str, otherwise: object = None) -> object:
        """Return an argument by its keyword, else the class's default, else `otherwise`."""
        return self.keywords.get(keyword, self.defaults.get(keyword, otherwise))

    def inside(self) -> Iterator["Call"]:
        """Yield this call and the calls among its arguments and its owner, however deep."""
        waiting: list[object] = [self]
        while waiting:
            value = waiting.pop()
            if isinstance(value, Call):
                yield value
                waiting += [value.owner, *value.arguments, *value.keywords.values()]
            elif isinstance(value, Member):
                waiting.append(value.owner)
            elif isinstance(value, list | tuple):
                waiting += value


@dataclass(frozen=True, eq=False)
class Member:
    """An attribute of a value that is only known as a call, like a method of a code scheme."""

    owner: object
    name: str


def find_unknown(value: object) -> Unknown | None:
    """Find the first value that can't be read in a call, its arguments and its owner, however deep."""
    waiting, seen = [value], set[int]()
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, Unknown):
            return value
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Call):
            waiting += [*value.arguments, *value.keywords.values(), value.owner]
        elif isinstance(value, Member):
            waiting.append(value.owner)
        elif isinstance(value, list | tuple):
            waiting += value
    return None
