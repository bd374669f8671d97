"""Changes between two versions of a code scheme, and their effect on existing labels."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engagement.configuration import Code, CodeScheme, CodeType
from engagement.pipeline.coding.labels import MANUALLY_UNCODED, is_ticked, newest_by_scheme_id

# A label refers to its code's id, and outputs show the StringValue; the other fields change what people see.
_FIELDS = ("CodeType", "ControlCode", "MetaCode", "StringValue", "NumericValue", "DisplayText", "Shortcut", "VisibleInCoda", "Color")  # fmt: skip


@dataclass(frozen=True)
class CodeChange:
    """A code that differs between versions; None if a version lacks it. `details` lists the differences."""

    old: Code | None
    new: Code | None
    details: tuple[str, ...] = ()

    def describe(self) -> str:
        """Describe the change in one line that begins with -, + or ~."""
        details = "; ".join(self.details)
        match self.old, self.new:
            case Code() as old, Code():
                return f"~ {_name(old)}: {details}"
            case Code() as old, None:
                return f"- {_name(old)}: removed, so that its labels count as not coded (NC)"
            case None, Code() as new:
                return f"+ {_name(new)}: added" + (f"; {details}" if details else "")
        raise ValueError("a change of no code; expected the old or the new one")

    @property
    def consequence(self) -> str | None:
        """Describe what happens to messages with the code if the outputs change; None if they do not."""
        if self.old is None:
            return None
        if self.new is None:
            return "come out as not coded (NC)"
        if _meaning(self.old) != _meaning(self.new):
            return f"come out as {_kind(self.new)} {self.new.string_value!r}, not as {_kind(self.old)} {self.old.string_value!r}"
        if self.old.string_value != self.new.string_value:
            return f"come out as {self.new.string_value!r}, not as {self.old.string_value!r}"
        if self.old.numeric_value != self.new.numeric_value:
            return f"have the number {self.new.numeric_value} in the code book, not {self.old.numeric_value}"
        if set(self.old.match_values) - set(self.new.match_values):
            return "may have other codes imputed, as it lost match values"
        return None


@dataclass(frozen=True)
class SchemeChanges:
    """All differences between two versions; `of_the_scheme` covers id, name, version and order."""

    old: CodeScheme
    new: CodeScheme
    of_the_scheme: tuple[str, ...]
    of_codes: tuple[CodeChange, ...]

    def describe(self) -> Iterator[str]:
        """Write the changes as lines of text."""
        yield f"Scheme {self.old.name!r}, version {self.old.version}, compared with version {self.new.version}:"
        lines = [f"~ {detail}" for detail in self.of_the_scheme] + [change.describe() for change in self.of_codes]
        yield from (f"  {line}" for line in lines or ["nothing changed"])


def compare_schemes(old: CodeScheme, new: CodeScheme) -> SchemeChanges:
    """Compare two versions of a scheme, matching codes by id."""
    return SchemeChanges(old, new, tuple(_compare_headers(old, new)), tuple(_compare_codes(old, new)))


def _compare_headers(old: CodeScheme, new: CodeScheme) -> Iterator[str]:
    for key, before, after in (("SchemeID", old.scheme_id, new.scheme_id), ("Name", old.name, new.name)):
        if before != after:
            lost = ", so that labels under the old one count for nothing (NR)" if key == "SchemeID" else ""
            yield f"{key}: {before!r} became {after!r}{lost}"
    common = [code.code_id for code in old.codes if code.code_id in new.codes_by_id]
    if common != [code.code_id for code in new.codes if code.code_id in old.codes_by_id]:
        yield "the codes are in another order, and so are columns of the outputs"


def _compare_codes(old: CodeScheme, new: CodeScheme) -> Iterator[CodeChange]:
    new_ids = {code.string_value: code.code_id for code in new.codes}
    for code in old.codes:
        after = new.codes_by_id.get(code.code_id)
        if after is None:
            yield CodeChange(code, None)
        elif after != code:
            yield CodeChange(code, after, tuple(_compare_code(code, after)))
    old_ids = {code.string_value: code.code_id for code in old.codes}
    for code in new.codes:
        if code.code_id in old.codes_by_id:
            continue
        before = old_ids.get(code.string_value)
        renamed_id = before is not None and before not in new.codes_by_id and new_ids[code.string_value] == code.code_id
        warning = (f"it has the name of the removed code with id {before!r}: keep that id to keep the labels",)
        yield CodeChange(None, code, warning if renamed_id else ())


def _compare_code(old: Code, new: Code) -> Iterator[str]:
    before, after = old.model_dump(mode="json", by_alias=True), new.model_dump(mode="json", by_alias=True)
    for key in _FIELDS:
        if before[key] != after[key]:
            yield f"{key}: {before[key]!r} became {after[key]!r}"
    removed = [value for value in old.match_values if value not in new.match_values]
    added = [value for value in new.match_values if value not in old.match_values]
    changes = [f"without {', '.join(map(repr, removed))}"] if removed else []
    changes += [f"with {', '.join(map(repr, added))}"] if added else []
    if changes or old.match_values != new.match_values:
        yield f"MatchValues: now {' and '.join(changes) or 'in another order'}"


def _name(code: Code) -> str:
    return f"{code.string_value!r} ({code.code_id})"


def _meaning(code: Code) -> tuple[object, ...]:
    return code.code_type, code.control_code, code.meta_code


def _kind(code: Code) -> str:
    return "the code" if code.code_type is CodeType.NORMAL else f"the {str(code.code_type).lower()} code"


@dataclass(frozen=True)
class LabelCount:
    """Messages of a dataset whose newest label of the scheme (or of a copy of it) is a given code."""

    checked: int = 0
    proposed: int = 0

    def describe(self) -> str:
        """Write the counts in words."""
        proposed = f" and proposed for {self.proposed}" if self.proposed else ""
        return f"on {self.checked} message(s){proposed}"


def count_labels(scheme: CodeScheme, messages: Iterable[Mapping[str, Any]]) -> dict[str, LabelCount]:
    """Count a scheme's labels in a Coda file's messages, by CodeID; a message counts once for each code."""
    checked: Counter[str] = Counter()
    proposed: Counter[str] = Counter()
    for message in messages:
        newest = newest_by_scheme_id(message["Labels"])
        mine = [label for scheme_id, label in newest.items() if scheme.owns(scheme_id)]
        by_coders = {label["CodeID"] for label in mine if is_ticked(label)}
        checked.update(by_coders)
        proposed.update({label["CodeID"] for label in mine if not is_ticked(label)} - by_coders)
    codes = {code_id for code_id in (*checked, *proposed) if code_id != MANUALLY_UNCODED}
    return {code_id: LabelCount(checked[code_id], proposed[code_id]) for code_id in sorted(codes)}


def describe_effects(changes: SchemeChanges, counts: Mapping[str, Mapping[str, LabelCount]]) -> Iterator[str]:
    """Describe the effect on labels; `counts` has each dataset's labels by CodeID, under the old scheme.

    Codes without labels are left out.
    """
    is_lost = changes.old.scheme_id != changes.new.scheme_id
    for dataset, by_code in sorted(counts.items()):
        if is_lost and by_code:
            labels = sum(count.checked for count in by_code.values())
            yield (
                f"{dataset}: {labels} label(s) are of the old SchemeID: the messages come out as not reviewed (NR). Keep the "
                "SchemeID."
            )
            continue
        for change in changes.of_codes:
            count = by_code.get(change.old.code_id) if change.old else None
            if count is not None and change.old is not None and change.consequence is not None:
                yield f"{dataset}: {change.old.string_value!r} is {count.describe()}, which {change.consequence}"
