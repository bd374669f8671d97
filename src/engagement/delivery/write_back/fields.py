"""Values that the fields of contacts are to get, made from marks and from what was set before."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engagement.delivery.write_back.marks import NO, YES, Marks
from engagement.delivery.write_back.state import WriteBackState


class FieldWish(NamedTuple):
    """A value of a field. With `only_over` it is written only over that value; "" is none."""

    value: str
    only_over: str | None = None


Wishes = dict[str, dict[str, FieldWish]]


def field_mark(key: str) -> str:
    """Name a field in the state."""
    return f"field {key}"


def wish_for_withdrawn(marks: Marks, withdrawn: Iterable[str], key: str | None, state: WriteBackState) -> Wishes:
    """Return the wishes for contacts of participants who withdrew: STOP's field, and no flag.

    A flag that is configured no more is taken back where the pipeline set it.
    """
    wish = {flag: FieldWish(NO, only_over=YES) for flag in marks.flags}
    if key is not None:
        wish[key] = FieldWish(YES)
    wishes = {contact: dict(wish) for contact in withdrawn}
    for flag in sorted(state.flags() - marks.flags.keys() - marks.answers.keys() - {key}):
        flagged = {contact for contact, value in state.settled(field_mark(flag)).items() if value == YES}
        for contact in flagged & wishes.keys():
            wishes[contact][flag] = FieldWish(NO, only_over=YES)
    return {contact: wish for contact, wish in wishes.items() if wish}


def wish_for_others(
    marks: Marks,
    contacts: Mapping[str, Iterable[str]],
    state: WriteBackState,
    withdrawn: frozenset[str],
    withdrawn_key: str | None,
    allows_clearing: bool,
) -> Wishes:
    """Return the wishes for all other contacts.

    A flag that the pipeline set becomes no when its reason is gone. Other values that it set are emptied only with
    `allows_clearing`, and only where RapidPro still has what the pipeline set.
    """
    wishes: Wishes = {}
    for key, (_, uids) in marks.flags.items():
        if uids is None:
            continue
        flagged = {contact for uid in uids for contact in contacts.get(uid, ())}
        for contact in flagged:
            wishes.setdefault(contact, {})[key] = FieldWish(YES)
        for contact, value in state.settled(field_mark(key)).items():
            if value == YES and contact not in flagged and contact not in withdrawn:
                wishes.setdefault(contact, {})[key] = FieldWish(NO, only_over=YES)
    for key, values in marks.answers.items():
        only_over = "" if key in marks.presence else None
        answered = {contact: value for uid, value in values.items() for contact in contacts.get(uid, ())}
        for contact, value in answered.items():
            wishes.setdefault(contact, {})[key] = FieldWish(value, only_over)
        if allows_clearing:
            for contact, value in state.settled(field_mark(key)).items():
                if value and contact not in answered:
                    wishes.setdefault(contact, {})[key] = FieldWish("", only_over=value)
    if allows_clearing and withdrawn_key is not None:
        for contact, value in state.settled(field_mark(withdrawn_key)).items():
            if value and contact not in withdrawn:
                wishes.setdefault(contact, {})[withdrawn_key] = FieldWish("", only_over=value)
    return wishes


def leave_out_settled(wishes: Wishes, state: WriteBackState) -> Wishes:
    """Leave out what RapidPro is known to have."""
    keys = {key for wish in wishes.values() for key in wish}
    settled = {key: state.settled(field_mark(key)) for key in keys}
    pending = {
        contact: {key: one for key, one in wish.items() if settled[key].get(contact) != one.value}
        for contact, wish in wishes.items()
    }
    return {contact: wish for contact, wish in pending.items() if wish}
