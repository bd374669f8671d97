"""Work out lists, texts, operators and comprehensions of an old project's Python."""

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard

from engagement.desk.project_import.evaluation.expressions import Expressions
from engagement.desk.project_import.evaluation.known_functions import (
    MOST_ITEMS,
    NotKnownError,
    check_size,
    format_value,
)
from engagement.desk.project_import.evaluation.path_values import PathText
from engagement.desk.project_import.evaluation.python_values import (
    Call,
    Foreign,
    Function,
    Member,
    PythonClass,
    PythonModule,
    Scope,
    Unknown,
)

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class CompoundExpressions(Expressions):
    """Expressions that are made of others."""

    def _items(self, nodes: list[ast.expr], scope: Scope) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                found += self.items_of(self.evaluate(node.value, scope))
            else:
                found.append(self.evaluate(node, scope))
        return found

    def _evaluate_list(self, node: ast.List, scope: Scope) -> list[Any]:
        return self._items(node.elts, scope)

    def _evaluate_tuple(self, node: ast.Tuple, scope: Scope) -> tuple[Any, ...]:
        return tuple(self._items(node.elts, scope))

    def _evaluate_set(self, node: ast.Set, scope: Scope) -> set[Any]:
        return _hashed(self._items(node.elts, scope))

    def _evaluate_dict(self, node: ast.Dict, scope: Scope) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            item = self.evaluate(value, scope)
            if key is None:
                if not isinstance(item, dict):
                    raise NotKnownError("a dictionary that can't be read")
                found.update(item)
            else:
                found[next(iter(_hashed([self.evaluate(key, scope)])))] = item
        return found

    def _evaluate_joinedstr(self, node: ast.JoinedStr, scope: Scope) -> str:
        return str(check_size("".join(self._text_of(part, scope) for part in node.values)))

    def _text_of(self, part: ast.expr, scope: Scope) -> str:
        if not isinstance(part, ast.FormattedValue):
            return str(self.evaluate(part, scope))
        specification = self._evaluate_joinedstr(part.format_spec, scope) if _is_text(part.format_spec) else ""
        return format_value(self.evaluate(part.value, scope), specification, part.conversion)

    def _evaluate_ifexp(self, node: ast.IfExp, scope: Scope) -> Any:
        holds = self.is_true(self.evaluate(node.test, scope))
        if holds is None:
            raise NotKnownError("its condition can't be known")
        return self.evaluate(node.body if holds else node.orelse, scope)

    def _evaluate_boolop(self, node: ast.BoolOp, scope: Scope) -> Any:
        stops_at = isinstance(node.op, ast.Or)
        value: Any = None
        for part in node.values:
            value = self.evaluate(part, scope)
            holds = self.is_true(value)
            if holds is None:
                raise NotKnownError("a condition can't be known")
            if holds is stops_at:
                return value
        return value

    def _evaluate_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Any:
        value = self.evaluate(node.operand, scope)
        if isinstance(node.op, ast.Not):
            holds = self.is_true(value)
            if holds is None:
                raise NotKnownError("a condition can't be known")
            return not holds
        if isinstance(node.op, ast.USub) and isinstance(value, int | float):
            return -value
        raise NotKnownError("not a number")

    def _evaluate_binop(self, node: ast.BinOp, scope: Scope) -> Any:
        return self.operate(node.op, self.evaluate(node.left, scope), self.evaluate(node.right, scope))

    def operate(self, sign: ast.operator, left: Any, right: Any) -> Any:
        """Work out an operator of two values."""
        for value in (left, right):
            if isinstance(value, Unknown):
                return value
        if isinstance(sign, ast.Div) and (isinstance(left, PathText) or isinstance(right, PathText)):
            joined = PathText(left).joined(right) if isinstance(left, str) else None
            if joined is not None:
                return joined
        function = _OPERATORS.get(type(sign))
        if function is None or isinstance(left, _KEPT) or isinstance(right, _KEPT):
            raise NotKnownError("this operator of these values is not read")
        if isinstance(sign, ast.Mult) and not _is_small_product(left, right):
            raise NotKnownError(f"longer than {MOST_ITEMS:,} items")
        if isinstance(sign, ast.Mod) and isinstance(left, str):
            return _fill(left, right)
        try:
            return check_size(function(left, right))
        except (TypeError, ValueError, ArithmeticError) as error:
            raise NotKnownError(str(error)) from None

    def _evaluate_compare(self, node: ast.Compare, scope: Scope) -> bool:
        left = self.evaluate(node.left, scope)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(part, scope)
            if not _compare(sign, left, right):
                return False
            left = right
        return True

    def _evaluate_subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        owner, key = self.evaluate(node.value, scope), self._key(node.slice, scope)
        if key == "PipelineName" and "pipeline_name" in self.given and not isinstance(owner, dict):
            return self.given["pipeline_name"]
        if isinstance(owner, Unknown):
            return owner
        try:
            return owner[key]
        except Exception as error:
            raise NotKnownError(f"there is no such item: {type(error).__name__}") from None

    def _key(self, node: ast.expr, scope: Scope) -> Any:
        if not isinstance(node, ast.Slice):
            return self.evaluate(node, scope)
        return slice(*(part and self.evaluate(part, scope) for part in (node.lower, node.upper, node.step)))

    def _evaluate_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Any:
        value = self.evaluate(node.value, scope)
        self.assign(node.target, value, scope)
        return value

    def _evaluate_listcomp(self, node: ast.ListComp, scope: Scope) -> list[Any]:
        return [self.evaluate(node.elt, inner) for inner in self._loops(node.generators, scope)]

    def _evaluate_generatorexp(self, node: ast.GeneratorExp, scope: Scope) -> list[Any]:
        return [self.evaluate(node.elt, inner) for inner in self._loops(node.generators, scope)]

    def _evaluate_setcomp(self, node: ast.SetComp, scope: Scope) -> set[Any]:
        return _hashed([self.evaluate(node.elt, inner) for inner in self._loops(node.generators, scope)])

    def _evaluate_dictcomp(self, node: ast.DictComp, scope: Scope) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for inner in self._loops(node.generators, scope):
            key = next(iter(_hashed([self.evaluate(node.key, inner)])))
            found[key] = self.evaluate(node.value, inner)
        return found

    def _loops(self, loops: list[ast.comprehension], scope: Scope) -> Iterator[Scope]:
        """Yield a scope for each round of a comprehension."""
        first, *rest = loops
        for item in self.items_of(self.evaluate(first.iter, scope)):
            inner = Scope(scope.file, outer=scope)
            self.assign(first.target, item, inner)
            holds = [self.is_true(self.evaluate(test, inner)) for test in first.ifs]
            if None in holds:
                raise NotKnownError("a condition can't be known")
            if all(holds):
                yield from self._loops(rest, inner) if rest else (inner,)

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Give a name, or several, their value."""
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, scope)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value, scope)
            if isinstance(owner, PythonClass):
                owner.scope.names[target.attr] = value
            elif isinstance(owner, Call):
                owner.keywords[target.attr] = value
        elif isinstance(target, ast.Subscript):
            owner, key = self.evaluate(target.value, scope), self._key(target.slice, scope)
            if isinstance(owner, dict):
                owner[next(iter(_hashed([key])))] = value
            elif isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner):
                owner[key] = value

    def _unpack(self, targets: list[ast.expr], value: Any, scope: Scope) -> None:
        items = list(value) if isinstance(value, list | tuple) else []
        has_star = any(isinstance(target, ast.Starred) for target in targets)
        if has_star or len(items) != len(targets):
            line = targets[0].lineno if targets else 0
            items = [Unknown(scope.file, line, "what is unpacked here can't be read")] * len(targets)
        for target, item in zip(targets, items, strict=True):
            self.assign(target, item, scope)


_KEPT: Final = (Call, Foreign, Function, Member, PythonClass, PythonModule)


def _is_text(node: ast.expr | None) -> TypeGuard[ast.JoinedStr]:
    return isinstance(node, ast.JoinedStr)


def _hashed(items: list[Any]) -> set[Any]:
    try:
        return set(items)
    except TypeError:
        raise NotKnownError("a key that is a list or a dictionary") from None


def _is_small_product(left: Any, right: Any) -> bool:
    for value, times in ((left, right), (right, left)):
        if isinstance(value, str | list | tuple) and isinstance(times, int):
            return len(value) * max(times, 0) <= MOST_ITEMS
    return True


def _fill(text: str, value: Any) -> str:
    """Work out `"%s" % value`."""
    values = list(value) if isinstance(value, tuple) else [value]
    if len(re.findall(r"%0?\d{0,2}[sd]", text)) != len(values) or "%" in re.sub(r"%0?\d{0,2}[sd]", "", text):
        raise NotKnownError("this formatting is not read")
    if not all(isinstance(item, str | int | None) for item in values):
        raise NotKnownError("a part of the text can't be read")
    try:
        return str(check_size(text % tuple(values)))
    except (TypeError, ValueError) as error:
        raise NotKnownError(str(error)) from None


def _compare(sign: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(left, Unknown | Member) or isinstance(right, Unknown | Member):
        raise NotKnownError("a condition can't be known")
    if isinstance(sign, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and (left is None or right is None):
        for value in (left, right):
            if isinstance(value, Call) and value.made_by is None and not value.name[:1].isupper():
                raise NotKnownError("a condition can't be known")
        return (left is right) == isinstance(sign, ast.Is | ast.Eq)
    if isinstance(left, Call) or isinstance(right, Call):
        if isinstance(sign, ast.Is | ast.IsNot):
            return (left is right) == isinstance(sign, ast.Is)
        if isinstance(sign, ast.Eq) and left is right:
            return True
        raise NotKnownError("a condition can't be known")
    if isinstance(sign, ast.In | ast.NotIn):
        if not isinstance(right, str | list | tuple | set | dict) or (
            not isinstance(right, str) and any(isinstance(item, Unknown | Member | Call) for item in right)
        ):
            raise NotKnownError("a condition can't be known")
        try:
            return (left in right) == isinstance(sign, ast.In)
        except TypeError:
            raise NotKnownError("a condition can't be known") from None
    if isinstance(sign, ast.Is | ast.IsNot):
        return (left is right) == isinstance(sign, ast.Is)
    try:
        return bool(_COMPARISONS[type(sign)](left, right))
    except TypeError:
        raise NotKnownError("a condition can't be known") from None
