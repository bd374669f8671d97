"""Functions and methods of Python that the evaluator works out: pure, with small results."""

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from engagement.desk.project_import.evaluation.copied_values import copy_deeply, copy_value, replace_arguments
from engagement.desk.project_import.evaluation.path_values import make_path
from engagement.desk.project_import.evaluation.python_values import Foreign

# No plan comes near; a file that does was not made by hand.
MOST_ITEMS: Final = 100_000
_FORMAT: Final = re.compile(r"[<>^]?0?\d{0,2}[dsx]?")

_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset(
        [
            "upper",
            "lower",
            "title",
            "capitalize",
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "startswith",
            "endswith",
            "removeprefix",
            "removesuffix",
            "isdigit",
            "isupper",
            "islower",
            "partition",
            "rpartition",
            "rsplit",
            "splitlines",
            "casefold",
            "swapcase",
            "find",
            "count",
        ]
    ),
    list: frozenset(["append", "extend", "insert", "copy", "index", "count", "reverse", "remove"]),
    tuple: frozenset(("index", "count")),
    dict: frozenset(["get", "items", "keys", "values", "copy", "update", "setdefault"]),
    set: frozenset(["union", "add", "copy", "difference", "intersection", "update"]),
}


class NotKnownError(Exception):
    """The result can't be worked out; the text says why."""


def call_method(owner: Any, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Call a method of a text, list, tuple, set or dictionary."""
    if isinstance(owner, str) and name == "join":
        return _join(owner, *arguments)
    if isinstance(owner, str) and name == "format":
        return _format(owner, arguments, keywords)
    if isinstance(owner, str) and name == "replace":
        return _small(_texts(owner), arguments, lambda: owner.replace(*arguments))
    if isinstance(owner, str) and name in ("zfill", "rjust", "ljust") and arguments and _is_width(arguments[0]):
        return str(getattr(owner, name)(*arguments))
    if name not in _METHODS.get(type(owner), ()):
        raise NotKnownError(f"a {type(owner).__name__}'s {name}() is not read")
    if name in ("extend", "update") and arguments and isinstance(arguments[0], list) and arguments[0] is owner:
        arguments = [list(owner)]
    try:
        result = getattr(owner, name)(*arguments, **keywords)
    except Exception as error:
        raise NotKnownError(f"{name}() fails: {type(error).__name__}") from None
    check_size(owner)
    return list(result) if isinstance(owner, dict) and name in ("items", "keys", "values") else result


def _is_width(value: Any) -> bool:
    return isinstance(value, int) and value < 1_000


def check_size(value: Any) -> Any:
    """Return a value, unless it is too long to be part of plans."""
    if isinstance(value, str | list | tuple | dict | set) and len(value) > MOST_ITEMS:
        raise NotKnownError(f"longer than {MOST_ITEMS:,} items")
    if isinstance(value, int) and value.bit_length() > 256:
        raise NotKnownError("a number of more than 256 bits")
    return value


def format_value(value: Any, specification: str, conversion: int = -1) -> str:
    """Format a value as an f-string does."""
    if not isinstance(value, str | int | float | bool | None) or _FORMAT.fullmatch(specification) is None:
        raise NotKnownError("a part of the text can't be read")
    try:
        return format(repr(value) if conversion == ord("r") else value, specification)
    except (ValueError, TypeError) as error:
        raise NotKnownError(f"the text can't be made: {error}") from None


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _small(holds: bool, arguments: list[Any], make: Callable[[], Any]) -> Any:
    if not holds or not 2 <= len(arguments) <= 3 or not _texts(*arguments[:2]) or len(arguments[1]) > 200:
        raise NotKnownError("replace() of something long or unknown")
    return check_size(make())


def _join(separator: str, items: Any = None) -> str:
    if not isinstance(items, list | tuple) or not _texts(*items):
        raise NotKnownError("join() of something that can't be read")
    if len(separator) * len(items) + sum(map(len, items)) > MOST_ITEMS:
        raise NotKnownError(f"longer than {MOST_ITEMS:,} items")
    return separator.join(items)


def _format(text: str, arguments: list[Any], keywords: dict[str, Any]) -> str:
    numbers = iter(range(len(arguments)))

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name, specification = match[1], match[2] or ""
        try:
            value = keywords[name] if name and not name.isdigit() else arguments[int(name) if name else next(numbers)]
        except (KeyError, IndexError, StopIteration):
            raise NotKnownError("format() lacks a value") from None
        return format_value(value, specification)

    return str(check_size(re.sub(r"\{\{|\}\}|\{(\w*)(?::([^{}]*))?\}", fill, text)))


def _range(*arguments: Any) -> list[int]:
    found = range(*arguments)
    if len(found) > MOST_ITEMS:
        raise NotKnownError(f"longer than {MOST_ITEMS:,} items")
    return list(found)


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple | set | dict | str):
        raise NotKnownError("a list that can't be read")
    return list(value)


def _sorted(values: Any, *, reverse: bool = False) -> list[Any]:
    return sorted(_listed(values), reverse=reverse)


def _sum(values: Any, start: Any = 0) -> Any:
    for value in _listed(values):
        start = check_size(start + value)
    return start


def _text(value: Any = "") -> str:
    return format_value(value, "")


def _int(value: Any = 0) -> int:
    if isinstance(value, str) and len(value) > 30:
        raise NotKnownError("int() of a long text")
    return int(value)


def _chain(*values: Any) -> list[Any]:
    return [item for value in values for item in _listed(value)]


# By the name under which a plan file reaches them; what is not here stays a call.
KNOWN_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "range": _range,
    "list": lambda value=(): _listed(value),
    "tuple": lambda value=(): tuple(_listed(value)),
    "set": lambda value=(): set(_listed(value)),
    "dict": lambda value=(), **keywords: {**dict(value), **keywords},
    "sorted": _sorted,
    "reversed": lambda value: _listed(value)[::-1],
    "enumerate": lambda value, start=0: list(enumerate(_listed(value), start)),
    "zip": lambda *values: list(zip(*map(_listed, values), strict=False)),
    "len": lambda value: len(_listed(value)),
    "str": _text,
    "int": _int,
    "sum": _sum,
    "copy.copy": copy_value,
    "copy.deepcopy": copy_deeply,
    "dataclasses.replace": replace_arguments,
    "pathlib.Path": make_path,
    "pathlib.PurePath": make_path,
    "pathlib.PosixPath": make_path,
    "pathlib.Path.cwd": make_path,
    "os.getcwd": lambda: "",
    "os.fspath": str,
    "itertools.chain": _chain,
    "itertools.chain.from_iterable": lambda values: _chain(*_listed(values)),
    "os.path.join": lambda *parts: posixpath.join(*parts),
    "os.path.dirname": lambda path: posixpath.dirname(path),
    "os.path.basename": lambda path: posixpath.basename(path),
    "os.path.normpath": lambda path: posixpath.normpath(path),
    "os.path.abspath": lambda path: posixpath.normpath(path),
    "os.path.realpath": lambda path: posixpath.normpath(path),
}


def call_known(function: Foreign, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Call a function that is in the table."""
    try:
        return check_size(KNOWN_FUNCTIONS[function.name](*arguments, **keywords))
    except NotKnownError:
        raise
    except Exception as error:
        raise NotKnownError(f"{function.last}() fails: {type(error).__name__}") from None
