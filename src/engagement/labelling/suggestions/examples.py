"""What coders' labels teach: the texts of a dataset, with the codes that people ticked."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engagement.configuration import CodeScheme
from engagement.labelling.datasets.adjudications import ADJUDICATION
from engagement.pipeline.coding.labels import counting_labels, is_ticked, newest_by_scheme_id, origin_of

ORIGIN_START = "suggestion"
"""How the OriginID of every suggestion begins."""

_PERSON = "Manual"


class Example(NamedTuple):
    """A text that people labelled, and its codes in the order of the scheme."""

    message_id: str
    text: str
    codes: tuple[str, ...]


class OpenText(NamedTuple):
    """A text without a label of the scheme; one that is open may get a suggestion."""

    message_id: str
    text: str
    is_open: bool


@dataclass(frozen=True)
class LabelledTexts:
    """A dataset under one scheme. `copies` are the scheme's ids in it, its own first.

    `double_coded` counts the codes that a second person gave again, `differing` those of them that only one of the two gave.
    `followed` counts the suggestions that a person decided on, `kept` those that were ticked as they were.
    """

    scheme: CodeScheme
    examples: tuple[Example, ...]
    open_texts: tuple[OpenText, ...]
    copies: tuple[str, ...]
    is_multiple: bool
    double_coded: int = 0
    differing: int = 0
    followed: int = 0
    kept: int = 0


def is_suggestion(label: Mapping[str, Any]) -> bool:
    """Tell whether a label is a suggestion that nobody ticked.

    >>> is_suggestion({"Origin": {"OriginID": "suggestion:1"}, "Checked": False})
    True
    """
    return not is_ticked(label) and str(origin_of(label).get("OriginID", "")).startswith(ORIGIN_START)


def read_labelled_texts(
    messages: Iterable[Mapping[str, Any]],
    scheme: CodeScheme,
    is_multiple: bool | None = None,
    left_out: frozenset[str] = frozenset(),
    second: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> LabelledTexts:
    """Read a dataset's labels of one scheme.

    `is_multiple` is None if the labels themselves tell: copies of the scheme are in use. `left_out` are the ids of messages that teach
    nothing, like texts of people who withdrew. `second` are labels of second coders, by message id: they teach how often coders err.
    """
    examples: list[Example] = []
    open_texts: list[OpenText] = []
    copies = {scheme.scheme_id: None}
    given = differing = followed = kept = 0
    for message in messages:
        own = [label for label in message["Labels"] if scheme.owns(label["SchemeID"])]
        newest = newest_by_scheme_id(own)
        codes = _codes_by_people(own, scheme)
        known = tuple(code.code_id for code in scheme.codes if code.code_id in codes)
        text = message.get("Text")
        if not isinstance(text, str):
            continue
        if not any(map(is_ticked, newest.values())):
            is_open = all(map(is_suggestion, own))
            open_texts.append(OpenText(message["MessageID"], text, is_open))
        elif known and message["MessageID"] not in left_out:
            examples.append(Example(message["MessageID"], text, known))
            copies |= dict.fromkeys(sorted(newest, key=_number_of_copy))
        by_coders = [label for label in own if not _is_decision(label)]
        again, other = _compare_coders(by_coders)
        given, differing = given + again, differing + other
        again, other = _compare_with_second(by_coders, (second or {}).get(message["MessageID"], ()), scheme)
        given, differing = given + again, differing + other
        decided, same = _compare_with_suggestions(own, _codes_by_people(by_coders, scheme))
        followed, kept = followed + decided, kept + same
    multiple = len(copies) > 1 if is_multiple is None else is_multiple
    # The order of the file must not matter.
    return LabelledTexts(
        scheme,
        tuple(sorted(examples)),
        tuple(sorted(open_texts)),
        tuple(sorted(copies, key=_number_of_copy)),
        multiple,
        given // 2,
        differing // 2,
        followed,
        kept,
    )


def is_blind(message_id: str, share: float) -> bool:
    """Tell whether a message never gets a suggestion; the same messages for ever.

    >>> sum(is_blind(str(number), 0.1) for number in range(10_000)) / 10_000
    0.0986
    """
    digest = hashlib.sha256(f"blind {message_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def _is_of_a_person(label: Mapping[str, Any]) -> bool:
    # Labels of older tools name no maker.
    return bool(origin_of(label).get("OriginType", _PERSON) == _PERSON)


def _is_decision(label: Mapping[str, Any]) -> bool:
    # It is on messages where coders differ: it tells what is right, but not how often they err.
    return str(origin_of(label).get("OriginID", "")).startswith(f"{ADJUDICATION}:")


def _codes_by_people(labels: Sequence[Mapping[str, Any]], scheme: CodeScheme) -> set[str]:
    newest = newest_by_scheme_id(label for label in labels if scheme.owns(label["SchemeID"]))
    return {label["CodeID"] for label in counting_labels(newest, scheme) if _is_of_a_person(label)}


def _number_of_copy(scheme_id: str) -> tuple[int, str]:
    return len(scheme_id), scheme_id


def _compare_coders(own: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Count the codes that one person gave after another, and those that only one gave.

    A message that a later person looked at again keeps what that person did not change.
    """
    people = list(dict.fromkeys(origin_of(label).get("OriginID") for label in reversed(own) if _is_of_a_person(label)))
    given = differing = 0
    before: set[str] | None = None
    for number in range(len(people)):
        so_far = [label for label in own if origin_of(label).get("OriginID") in people[: number + 1]]
        newest = newest_by_scheme_id(label for label in so_far if _is_of_a_person(label))
        now = {label["CodeID"] for label in newest.values() if is_ticked(label)}
        if before and now:
            given += len(before) + len(now)
            differing += len(before ^ now)
        before = now
    return given, differing


def _compare_with_second(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]], scheme: CodeScheme
) -> tuple[int, int]:
    """Count the codes that two coders gave who did not see each other's, and those that only one gave."""
    if not second:
        return 0, 0
    one, other = _codes_by_people(first, scheme), _codes_by_people(second, scheme)
    return (len(one) + len(other), len(one ^ other)) if one and other else (0, 0)


def _compare_with_suggestions(own: Sequence[Mapping[str, Any]], codes: set[str]) -> tuple[int, int]:
    suggested = {label["CodeID"] for label in own if is_suggestion(label)}
    if not suggested or not codes:
        return 0, 0
    return 1, int(suggested == codes)
