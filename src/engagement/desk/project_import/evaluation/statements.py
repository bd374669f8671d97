"""Follow the statements of an earlier project's Python from their syntax; nothing is run."""

import ast
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from engagement.desk.project_import.evaluation.compound_expressions import CompoundExpressions
from engagement.desk.project_import.evaluation.expressions import TooLongError, shown
from engagement.desk.project_import.evaluation.known_functions import MOST_ITEMS, NotKnownError
from engagement.desk.project_import.evaluation.python_values import MISSING, Function, PythonClass, Scope, Unknown

_DEEPEST: Final = 40
_CHANGING: Final = {"append", "extend", "insert", "update", "add", "remove", "pop", "clear", "setdefault", "reverse"}


class _ReturnError(Exception):
    """A function's end, with what it returns."""

    def __init__(self, value: object) -> None:
        self.value = value


class _BreakError(Exception):
    """`break`."""


class _ContinueError(Exception):
    """`continue`."""


class _EndError(Exception):
    """`raise`, or an assertion that does not hold."""

    def __init__(self, value: Unknown) -> None:
        self.value = value


class Statements(CompoundExpressions):
    """Statements, and calls of functions."""

    depth = 0

    @abstractmethod
    def import_names(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        """Give a scope the names that an import brings."""

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> Unknown | None:
        """Follow a module's statements; returns the reason where they end before the last one."""
        try:
            self._follow(body, scope)
        except _EndError as end:
            return end.value
        except (_ReturnError, _BreakError, _ContinueError):
            return None
        return None

    def call_function(self, function: Function, arguments: list[Any], keywords: dict[str, Any], line: int) -> object:
        """Work out a call: its value, or an `Unknown` that says which line of the function can't be read."""
        if self.depth >= _DEEPEST:
            raise TooLongError(function.file, function.line)
        scope = Scope(function.file, outer=function.scope)
        if function.owner is not None:
            arguments = [function.owner, *arguments]
        reason = _bind(function, arguments, keywords, scope)
        if reason is not None:
            return Unknown(function.file, line, reason)
        self.depth += 1
        try:
            if isinstance(function.node, ast.Lambda):
                return self.evaluate(function.node.body, scope)
            if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) for node in ast.walk(function.node)):
                return Unknown(function.file, function.line, f"{function.name}() is a generator, which is not read")
            self._follow(function.node.body, scope)
        except _ReturnError as end:
            return end.value
        except _EndError as end:
            return end.value
        finally:
            self.depth -= 1
        return None

    def _follow(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        for node in body:
            self.steps += 1
            method = getattr(self, f"_follow_{type(node).__name__.lower()}", None)
            if method is not None:
                try:
                    method(node, scope)
                except NotKnownError as error:
                    self._spoil([node], scope, str(error), node.lineno)

    def _spoil(self, body: Sequence[ast.stmt], scope: Scope, why: str, line: int) -> None:
        """Make unknown what statements that can't be followed would change."""
        unknown = Unknown(scope.file, line, why)
        for node in (inner for statement in body for inner in ast.walk(statement)):
            if isinstance(node, ast.Return):
                raise _ReturnError(unknown)
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
                self.assign(node, unknown, scope)
            elif isinstance(node, ast.AugAssign):
                self._add_unknown(node.target, unknown, scope)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                scope.names[node.name] = unknown
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
                self._add_unknown(node.func.value, unknown, scope)

    def _add_unknown(self, target: ast.expr, unknown: Unknown, scope: Scope) -> None:
        name = ast.parse(ast.unparse(target), mode="eval").body
        value = self.evaluate(name, scope)
        if isinstance(value, list):
            value.append(unknown)
        elif isinstance(value, dict):
            value[unknown] = unknown

    # One method for each kind of statement, found by its name. `pass`, `global` and the like need none.

    def _follow_expr(self, node: ast.Expr, scope: Scope) -> None:
        value = self.evaluate(node.value, scope)
        if isinstance(value, Unknown):
            self._spoil([node], scope, value.what, value.line)

    def _follow_assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.evaluate(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _follow_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if scope.is_class and isinstance(node.target, ast.Name):
            scope.fields.append(node.target.id)
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, scope), scope)

    def _follow_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        before = self.evaluate(ast.parse(ast.unparse(node.target), mode="eval").body, scope)
        added = self.evaluate(node.value, scope)
        if isinstance(before, list) and isinstance(node.op, ast.Add):
            # As Python does: the list itself grows, under all its names.
            before += list(added) if isinstance(added, list | tuple) else [_unread(added, scope, node)]
            if len(before) > MOST_ITEMS:
                raise TooLongError(scope.file, node.lineno)
        else:
            before = self.operate(node.op, before, added)
        self.assign(node.target, before, scope)

    def _follow_functiondef(self, node: ast.FunctionDef, scope: Scope) -> None:
        scope.names[node.name] = self.make_function(node.name, node, scope)

    def _follow_classdef(self, node: ast.ClassDef, scope: Scope) -> None:
        inner = Scope(scope.file, outer=scope, is_class=True)
        bases = tuple(self.evaluate(base, scope) for base in node.bases)
        made = PythonClass(node.name, scope.file, node.lineno, inner, bases)
        self._follow(node.body, inner)
        scope.names[node.name] = made

    def _follow_import(self, node: ast.Import, scope: Scope) -> None:
        self.import_names(node, scope)

    def _follow_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        self.import_names(node, scope)

    def _follow_if(self, node: ast.If, scope: Scope) -> None:
        holds = self.is_true(self.evaluate(node.test, scope))
        if holds is None:
            why = f"depends on `{shown(node.test)}`, which only a run knows"
            self._spoil([*node.body, *node.orelse], scope, why, node.lineno)
        else:
            self._follow(node.body if holds else node.orelse, scope)

    def _follow_for(self, node: ast.For, scope: Scope) -> None:
        for item in self.items_of(self.evaluate(node.iter, scope)):
            self.assign(node.target, item, scope)
            if not self._follow_once(node.body, scope):
                return
        self._follow(node.orelse, scope)

    def _follow_while(self, node: ast.While, scope: Scope) -> None:
        while True:
            # A loop's test may be a constant, so that no step is counted there.
            self.steps += 1
            holds = self.is_true(self.evaluate(node.test, scope))
            if holds is None:
                raise NotKnownError(f"depends on `{shown(node.test)}`, which only a run knows")
            if not holds:
                break
            if not self._follow_once(node.body, scope):
                return
        self._follow(node.orelse, scope)

    def _follow_once(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Follow the body of a loop once; False if it breaks out."""
        try:
            self._follow(body, scope)
        except _ContinueError:
            return True
        except _BreakError:
            return False
        return True

    def _follow_with(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            value = self.evaluate(item.context_expr, scope)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, scope)
        self._follow(node.body, scope)

    def _follow_try(self, node: ast.Try, scope: Scope) -> None:
        self._follow(node.body, scope)
        self._follow(node.orelse, scope)
        self._follow(node.finalbody, scope)

    def _follow_return(self, node: ast.Return, scope: Scope) -> None:
        raise _ReturnError(None if node.value is None else self.evaluate(node.value, scope))

    def _follow_break(self, node: ast.Break, scope: Scope) -> None:
        raise _BreakError

    def _follow_continue(self, node: ast.Continue, scope: Scope) -> None:
        raise _ContinueError

    def _follow_raise(self, node: ast.Raise, scope: Scope) -> None:
        raise _EndError(Unknown(scope.file, node.lineno, f"`{shown(node)}` is reached"))

    def _follow_assert(self, node: ast.Assert, scope: Scope) -> None:
        if self.is_true(self.evaluate(node.test, scope)) is False:
            raise _EndError(Unknown(scope.file, node.lineno, f"`{shown(node)}` does not hold"))


def _unread(value: object, scope: Scope, node: ast.AugAssign) -> Unknown:
    return value if isinstance(value, Unknown) else Unknown(scope.file, node.lineno, f"`{shown(node)}` is not read")


def _bind(function: Function, arguments: list[Any], keywords: dict[str, Any], scope: Scope) -> str | None:
    """Give a function's parameters their values in `scope`; returns what is wrong with the call."""
    given = function.node.args
    names = [parameter.arg for parameter in [*given.posonlyargs, *given.args]]
    optional = names[len(names) - len(function.defaults) :]
    scope.names.update(zip(optional, function.defaults, strict=True))
    for parameter, value in zip(given.kwonlyargs, function.keyword_defaults, strict=True):
        if value is not MISSING:
            scope.names[parameter.arg] = value
    scope.names.update(zip(names, arguments, strict=False))
    others = {
        name: value for name, value in keywords.items() if name not in {*names, *(a.arg for a in given.kwonlyargs)}
    }
    scope.names.update({name: value for name, value in keywords.items() if name not in others})
    if given.vararg is not None:
        scope.names[given.vararg.arg] = tuple(arguments[len(names) :])
    if given.kwarg is not None:
        scope.names[given.kwarg.arg] = others
    if (len(arguments) > len(names) and given.vararg is None) or (others and given.kwarg is None):
        return f"{function.name}() gets more arguments than it takes"
    missing = [name for name in [*names, *(a.arg for a in given.kwonlyargs)] if name not in scope.names]
    return f"{function.name}() lacks {', '.join(missing)}" if missing else None
