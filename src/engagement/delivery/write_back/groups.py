"""Groups of a workspace: those of selections, the one of STOP, and those that were filled before.

A group is known by its uuid, so that one that somebody renamed is followed.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from engagement.delivery.write_back.workspace import OpenWorkspace, Target, attempt
from engagement.services.rapidpro.rows import ContactGroup
from engagement.services.rapidpro.written import Written

IN_GROUP = "group"


def empty_group(
    space: OpenWorkspace, name: str, origin: str, uids: frozenset[str] | None, withdrawn: frozenset[str]
) -> bool:
    """Take out of a group whoever does not belong there (any more); returns whether it can be filled."""
    contacts = None if uids is None else space.contacts_of(uids)

    def find() -> Collection[str]:
        group = _find(space, name, is_stop=False)
        if _is_held(space, group, contacts):
            return ()
        members = space.contact_writer.members(group)
        return members & withdrawn if contacts is None else members - contacts

    return attempt(
        space,
        Target(origin, f"group {name!r}, to leave", is_leaving=True),
        find,
        lambda leaving: space.contact_writer.leave_group(_find(space, name, is_stop=False), leaving),
    )


def fill_group(space: OpenWorkspace, name: str, origin: str, uids: frozenset[str] | None) -> None:
    """Put the participants of a selection into its group."""
    if uids is None:
        return
    contacts = space.contacts_of(uids)

    def find() -> Collection[str]:
        group = _find(space, name, is_stop=False)
        return () if _is_held(space, group, contacts) else contacts - space.contact_writer.members(group)

    def write(joining: Collection[str]) -> Written:
        written = space.contact_writer.set_group(name, joining)
        _keep(space, _find(space, name, is_stop=False), contacts, written)
        return written

    attempt(space, Target(origin, f"group {name!r}"), find, write)


def fill_stop_group(space: OpenWorkspace, name: str, withdrawn: frozenset[str], allows_clearing: bool) -> None:
    """Put those who withdrew into the group of STOP.

    With `allows_clearing` whom the pipeline put there by mistake leaves it.
    """

    def ours(group: ContactGroup | None) -> set[str]:
        # Earlier versions noted the group's name.
        known = {name, group.uuid} if group is not None and allows_clearing else set()
        return {contact for contact, value in space.state.settled(IN_GROUP).items() if value in known}

    def find() -> Collection[str]:
        group = _find(space, name, is_stop=True)
        if _is_held(space, group, withdrawn):
            return ()
        members = space.contact_writer.members(group)
        return (withdrawn - members) | ((members & ours(group)) - withdrawn)

    def settle(some: Sequence[str]) -> None:
        group = _find(space, name, is_stop=True)
        if group is not None:
            space.state.settle(some, {IN_GROUP: group.uuid})

    def write(different: Collection[str]) -> Written:
        joining = withdrawn.intersection(different)
        written = space.contact_writer.set_group(name, joining, done=settle)
        group = _find(space, name, is_stop=True)
        leaving = ours(group).intersection(different) - withdrawn
        done: Callable[[Sequence[str]], None] = lambda some: space.state.forget(some, IN_GROUP)  # noqa: E731
        written.add(space.contact_writer.leave_group(group, leaving, done))
        _keep(space, group, withdrawn, written)
        return written

    attempt(space, Target("Withdrawn", f"group {name!r}"), find, write)


def leave_other_groups(space: OpenWorkspace, names: Iterable[str], withdrawn: frozenset[str]) -> None:
    """Take those who withdrew out of groups that were filled before, but for those of these names.

    Such a group lost its place in the configuration, or its name to another one; broadcasts may still go to it.
    """
    for uuid in space.state.other_groups(names):
        group = space.contact_writer.targets.group_by_uuid(uuid)
        if group is None:
            space.state.forget_group(uuid)
        elif not group.query and not space.state.holds_group(uuid, withdrawn):
            _leave(space, group, withdrawn)


def _leave(space: OpenWorkspace, group: ContactGroup, withdrawn: frozenset[str]) -> None:
    def write(leaving: Collection[str]) -> Written:
        written = space.contact_writer.leave_group(group, leaving)
        _keep(space, group, withdrawn, written)
        return written

    target = Target("Withdrawn", f"group {group.name!r} of earlier, to leave", is_leaving=True)
    attempt(space, target, lambda: space.contact_writer.members(group) & withdrawn, write)


def _find(space: OpenWorkspace, name: str, is_stop: bool) -> ContactGroup | None:
    group = space.contact_writer.find_group(name)
    if group is not None:
        space.state.use_group(group.uuid, is_stop)
    return group


def _is_held(space: OpenWorkspace, group: ContactGroup | None, contacts: Collection[str] | None) -> bool:
    return group is not None and contacts is not None and space.state.holds_group(group.uuid, contacts)


def _keep(space: OpenWorkspace, group: ContactGroup | None, contacts: Collection[str], written: Written) -> None:
    if group is not None and not written.refused:
        space.state.keep_group(group.uuid, contacts)
