"""Words for times, codes, lists and texts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engagement.configuration import Code, CodeScheme
from engagement.configuration.control_codes import entry_of
from engagement.labelling.datasets.adjudications import ADJUDICATION
from engagement.pipeline.coding.cleaning.phone_numbers import mask_phone_numbers
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.pipeline.coding.labels import Labels, origin_of
from engagement.pipeline.coding.reasons import Fact
from engagement.pipeline.messages.instants import parse_instant


def say_time(time: object) -> str:
    """Format a time of the data (ISO 8601, or seconds since 1970 in older files) in UTC, to the second.

    >>> say_time("2026-03-01T10:00:00.123456+03:00")
    '2026-03-01 07:00:00 UTC'
    """
    try:
        instant = datetime.fromtimestamp(time, UTC) if isinstance(time, int | float) else parse_instant(str(time))
    except (ValueError, OverflowError, OSError):
        return f"an unknown time ({time!r})"
    return instant.strftime("%Y-%m-%d %H:%M:%S UTC")


def say_code(code: Code) -> str:
    """Quote a code as in the CSVs, with its meaning if that says more.

    >>> say_code(Code.model_construct(string_value="NR", display_text="NR", control_code="NR"))
    "'NR' (not reviewed by a coder yet)"
    """
    meaning = code.display_text if code.control_code is None else entry_of(code.control_code).wording
    is_plain = meaning.casefold() == code.string_value.replace("_", " ").casefold()
    return f"'{code.string_value}'" if is_plain else f"'{code.string_value}' ({meaning})"


def say_codes(labels: Labels) -> str:
    """Quote the codes of labels."""
    return listed(say_code(label.code) for label in labels)


def say_code_id(scheme: CodeScheme, code_id: str) -> str:
    """Quote a code by its id, which the scheme may lack."""
    code = scheme.codes_by_id.get(code_id)
    return f"code id '{code_id}', which scheme {scheme.name!r} lacks" if code is None else say_code(code)


def say_coder(label: Mapping[str, Any]) -> str:
    """Describe who made a label, and when, as far as it says."""
    origin = origin_of(label)
    name, origin_id = origin.get("Name"), origin.get("OriginID")
    if str(origin_id).startswith(f"{ADJUDICATION}:"):
        origin_id = "deciding between two coders"
    who = f"{name} ({origin_id})" if name and origin_id and name != origin_id else str(name or origin_id or "somebody")
    time = label.get("DateTimeUTC")
    return printable(who) if time is None else f"{printable(who)} on {say_time(time)}"


def show_fact(fact: Fact) -> str:
    """Put a fact of a reason into words: a code with its meaning, a label's maker, or a scheme's tick."""
    if isinstance(fact, str):
        return fact
    if isinstance(fact, Code):
        return say_code(fact)
    if isinstance(fact, Mapping):
        return say_coder(fact)
    if not fact:
        return "No coder labelled it"
    return listed(
        f"{say_coder(label.document or {})} labelled it {say_code(label.code)} in {scheme.name!r}"
        for scheme, label in fact
    )


def listed(things: Iterable[str]) -> str:
    """Join names for a sentence.

    >>> listed(["age"]), listed(["age", "gender", "place"])
    ('age', 'age, gender and place')
    """
    found = list(things)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else "nothing"


def printable(text: str) -> str:
    """Escape whatever a terminal would act upon.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say_messages(numbers: Sequence[int]) -> str:
    """Name messages by their numbers.

    >>> say_messages([1]), say_messages([1, 2])
    ('message 1', 'messages 1 and 2')
    """
    return f"message{'s' if len(numbers) > 1 else ''} {listed(map(str, numbers))}"


def mask(text: str) -> str:
    """Show somebody's text, without phone numbers and safe to print."""
    return printable(mask_phone_numbers(text))


class Texts:
    """Texts of one participant, shown only if they stand in their rows, and without phone numbers."""

    def __init__(self, in_rows: Sequence[str]) -> None:
        self._in_rows = in_rows

    def show(self, text: str) -> str:
        """Quote a text, or name it by its id if it is not in the CSVs."""
        if not self._is_shown(text):
            return f"a text that is in no CSV (message id {message_id_of(text)})"
        return f"“{mask(text)}”" if text else "an empty text"

    def give(self, text: str | None) -> str | None:
        """Return a text for programs; None without one, or if it is not in the CSVs."""
        return mask_phone_numbers(text) if text is not None and self._is_shown(text) else None

    def _is_shown(self, text: str) -> bool:
        return any(text in shown for shown in self._in_rows)
