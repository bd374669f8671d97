"""Find answers in a submission: groups and repeats by path, choices by name or label."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Between the answers of a repeat, and between the labels of a choice of several.
_BETWEEN_ANSWERS = "; "
_BETWEEN_LABELS = ", "


def prefixes_of(key: str) -> tuple[str, ...]:
    """List the groups that a question may be in, outermost first, and the question.

    >>> prefixes_of("household/children/age")
    ('household', 'household/children', 'household/children/age')
    """
    parts = key.split("/")
    return tuple("/".join(parts[:length]) for length in range(1, len(parts) + 1))


def find_answer(values: Mapping[str, Any], prefixes: Sequence[str]) -> str | None:
    """Find the answer to a question, by its `prefixes_of`; joins those of a repeat. None without one.

    >>> find_answer({"kids": [{"kids/age": "3"}, {}, {"kids/age": "5"}]}, prefixes_of("kids/age"))
    '3; 5'
    """
    if len(prefixes) == 1:
        return _text_of(values.get(prefixes[0]))
    return _BETWEEN_ANSWERS.join(_find_texts(values, prefixes)) or None


def say_labels(answer: str, labels: Mapping[str, str]) -> str:
    """Replace the names of choices by their labels; a name without one stays.

    >>> say_labels("radio sms", {"radio": "Radio, at home"})
    'Radio, at home, sms'
    """
    answers = answer.split(_BETWEEN_ANSWERS)
    return _BETWEEN_ANSWERS.join(
        _BETWEEN_LABELS.join(labels.get(name, name) for name in one.split()) for one in answers
    )


def _find_texts(values: Mapping[str, Any], prefixes: Sequence[str]) -> Iterator[str]:
    for position, prefix in enumerate(prefixes):
        if prefix not in values:
            continue
        inner = values[prefix]
        if position == len(prefixes) - 1:
            text = _text_of(inner)
            if text is not None:
                yield text
        else:
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, dict):
                    yield from _find_texts(one, prefixes[position + 1 :])


def _text_of(value: object) -> str | None:
    """Return an answer as text; None for one that is empty, or no answer."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None
