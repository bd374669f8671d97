"""Building valid code schemes from codes, with stable ids and numbers when codes are added later.

An id follows from the scheme and the code's StringValue. If an earlier version of the scheme is given, it supplies the
ids and everything else that is not given again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engagement.configuration import Code, CodeScheme, CodeType
from engagement.configuration.control_codes import DEFAULT_CONTROL_CODES, entry_of

FIRST_VERSION = "0.0.0.1"
_DIGITS_OF_AN_ID = 8
_STEP_DOWN = 10
# Nearly every scheme has these meta codes, for messages that are not answers.
META_CODES: Mapping[str, int] = {
    "push_back": -100000,
    "question": -100010,
    "greeting": -100020,
    "showtime_question": -100030,
    "opt_in": -100040,
    "escalate": -100080,
    "gratitude": -100100,
    "about_conversation": -100120,
    "impact": -100140,
}


@dataclass(frozen=True)
class NewCode:
    """A requested code; None takes the earlier version's value, or else the default."""

    display_text: str
    string_value: str
    code_type: CodeType = CodeType.NORMAL
    control_code: str | None = None
    meta_code: str | None = None
    code_id: str | None = None
    numeric_value: int | None = None
    shortcut: str | None = None
    visible_in_coda: bool | None = None
    color: str | None = None
    match_values: tuple[str, ...] | None = None


def make_scheme_id(seed: str) -> str:
    """Derive a scheme's id from a name.

    >>> make_scheme_id("Gender")
    'Scheme-a04630ef'
    """
    return f"Scheme-{_digest(seed)}"


def make_code_id(scheme_id: str, code: NewCode) -> str:
    """Derive a code's id from its scheme and StringValue; ids of control and meta codes show their type."""
    mark = f"{code.control_code}-" if code.control_code else "M-" if code.meta_code else ""
    return f"code-{mark}{_digest(f'{scheme_id}/{code.code_type}/{code.string_value}')}"


def _digest(seed: str) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()[:_DIGITS_OF_AN_ID]


def build_scheme(
    name: str,
    codes: Sequence[NewCode],
    *,
    scheme_id: str | None = None,
    control_codes: Iterable[str] = DEFAULT_CONTROL_CODES,
    with_meta_codes: bool = False,
    version: str | None = None,
    existing: CodeScheme | None = None,
) -> CodeScheme:
    """Build a scheme from `codes`, in order, then any missing control and meta codes.

    Control and meta codes of the `existing` version stay; Normal codes that are not requested are dropped. This does
    not check that ids, numbers and names are unique: codes come from outside, and their reader knows where.
    """
    scheme_id = existing.scheme_id if existing else scheme_id or make_scheme_id(name)
    wanted = [*codes, *_missing_codes(codes, control_codes, with_meta_codes, existing)]
    olds = _find_olds(wanted, existing)
    numbers = _choose_numbers(wanted, olds)
    return CodeScheme.model_validate(
        {
            "SchemeID": scheme_id,
            "Name": name,
            "Version": version or (existing.version if existing else FIRST_VERSION),
            "Codes": tuple(
                _complete(code, old, number, scheme_id) for code, old, number in zip(wanted, olds, numbers, strict=True)
            ),
            "Documentation": existing.documentation if existing else None,
        }
    )


def _missing_codes(
    codes: Sequence[NewCode], control_codes: Iterable[str], with_meta_codes: bool, existing: CodeScheme | None
) -> Iterator[NewCode]:
    controls = dict.fromkeys(control_codes)
    metas = dict.fromkeys(META_CODES if with_meta_codes else ())
    if existing is not None:
        controls |= dict.fromkeys(code.control_code for code in existing.codes if code.control_code)
        metas |= dict.fromkeys(existing.codes_by_meta_code)
    for control in controls:
        if not any(code.control_code == control for code in codes):
            old = existing.find_control(control) if existing else None
            yield (
                _as_it_was(old)
                if old
                else NewCode(entry_of(control).display_text, str(control), CodeType.CONTROL, control_code=control)
            )
    for meta in metas:
        if not any(code.meta_code == meta for code in codes):
            old = existing.codes_by_meta_code.get(meta) if existing else None
            yield _as_it_was(old) if old else NewCode(meta.replace("_", " "), meta, CodeType.META, meta_code=meta)


def _as_it_was(old: Code) -> NewCode:
    return NewCode(
        old.display_text, old.string_value, old.code_type, old.control_code, old.meta_code, code_id=old.code_id
    )


def _find_olds(wanted: Sequence[NewCode], existing: CodeScheme | None) -> list[Code | None]:
    """Match each code with its earlier version, by its id if given, else by name; each at most once."""
    if existing is None:
        return [None] * len(wanted)
    claimed = {code.code_id for code in wanted if code.code_id}
    by_string_value = {code.string_value: code for code in existing.codes}
    olds: list[Code | None] = []
    for code in wanted:
        if code.code_id:
            olds.append(existing.codes_by_id.get(code.code_id))
            continue
        if code.control_code:
            old = existing.find_control(code.control_code)
        elif code.meta_code:
            old = existing.codes_by_meta_code.get(code.meta_code)
        else:
            old = by_string_value.get(code.string_value)
        olds.append(None if old is None or old.code_id in claimed else old)
        claimed |= {old.code_id} if old else set()
    return olds


def _choose_numbers(wanted: Sequence[NewCode], olds: Sequence[Code | None]) -> list[int]:
    """Choose each number: the requested, the old, a control or meta code's usual, or the next free one."""
    numbers = [
        code.numeric_value if code.numeric_value is not None else old.numeric_value if old else None
        for code, old in zip(wanted, olds, strict=True)
    ]
    used = {number for number in numbers if number is not None}
    highest = max((number for number in used if number > 0), default=0)
    chosen = []
    for code, number in zip(wanted, numbers, strict=True):
        if number is None and code.code_type is CodeType.NORMAL:
            highest += 1
            number = highest
        elif number is None:
            usual = (
                (entry_of(code.control_code).numeric_value or None)
                if code.control_code
                else META_CODES.get(str(code.meta_code))
            )
            number = usual if usual is not None else min(META_CODES.values()) - _STEP_DOWN
            while number in used:
                number -= _STEP_DOWN
        used.add(number)
        chosen.append(number)
    return chosen


def _complete(code: NewCode, old: Code | None, number: int, scheme_id: str) -> Code:
    visible = code.visible_in_coda
    if visible is None:
        standard = entry_of(code.control_code).visible_in_coda if code.control_code else True
        visible = old.visible_in_coda if old else standard
    match_values = code.match_values
    if match_values is None:
        match_values = old.match_values if old else ()
    shortcut = code.shortcut if code.shortcut is not None else old.shortcut if old else None
    color = code.color if code.color is not None else old.color if old else None
    return Code.model_validate(
        {
            "CodeID": code.code_id or (old.code_id if old else make_code_id(scheme_id, code)),
            "CodeType": code.code_type,
            "ControlCode": code.control_code,
            "MetaCode": code.meta_code,
            "DisplayText": code.display_text,
            "Shortcut": shortcut or None,
            "NumericValue": number,
            "StringValue": code.string_value,
            "VisibleInCoda": visible,
            "Color": color or None,
            "MatchValues": match_values,
        }
    )
