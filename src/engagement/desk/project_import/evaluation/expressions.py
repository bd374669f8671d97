"""Work out expressions of an earlier project's Python from their syntax; nothing is run."""

import ast
import builtins
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from engagement.desk.project_import.evaluation.known_functions import (
    KNOWN_FUNCTIONS,
    NotKnownError,
    call_known,
    call_method,
)
from engagement.desk.project_import.evaluation.path_values import PathText
from engagement.desk.project_import.evaluation.python_values import (
    MISSING,
    Call,
    Foreign,
    Function,
    Member,
    PythonClass,
    PythonModule,
    Scope,
    Unknown,
)
from engagement.foundation.errors import ConfigurationError

_MOST_STEPS: Final = 300_000
_SETTINGS: Final[Mapping[str, object]] = {"os.pardir": "..", "os.curdir": ".", "os.sep": "/", "os.path.sep": "/"}
_PLAIN: Final = (str, int, float, bool, list, tuple, dict, set, Foreign, type(None))


class TooLongError(ConfigurationError):
    """The file does more than the plans of a project ever do, perhaps without end."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__(f"{file}:{line}: more than {_MOST_STEPS:,} steps, as in a loop without end")
        self.file, self.line = file, line


class Expressions(ABC):
    """Works out names, attributes and calls; subclasses know the functions and modules.

    `given` has values of names and attributes that only a run would know, like `pipeline_name`.
    """

    def __init__(self, given: Mapping[str, object]) -> None:
        self.given = given
        self.steps = 0

    @abstractmethod
    def call_function(self, function: Function, arguments: list[Any], keywords: dict[str, Any], line: int) -> object:
        """Work out a call of a function of the old folder."""

    @abstractmethod
    def find_in_module(self, module: PythonModule, name: str) -> object:
        """Find a name of a module, or a module below it; `MISSING` if there is none."""

    def evaluate(self, node: ast.expr, scope: Scope) -> Any:
        """Work out an expression; what can't be read gives an `Unknown` that says why."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooLongError(scope.file, node.lineno)
        method = getattr(self, f"_evaluate_{type(node).__name__.lower()}", None)
        if method is None:
            return Unknown(scope.file, node.lineno, f"`{shown(node)}` is not read")
        try:
            return method(node, scope)
        except NotKnownError as error:
            return Unknown(scope.file, node.lineno, f"`{shown(node)}`: {error}")

    def find_name(self, name: str, scope: Scope) -> object:
        """Find a name as Python does; `MISSING` if it is nowhere."""
        place: Scope | None = scope
        while place is not None:
            # A class body's names are not seen from the functions in it.
            if name in place.names and (place is scope or not place.is_class):
                return place.names[name]
            # A module that was imported with a star hides no function of Python's own.
            if place.outer is None and place.guesses and not hasattr(builtins, name):
                return Foreign(f"{place.guesses[-1]}.{name}")
            place = place.outer
        return self.given.get(name, MISSING)

    def get_attribute(self, owner: Any, name: str, file: str, line: int) -> Any:
        """Return an attribute of a value."""
        if isinstance(owner, PythonModule):
            found = self.find_in_module(owner, name)
        elif isinstance(owner, PythonClass):
            found = owner.find(name)
            if isinstance(found, Function) and found.is_class_method:
                return Function(found.name, found.node, found.scope, found.defaults, found.keyword_defaults, owner)
        elif isinstance(owner, Foreign):
            return _SETTINGS.get(f"{owner.name}.{name}", Foreign(f"{owner.name}.{name}"))
        elif isinstance(owner, PathText):
            value = owner.attribute(name)
            return Member(owner, name) if value is MISSING else value
        elif isinstance(owner, Call) and (value := owner.get(name, MISSING)) is not MISSING:
            # A configuration that was read from JSON: its own name is known, though its file is not opened.
            return self.given[name] if name in self.given and isinstance(value, Unknown | Call | Member) else value
        elif name in self.given and not isinstance(owner, _PLAIN):
            return self.given[name]
        else:
            return owner if isinstance(owner, Unknown) else Member(owner, name)
        return Unknown(file, line, f"{owner.name!r} has no {name!r}") if found is MISSING else found

    def call(self, function: Any, arguments: list[Any], keywords: dict[str, Any], file: str, line: int) -> Any:
        """Work out a call of a value, or keep it as a `Call`."""
        if isinstance(function, Unknown):
            return function
        if isinstance(function, Foreign):
            if function.name in ("getattr", "map", "filter") and len(arguments) >= 2:
                return self._call_by_value(function.name, arguments, file, line)
            if function.name in KNOWN_FUNCTIONS:
                unknown = [value for value in (*arguments, *keywords.values()) if isinstance(value, Unknown)]
                return unknown[0] if unknown else call_known(function, arguments, keywords)
            return Call(function.last, tuple(arguments), keywords, file, line, function.name)
        if isinstance(function, Function):
            return self.call_function(function, arguments, keywords, line)
        if isinstance(function, PythonClass):
            return self._construct(function, arguments, keywords, file, line)
        if isinstance(function, Member):
            if isinstance(function.owner, PathText):
                made = function.owner.call(function.name, arguments)
                if made is MISSING:
                    return Call(function.name, (str(function.owner),), keywords, file, line, function.name)
                return made
            if isinstance(function.owner, str | list | tuple | dict | set):
                return call_method(function.owner, function.name, arguments, keywords)
            return Call(function.name, tuple(arguments), keywords, file, line, function.name, function.owner)
        if isinstance(function, Call) and function.full_name == "functools.partial" and function.arguments:
            given = [*function.arguments[1:], *arguments]
            return self.call(function.arguments[0], given, {**function.keywords, **keywords}, file, line)
        return Unknown(file, line, "a call of something that can't be read")

    def _call_by_value(self, name: str, arguments: list[Any], file: str, line: int) -> Any:
        """Work out a function of Python's own that takes a function, or the name of an attribute."""
        if name == "getattr":
            if not isinstance(arguments[1], str):
                raise NotKnownError("the name of an attribute can't be read")
            return self.get_attribute(arguments[0], arguments[1], file, line)
        items = self.items_of(arguments[1])
        if name == "map" and len(arguments) == 2:
            return [self.call(arguments[0], [item], {}, file, line) for item in items]
        holds = [self.is_true(self.call(arguments[0], [item], {}, file, line)) for item in items]
        if name == "map" or None in holds:
            raise NotKnownError("a condition can't be known")
        return [item for item, is_kept in zip(items, holds, strict=True) if is_kept]

    def is_true(self, value: Any) -> bool | None:
        """Tell if a value counts as true; None where that can't be known."""
        if isinstance(value, Function | PythonClass | PythonModule):
            return True
        if isinstance(value, Foreign):
            # A class is true; a library's function or setting may be anything.
            return True if value.last[:1].isupper() and not value.last.isupper() else None
        if isinstance(value, Call):
            return True if value.made_by is not None or value.name[:1].isupper() else None
        return None if isinstance(value, Unknown | Member) else bool(value)

    def _construct(
        self, made: PythonClass, arguments: list[Any], keywords: dict[str, Any], file: str, line: int
    ) -> Call:
        """Keep a call of a class, with the names and the defaults that its `__init__` gives to the arguments."""
        start = made.find("__init__")
        defaults: dict[str, object] = {}
        if not isinstance(start, Function):
            # A dataclass or a NamedTuple.
            defaults = {name: default_of(value) for name in made.fields() if (value := made.find(name)) is not MISSING}
            keywords = {**dict(zip(made.fields(), arguments, strict=False)), **keywords}
            arguments = arguments[len(made.fields()) :]
        elif not isinstance(start.node, ast.Lambda):
            given = start.node.args
            names = [argument.arg for argument in [*given.posonlyargs, *given.args]]
            defaults = dict(zip(names[len(names) - len(start.defaults) :], start.defaults, strict=False))
            defaults |= {
                argument.arg: value
                for argument, value in zip(given.kwonlyargs, start.keyword_defaults, strict=False)
                if value is not MISSING
            }
            keywords = {**dict(zip(names[1:], arguments, strict=False)), **keywords}
            arguments = arguments[len(names) - 1 :]
        return Call(made.name, tuple(arguments), keywords, file, line, made.name, None, defaults, made)

    # One method for each kind of syntax, found by its name.

    def _evaluate_constant(self, node: ast.Constant, scope: Scope) -> object:
        return node.value

    def _evaluate_name(self, node: ast.Name, scope: Scope) -> object:
        found = self.find_name(node.id, scope)
        if found is not MISSING:
            return found
        if hasattr(builtins, node.id):
            return Foreign(node.id)
        return Unknown(scope.file, node.lineno, f"the name {node.id!r} is defined nowhere")

    def _evaluate_attribute(self, node: ast.Attribute, scope: Scope) -> object:
        return self.get_attribute(self.evaluate(node.value, scope), node.attr, scope.file, node.lineno)

    def _evaluate_call(self, node: ast.Call, scope: Scope) -> object:
        function = self.evaluate(node.func, scope)
        arguments: list[Any] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                arguments += self.items_of(self.evaluate(argument.value, scope))
            else:
                arguments.append(self.evaluate(argument, scope))
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, scope)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            elif isinstance(value, dict):
                keywords.update(value)
            else:
                raise NotKnownError("arguments that can't be read")
        return self.call(function, arguments, keywords, scope.file, node.lineno)

    def _evaluate_lambda(self, node: ast.Lambda, scope: Scope) -> Function:
        return self.make_function("<lambda>", node, scope)

    def make_function(
        self, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
    ) -> Function:
        """Make a function of its definition; its defaults are worked out now, as Python does."""
        defaults = tuple(self.evaluate(value, scope) for value in node.args.defaults)
        keyword_defaults = tuple(
            MISSING if value is None else self.evaluate(value, scope) for value in node.args.kw_defaults
        )
        return Function(name, node, scope, defaults, keyword_defaults)

    def items_of(self, value: Any) -> list[Any]:
        """Return the items of a list, as far as it is one."""
        if isinstance(value, list | tuple | set | dict | str):
            return list(value)
        if isinstance(value, Unknown):
            raise NotKnownError(f"a list that can't be read ({value})")
        raise NotKnownError("a list that can't be read")


def default_of(value: object) -> object:
    """Return the default of a dataclass's field, which may be a call of `field(…)`."""
    if not isinstance(value, Call) or value.name != "field":
        return value
    made = value.get("default_factory")
    is_list = isinstance(made, Foreign) and made.name == "list"
    return [] if is_list else value.get("default")


def shown(node: ast.AST) -> str:
    """Write a piece of source on one short line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
