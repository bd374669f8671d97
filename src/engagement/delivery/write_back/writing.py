"""Write the marks to one workspace: people who withdrew first, and everybody else after them.

Each step leaves the rest to the next night if RapidPro refuses it or can't be reached.
"""

import logging
from collections.abc import Callable, Collection, Sequence

from engagement.configuration.write_back import WriteBack
from engagement.delivery.write_back.fields import (
    Wishes,
    field_mark,
    leave_out_settled,
    wish_for_others,
    wish_for_withdrawn,
)
from engagement.delivery.write_back.groups import (
    IN_GROUP,
    empty_group,
    fill_group,
    fill_stop_group,
    leave_other_groups,
)
from engagement.delivery.write_back.marks import Marks
from engagement.delivery.write_back.workspace import OpenWorkspace, Target, attempt
from engagement.services.rapidpro.contact_writer import text_of
from engagement.services.rapidpro.written import Written

_BLOCKED = "blocked"
_WITHDRAWN = "withdrawn"

_logger = logging.getLogger(__name__)


def write_workspace(
    space: OpenWorkspace, wanted: WriteBack, marks: Marks, create: Callable[[OpenWorkspace], None] | None = None
) -> None:
    """Write everything, and note what can't be written; `create` makes missing contacts, after STOP.

    Raises
    ------
    ServiceError
        RapidPro can't be reached any more, or the token may not write.
    """
    withdrawn = space.contacts_of(marks.withdrawn)
    _lose_deleted_fields(space, wanted, marks)
    space.state.remember_flags(marks.flags)
    emptied = {name: empty_group(space, name, *marks.groups[name], withdrawn) for name in marks.groups}
    write_withdrawn(space, wanted, marks)
    if create is not None:
        create(space)
    for name, is_usable in emptied.items():
        if is_usable:
            fill_group(space, name, *marks.groups[name])
    key = None if wanted.withdrawn is None else wanted.withdrawn.field
    others = wish_for_others(marks, space.contacts, space.state, withdrawn, key, wanted.allow_clearing)
    _write_fields(space, "Others", others)


def write_withdrawn(space: OpenWorkspace, wanted: WriteBack, marks: Marks) -> None:
    """Write who withdrew; they leave every group that was ever filled, too."""
    withdrawn = space.contacts_of(marks.withdrawn)
    stop = wanted.withdrawn
    names = [*marks.groups]
    if stop is not None and stop.group is not None:
        names.append(stop.group)
        fill_stop_group(space, stop.group, withdrawn, wanted.allow_clearing)
    leave_other_groups(space, names, withdrawn)
    if stop is not None and stop.block:
        _block(space, withdrawn)
    key = None if stop is None else stop.field
    _write_fields(space, "Withdrawn", wish_for_withdrawn(marks, withdrawn, key, space.state))
    space.state.settle(withdrawn - known_withdrawn(space, wanted), {_WITHDRAWN: "yes"})


def known_withdrawn(space: OpenWorkspace, wanted: WriteBack) -> frozenset[str]:
    """Return the contacts that RapidPro was told of in earlier runs: they withdrew."""
    stop = wanted.withdrawn
    if stop is None:
        return frozenset()
    marks = [_WITHDRAWN, _BLOCKED, IN_GROUP, field_mark(stop.field or "")]
    return frozenset(contact for mark in marks for contact in space.state.settled(mark))


def _lose_deleted_fields(space: OpenWorkspace, wanted: WriteBack, marks: Marks) -> None:
    """Forget the values of fields that somebody deleted in RapidPro, so that all are written again."""
    stop = wanted.withdrawn
    keys = [*marks.flags, *marks.answers, *([stop.field] if stop is not None and stop.field is not None else [])]
    for key in sorted(
        space.contact_writer.targets.missing_fields([key for key in keys if space.state.settled(field_mark(key))])
    ):
        if stop is not None and key == stop.field:
            space.state.settle(known_withdrawn(space, wanted), {_WITHDRAWN: "yes"})
        space.state.lose(field_mark(key))
        if space.is_told:
            _logger.warning("%s: contact field %r was deleted there: it is made and written again", space.where, key)


def _block(space: OpenWorkspace, withdrawn: frozenset[str]) -> None:
    known = {} if space.is_full else space.state.settled(_BLOCKED)

    def write(contacts: Collection[str]) -> Written:
        return space.contact_writer.block(contacts, done=lambda some: space.state.settle(some, {_BLOCKED: "yes"}))

    attempt(space, Target("Withdrawn", "block"), lambda: withdrawn.difference(known), write)


def _write_fields(space: OpenWorkspace, origin: str, wishes: Wishes) -> None:
    pending = wishes if space.is_full else leave_out_settled(wishes, space.state)
    keys = sorted({key for wish in pending.values() for key, one in wish.items() if one.only_over in (None, "")})
    unusable = space.contact_writer.find_fields(keys) if keys else {}
    space.problems += [f"{space.where}: contact field {key!r}: {problem}" for key, problem in unusable.items()]
    pending = {contact: {k: one for k, one in wish.items() if k not in unusable} for contact, wish in pending.items()}
    pending = {contact: wish for contact, wish in pending.items() if wish}

    def write(contacts: Collection[str]) -> Written:
        values: dict[str, dict[str, str]] = {}
        for contact, details in space.contact_writer.read(contacts).items():
            had = {} if details is None else details.fields or {}
            values[contact] = {
                key: one.value
                for key, one in pending[contact].items()
                if one.only_over is None or text_of(had.get(key)) == one.only_over
            }

        def settle(some: Sequence[str]) -> None:
            for contact in some:
                space.state.settle([contact], {field_mark(k): one.value for k, one in pending[contact].items()})

        # A contact that is gone is not asked for again.
        settle([contact for contact, details in space.contact_writer.read(contacts).items() if details is None])
        return space.contact_writer.set_fields(values, done=settle)

    names = ", ".join(sorted({key for wish in pending.values() for key in wish}))
    attempt(space, Target(origin, f"fields {names}"), lambda: pending.keys(), write)
