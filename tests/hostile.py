"""Documents that went wrong: valid ones with keys lost or renamed, other types, odd numbers and characters, other encodings."""

import contextlib
import copy
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies

from engagement.foundation.errors import PipelineError
from engagement.provenance import encode_fresh_chain
from example_project import METADATA, episode_run, survey_run

# Written as numbers that Python's own JSON would not write.
_NUMBERS = {"@digits@": "9" * 5000, "@infinite@": "1e999", "@nan@": "NaN", "@minus infinite@": "-Infinity"}
_DEEP = "@deep@"
_ODD = (
    None, True, False, 0, -1, 7, 2**31, 2**63, 2**64, 10**30, 1.5, 1e300, "", " ", "a", "\0", "\ud83d", "a\udc00b", "\u202e", "é", "\ufeff",
    "2026-04-01T10:00:00", "2026-04-01T24:00:00+03:00", "0001-01-01T00:00:00+03:00", "9999-12-31T23:59:59-03:00", "x" * 70_000,
    "../../etc", "/", "NaN", [], {}, [None], [[]], [{}], {"": None}, {"a": {"b": [1]}}, [1, "a"], ["a", "a"], *_NUMBERS, _DEEP,
)  # fmt: skip
_ODD_KEYS = ("", " ", "\0", "\ud83d", "MessageID", "SHA", "Labels", "Text", "x" * 300)
Steps = tuple[Any, ...]
# Valid runs, to begin with.
RUNS = (
    episode_run("a", "biyo", operator="hormud"),
    episode_run("b", "waa 25"),
    survey_run("a", age="25", location="baydhabo", gender="naag"),
    survey_run("b", age="12", gender="nin"),
)


def _paths(document: Any, path: Steps = ()) -> Iterator[Steps]:
    yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from _paths(value, (*path, key))


def _at(document: Any, path: Steps) -> Any:
    for step in path:
        document = document[step]
    return document


def _drop(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    del parent[step]


def _replace(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    parent[step] = copy.deepcopy(draw(strategies.sampled_from(_ODD)))


def _wrap(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    parent[step] = draw(strategies.sampled_from([lambda value: [value], lambda value: {"a": value}]))(parent[step])


def _write_as_text(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    parent[step] = parent[step][:1] if isinstance(parent[step], list | str) else json.dumps(parent[step])


def _double(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    if isinstance(parent, list):
        parent.append(copy.deepcopy(parent[step]))
    else:
        parent[draw(strategies.sampled_from(_ODD_KEYS))] = copy.deepcopy(parent[step])


def _rename(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    if isinstance(parent, dict):
        new = draw(strategies.sampled_from([*_ODD_KEYS, step[:-1], step.swapcase(), f"{step} ", *parent]))
        parent[new] = parent.pop(step)


def _exchange(draw: Callable[..., Any], parent: Any, step: Any) -> None:
    other = draw(strategies.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent))))
    parent[step], parent[other] = parent[other], parent[step]


_CHANGES = (_drop, _replace, _replace, _replace, _wrap, _write_as_text, _double, _rename, _exchange)


@strategies.composite
def changed_documents(draw: Callable[..., Any], document: Any) -> Any:
    """A JSON document with one to three changes anywhere in it; some of its texts stand for what only `write` can say."""
    document = [copy.deepcopy(document)]
    for _ in range(draw(strategies.integers(1, 3))):
        path = draw(strategies.sampled_from([path for path in _paths(document) if path]))
        draw(strategies.sampled_from(_CHANGES))(draw, _at(document, path[:-1]), path[-1])
        if not document:
            document.append(None)
    return document[0]


@strategies.composite
def changed_files(draw: Callable[..., Any], document: Any) -> bytes:
    """The bytes of a file of such a document, now and then cut off or in another encoding."""
    return write(draw(changed_documents(document)), draw(strategies.sampled_from(_ENDINGS)))


def write(document: Any, ending: str = "") -> bytes:
    """A document as the bytes of a file."""
    text = json.dumps(document, ensure_ascii=ending != "as it is")
    for stand_in, number in _NUMBERS.items():
        text = text.replace(json.dumps(stand_in), number)
    text = text.replace(json.dumps(_DEEP), "[" * 20_000 + "]" * 20_000)
    match ending:
        case "cut off":
            return text[: len(text) // 2].encode("utf-8", "surrogatepass")
        case "doubled key":
            return text.replace("{", '{"MessageID": 1, "MessageID": 2, ', 1).encode("utf-8", "surrogatepass")
        case "utf-16" | "utf-8-sig" | "utf-32":
            return text.encode(ending, "surrogatepass")
        case "cp1252":
            return text.encode("cp1252", "replace") + b"\xe9"
    return text.encode("utf-8", "surrogatepass")


_ENDINGS = ("", "", "", "", "", "", "as it is", "cut off", "doubled key", "utf-16", "utf-8-sig", "utf-32", "cp1252")


def as_chain(data: Any) -> bytes:
    """A line whose hashes are right, whatever the data say."""
    try:
        return encode_fresh_chain([(one, METADATA) for one in data]).encode() + b"\n"
    except (TypeError, AttributeError, ValueError):
        return write(data) + b"\n"


def ends_well(action: Callable[[], Any], *statuses: int) -> None:
    """Carry out an action that may be refused with one of the statuses, and with nothing else."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            status = action()
    except PipelineError as error:
        status = error.exit_status
    assert status in (None, 0, *statuses)
