"""Guess the scheme or code that labels meant if the configuration does not know theirs.

Scheme: the one with most of the labels' codes, else one whose name or id resembles the labels' id. Code: one with the same id in
another scheme, else one whose name or id resembles the labels' id.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engagement.configuration import Code, CodeScheme, ControlCode

# A file's name, and the scheme in it.
PlacedScheme = tuple[str, CodeScheme]

_USUAL_START = re.compile(r"^(scheme|code)[-_ ]+", re.IGNORECASE)
_NO_WORD = re.compile(r"[\W_]+")
# Ids are mostly random digits: two are rarely this similar by chance.
_ALIKE = 0.8


@dataclass(frozen=True)
class LikelyScheme:
    """The scheme that labels probably belong to, and the reason. `is_own`: it is one of the dataset's."""

    file: str
    scheme: CodeScheme
    reason: str
    is_own: bool


@dataclass(frozen=True)
class LikelyCode:
    """The code that labels probably had, its scheme, and the reason."""

    file: str
    scheme: CodeScheme
    code: Code
    reason: str


def find_likely_scheme(
    scheme_id: str, code_ids: Iterable[str], own: Sequence[PlacedScheme], others: Sequence[PlacedScheme]
) -> LikelyScheme | None:
    """Find the scheme that an unknown id probably meant: among the dataset's, then the project's."""
    wanted = set(code_ids)
    exact = next((placed for placed in others if placed[1].owns(scheme_id)), None)
    if exact is not None:
        return LikelyScheme(*exact, "it has this SchemeID, and other datasets have it", False)
    for schemes in (own, others):
        shared = {file: len(wanted & scheme.codes_by_id.keys()) for file, scheme in schemes}
        most = max(shared.values(), default=0)
        best = [(file, scheme) for file, scheme in schemes if shared[file] == most > 0]
        # Control codes often have the same id in all schemes: then they can't tell the schemes apart, but names may.
        found = best[0] if len(best) == 1 else _find_alike(scheme_id, best)
        if found is not None:
            reason = f"it has {most} of the {len(wanted)} code(s) in these labels"
            return LikelyScheme(*found, reason, schemes is own)
    for schemes in (own, others):
        found = _find_alike(scheme_id, schemes)
        if found is not None:
            return LikelyScheme(*found, f"its name or SchemeID {found[1].scheme_id!r} is like that id", schemes is own)
    return None


def _find_alike(scheme_id: str, schemes: Sequence[PlacedScheme]) -> PlacedScheme | None:
    """Find the scheme whose name, file or id resembles the id most."""
    own_part = _remove_common_start(scheme.scheme_id for _, scheme in schemes)
    wanted = own_part(scheme_id)
    by_name = [(_likeness(wanted, (s.name, file.removesuffix(".json"))), (file, s)) for file, s in schemes]
    by_id = [(_likeness(wanted, (own_part(scheme.scheme_id),)), (file, scheme)) for file, scheme in schemes]
    return _choose(by_name) or _choose(by_id)


def find_likely_code(code_id: str, scheme: CodeScheme, candidates: Sequence[PlacedScheme]) -> LikelyCode | None:
    """Find the code that an unknown id probably meant; the candidates include the labels' own `scheme`."""
    for file, other in candidates:
        if code_id in other.codes_by_id:
            return LikelyCode(file, other, other.codes_by_id[code_id], "it has this CodeID")
    file = next(file for file, candidate in candidates if candidate is scheme)
    control = _find_named_control(code_id, scheme)
    if control is not None:
        return LikelyCode(file, scheme, control, "the id names it")
    own_part = _remove_common_start(scheme.codes_by_id)
    wanted = own_part(code_id)
    # In ids like "episode1-water" the name is one part.
    parts = (wanted, *wanted.split("-"))
    by_name = [
        (
            max(_likeness(part, (c.string_value, c.display_text, *c.match_values)) for part in parts),
            (file, scheme, c, "its name is like that id"),
        )
        for c in scheme.codes
    ]
    by_id = [
        (_likeness(wanted, (own_part(c.code_id),)), (file, scheme, c, f"its CodeID is {c.code_id!r}"))
        for c in scheme.codes
    ]
    found = _choose(by_name) or _choose(by_id)
    return None if found is None else LikelyCode(*found)


def _find_named_control(code_id: str, scheme: CodeScheme) -> Code | None:
    """Find the control code that an id like "code-NC-42f1d983" names."""
    for part in _NO_WORD.split(code_id):
        if part in ControlCode:
            return scheme.find_control(ControlCode(part))
    return None


def _choose[Candidate](candidates: Sequence[tuple[float, Candidate]]) -> Candidate | None:
    """Choose the most similar candidate, if it is similar enough."""
    likeness, candidate = max(candidates, key=lambda pair: pair[0], default=(0.0, None))
    return candidate if likeness >= _ALIKE else None


def _remove_common_start(identifiers: Iterable[str]) -> Callable[[str], str]:
    """Make a function that strips the prefix common to all these ids, like "Scheme-", from an id."""
    start = os.path.commonprefix(list(identifiers))
    start = start[: max(start.rfind("-"), start.rfind("_")) + 1]
    return lambda identifier: _USUAL_START.sub("", identifier.removeprefix(start))


def _likeness(wanted: str, names: Iterable[str]) -> float:
    """Measure how much a part of an id resembles the most similar of some names, from 0 to 1."""
    folded = _fold(wanted)
    return max((difflib.SequenceMatcher(None, folded, _fold(name)).ratio() for name in names), default=0.0)


def _fold(name: str) -> str:
    return _NO_WORD.sub("", name).casefold()
