"""Paths of `pathlib` in an earlier project's Python, as texts that are never opened."""

import posixpath
from typing import Any, Final

from engagement.desk.project_import.evaluation.python_values import MISSING


class PathText(str):
    """The text of a `pathlib.Path`.

    >>> PathText("configuration/plans.py").attribute("parent")
    'configuration'
    """

    __slots__ = ()

    def joined(self, *parts: object) -> "PathText | None":
        """Return the path with more parts behind it; None if one is no text."""
        texts = [part for part in parts if isinstance(part, str)]
        return PathText(posixpath.join(self, *texts)) if len(texts) == len(parts) else None

    def attribute(self, name: str) -> Any:
        """Return what an attribute of the path gives; `MISSING` if it is a method or not known."""
        if name == "parent":
            return PathText(posixpath.dirname(self) or (self and "."))
        if name == "parents":
            found = [self]
            while (above := found[-1].attribute("parent")) != found[-1]:
                found.append(above)
            return found[1:]
        base = posixpath.basename(self)
        stem, suffix = posixpath.splitext(base)
        return {"name": base, "stem": stem, "suffix": suffix}.get(name, MISSING)

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Return what a method of the path gives; `MISSING` if that is not known, as of `open()`."""
        if name in _SAME:
            return PathText(posixpath.normpath(self)) if name == "resolve" else self
        if name == "as_posix":
            return str(self)
        if name == "joinpath":
            return self.joined(*arguments) or MISSING
        if name in ("with_suffix", "with_name") and len(arguments) == 1 and isinstance(arguments[0], str):
            stem = posixpath.splitext(self)[0] if name == "with_suffix" else posixpath.dirname(self)
            return PathText(stem + arguments[0] if name == "with_suffix" else posixpath.join(stem, arguments[0]))
        return MISSING


_SAME: Final = ("resolve", "absolute", "expanduser")


def make_path(*parts: str) -> PathText:
    """Make a path as `pathlib.Path(…)` does.

    >>> make_path("code_schemes", "age.json")
    'code_schemes/age.json'
    """
    return PathText(posixpath.join(*parts) if parts else "")
