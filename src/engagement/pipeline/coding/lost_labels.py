"""Find labels that count for nothing because the configuration does not know their scheme or code.

They are counted while labels are read. Each kind is then reported once for a dataset, with the code or scheme probably meant.
"""

import enum
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engagement.configuration import Code, CodeScheme, CodingMode, CodingPlan, CodingPlans, ControlCode
from engagement.pipeline.coding.labels import code_of, counts, is_ticked, newest_by_scheme_id, withdraws
from engagement.pipeline.coding.likely_codes import LikelyScheme, PlacedScheme, find_likely_code, find_likely_scheme
from engagement.services.coda.metrics import primary_scheme_id

_FEW = 3
_NO_WORD = re.compile(r"[\W_]+")
# These count under a copy of a scheme as well, even if a message gets only one label of it.
_COUNT_UNDER_COPIES = (ControlCode.STOP, ControlCode.WS)


class LostKind(enum.Enum):
    """Reasons for labels to count for nothing."""

    UNKNOWN_SCHEME = "unknown scheme"
    UNKNOWN_CODE = "unknown code"
    UNREAD_COPY = "unread copy"


@dataclass(frozen=True)
class LostLabels:
    """Labels of one scheme or code that count for nothing. `text` gives their number, reason and remedy.

    `other_scheme_id` is a SchemeID that `text` advises to change although labels of other datasets may have it. `by_code` holds, by
    code, the ids of messages that no other label withdraws: if the code was STOP, a withdrawal is lost.
    """

    kind: LostKind
    scheme_id: str
    code_id: str | None
    message_ids: Sequence[str]
    text: str
    other_scheme_id: str | None = None
    by_code: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def find_stops(self, stop_ids: Collection[str]) -> list[str]:
        """Find the ids of messages whose withdrawal is lost, by the codes in `stop_ids` and codes named STOP."""
        found = (ids for code_id, ids in self.by_code.items() if code_id in stop_ids or _is_named_stop(code_id))
        return list(dict.fromkeys(message_id for ids in found for message_id in ids))

    @property
    def count(self) -> int:
        """Return the number of messages that have such a label."""
        return len(self.message_ids)


class LabelCensus:
    """Sorts a dataset's labels, message by message: those that its plan knows, and the others."""

    def __init__(self, plan: CodingPlan, ws_scheme: CodeScheme | None) -> None:
        self._schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
        self._schemes += [ws_scheme] if ws_scheme is not None else []
        self._ws_scheme = ws_scheme
        self._several = {
            configuration.code_scheme.scheme_id
            for configuration in plan.coding_configurations
            if configuration.coding_mode is CodingMode.MULTIPLE
        }
        self._several |= {ws_scheme.scheme_id} if ws_scheme is not None else set()
        self._owners: dict[str, CodeScheme | None] = {}
        # How often each pair of SchemeID and CodeID counted: nearly all labels are of these, and cost no more than this.
        self._read: dict[tuple[str, str], int] = {}
        # Messages with lost labels that one of the plan's own STOP labels withdraws anyway.
        self.withdrawn: set[str] = set()
        self.unknown_schemes: dict[str, dict[str, list[str]]] = {}
        self.unknown_codes: dict[tuple[str, str], dict[str, None]] = {}
        self.unread_copies: dict[str, dict[str, None]] = {}

    def note(self, message_id: str, newest: Mapping[str, Mapping[str, Any]]) -> None:
        """Note the newest label of each scheme of a message."""
        for scheme_id, label in newest.items():
            if is_ticked(label):
                key = scheme_id, label["CodeID"]
                if key in self._read:
                    self._read[key] += 1
                elif counts(label):
                    self._sort(message_id, key, newest)

    def count_read(self, scheme: CodeScheme) -> int:
        """Count the labels of a scheme that count."""
        return sum(times for (scheme_id, _), times in self._read.items() if self._find_owner(scheme_id) is scheme)

    def _sort(self, message_id: str, key: tuple[str, str], newest: Mapping[str, Mapping[str, Any]]) -> None:
        scheme_id, code_id = key
        owner = self._find_owner(scheme_id)
        if self._is_withdrawn(newest):
            self.withdrawn.add(message_id)
        if owner is None:
            self.unknown_schemes.setdefault(scheme_id, {}).setdefault(code_id, []).append(message_id)
        elif code_id not in owner.codes_by_id:
            self.unknown_codes.setdefault((owner.scheme_id, code_id), {})[message_id] = None
        elif scheme_id == owner.scheme_id or owner.scheme_id in self._several:
            self._read[key] = 1
        elif owner.codes_by_id[code_id].control_code not in _COUNT_UNDER_COPIES:
            primary = newest.get(owner.scheme_id)
            if primary is None or not counts(primary) or primary["CodeID"] != code_id:
                self.unread_copies.setdefault(owner.scheme_id, {})[message_id] = None

    def _is_withdrawn(self, newest: Mapping[str, Mapping[str, Any]]) -> bool:
        return any(
            counts(label)
            and (owner := self._find_owner(scheme_id)) is not None
            and owner is not self._ws_scheme
            and (code := code_of(owner, label)) is not None
            and withdraws(code)
            for scheme_id, label in newest.items()
        )

    def _find_owner(self, scheme_id: str) -> CodeScheme | None:
        if scheme_id not in self._owners:
            exact = (scheme for scheme in self._schemes if scheme.scheme_id == scheme_id)
            copied = (scheme for scheme in self._schemes if scheme.owns(scheme_id))
            self._owners[scheme_id] = next(exact, None) or next(copied, None)
        return self._owners[scheme_id]


def find_lost_labels(dataset: str, plans: CodingPlans, messages: Iterable[Mapping[str, Any]]) -> list[LostLabels]:
    """List the labels that count for nothing in a dataset; none if no plan has the dataset."""
    plan = next((plan for plan in plans.all if plan.coda_dataset == dataset), None)
    if plan is None:
        return []
    census = LabelCensus(plan, plans.ws_correct_dataset_scheme)
    for message in messages:
        census.note(message["MessageID"], newest_by_scheme_id(message["Labels"]))
    return list(describe_lost_labels(census, plan, plans))


def describe_lost_labels(census: LabelCensus, plan: CodingPlan, plans: CodingPlans) -> Iterator[LostLabels]:
    """Yield a dataset's labels of unknown schemes, unknown codes and unread copies."""
    own, others = _place_schemes(plan, plans)
    stop_ids = find_stop_ids(scheme for _, scheme in (*own, *others))
    for scheme_id, by_code in _join_copies(census.unknown_schemes).items():
        message_ids = list(dict.fromkeys(message_id for ids in by_code.values() for message_id in ids))
        likely = find_likely_scheme(scheme_id, by_code, own, others)
        text, other = _say_unknown_scheme(scheme_id, len(message_ids), own), None
        if likely is None:
            text += "Put the scheme back into the plan, or have them labelled again under one that it has."
        else:
            other = likely.scheme.scheme_id if likely.is_own and _is_shared(likely.file, plans) else None
            text += _say_likely(scheme_id, likely, census.count_read(likely.scheme), is_shared=other is not None)
        lost = LostLabels(
            LostKind.UNKNOWN_SCHEME, scheme_id, None, message_ids, text, other, _find_unheard(by_code, census)
        )
        yield replace(lost, text=text + _say_stops(lost, stop_ids) + _say_ids(message_ids))
    by_id = {scheme.scheme_id: (file, scheme) for file, scheme in own}
    for (scheme_id, code_id), found in census.unknown_codes.items():
        is_of_datasets = by_id[scheme_id][1] is plans.ws_correct_dataset_scheme
        effect = "such answers move nowhere" if is_of_datasets else "such answers count as not coded (NC)"
        text = _say_unknown_code(code_id, len(found), effect, by_id[scheme_id], [*own, *others])
        unheard = {} if is_of_datasets else _find_unheard({code_id: found}, census)
        lost = LostLabels(LostKind.UNKNOWN_CODE, scheme_id, code_id, list(found), text, None, unheard)
        yield replace(lost, text=text + _say_stops(lost, stop_ids) + _say_ids(list(found)))
    for scheme_id, found in census.unread_copies.items():
        file, scheme = by_id[scheme_id]
        text = (
            f"{len(found)} message(s) are labelled under a copy of scheme {scheme.name!r} ({file}), which is read with one "
            "label a message (SINGLE); expected labels of the scheme itself, as those of a copy count for nothing. Have them "
            "labelled under the scheme itself, or set CodingMode to 'MULTIPLE'."
        )
        yield LostLabels(LostKind.UNREAD_COPY, scheme_id, None, list(found), text + _say_ids(list(found)))


def _place_schemes(plan: CodingPlan, plans: CodingPlans) -> tuple[list[PlacedScheme], list[PlacedScheme]]:
    """List the schemes of the plan's dataset, and the project's others, with their files."""
    own = {c.code_scheme_file: c.code_scheme for c in plan.coding_configurations}
    if plans.ws_correct_dataset_scheme is not None:
        own[plans.ws_correct_dataset_scheme_file or ""] = plans.ws_correct_dataset_scheme
    everything = {c.code_scheme_file: c.code_scheme for other in plans.all for c in other.coding_configurations}
    return list(own.items()), [(file, scheme) for file, scheme in everything.items() if file not in own]


def _join_copies(by_scheme: Mapping[str, Mapping[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """Merge labels of an unknown scheme's copies into the scheme itself, if it has labels too."""
    joined: dict[str, dict[str, list[str]]] = {}
    for scheme_id, by_code in by_scheme.items():
        stem = primary_scheme_id(scheme_id, set())
        own = joined.setdefault(stem if stem in by_scheme else scheme_id, {})
        for code_id, message_ids in by_code.items():
            own.setdefault(code_id, []).extend(message_ids)
    return joined


def _is_shared(file: str, plans: CodingPlans) -> bool:
    """Tell whether several datasets are labelled with a scheme; the WS scheme is in all of them."""
    users = [
        plan
        for plan in plans.all
        if plan.coda_filename is not None and any(c.code_scheme_file == file for c in plan.coding_configurations)
    ]
    return len(users) > 1 or file == plans.ws_correct_dataset_scheme_file


def _say_unknown_scheme(scheme_id: str, count: int, own: Sequence[PlacedScheme]) -> str:
    return (
        f"{count} message(s) are labelled under scheme {scheme_id!r}, which the dataset's plan does not have; expected labels of "
        f"{', '.join(repr(scheme.scheme_id) for _, scheme in own)}, as others count for nothing. "
    )


def _say_likely(scheme_id: str, likely: LikelyScheme, labelled: int, is_shared: bool) -> str:
    """Say what to do about labels of a likely scheme; the dataset has `labelled` under its own id."""
    found = f"Probably it is {likely.scheme.name!r} ({likely.file}): {likely.reason}. "
    if not likely.is_own:
        return found + "Give the plan that scheme, or have them labelled again under one that it has."
    now = likely.scheme.scheme_id
    if labelled:
        return found + (
            f"That has {labelled} label(s) under its own SchemeID {now!r}, which a change would lose: keep the SchemeID that has "
            "more, and have the other messages labelled again."
        )
    unless = f", unless messages of other datasets are labelled under {now!r}" if is_shared else ""
    return found + f"If so, set SchemeID in {likely.file} back to {scheme_id!r}{unless}."


def _say_unknown_code(
    code_id: str, count: int, effect: str, placed: PlacedScheme, candidates: Sequence[PlacedScheme]
) -> str:
    file, scheme = placed
    found = (
        f"{count} message(s) have the label {code_id!r}, which scheme {scheme.name!r} ({file}) lacks; expected codes of the "
        f"scheme, as {effect}. "
    )
    likely = find_likely_code(code_id, scheme, candidates)
    if likely is not None:
        home = "" if likely.scheme is scheme else f" of scheme {likely.scheme.name!r} ({likely.file})"
        found += f"Probably it is {_name(likely.code)}{home}: {likely.reason}. "
    return found + f"Put a code with this CodeID back into {file}, or have them labelled again."


def _name(code: Code) -> str:
    return f"the code {code.string_value!r}" if code.is_normal else f"the {code.code_type} code {code.string_value!r}"


def find_stop_ids(schemes: Iterable[CodeScheme]) -> frozenset[str]:
    """Collect the ids of some schemes' codes for STOP."""
    return frozenset(stop.code_id for scheme in schemes if (stop := scheme.find_control(ControlCode.STOP)) is not None)


def _is_named_stop(code_id: str) -> bool:
    """Tell whether an id like "code-STOP-42f1d983" names the control code."""
    return ControlCode.STOP.casefold() in _NO_WORD.split(code_id.casefold())


def _find_unheard(by_code: Mapping[str, Iterable[str]], census: LabelCensus) -> dict[str, list[str]]:
    """List the messages by code, without those that another label withdraws."""
    return {code_id: [one for one in ids if one not in census.withdrawn] for code_id, ids in by_code.items()}


def _say_stops(lost: LostLabels, stop_ids: frozenset[str]) -> str:
    """Say how many of the messages should withdraw their participants."""
    stops = lost.find_stops(stop_ids)
    return f" {len(stops)} of them say STOP: their participants are not withdrawn now." if stops else ""


def _say_ids(message_ids: Sequence[str]) -> str:
    more = len(message_ids) - _FEW
    return f" Message ids: {', '.join(message_ids[:_FEW])}{f' and {more} more' if more > 0 else ''}."
