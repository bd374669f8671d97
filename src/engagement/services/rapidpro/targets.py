"""Groups and fields of a workspace that contacts are written to; missing ones are made."""

import re
from collections.abc import Collection, Iterable

from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.group_memory import GroupMemory, Notices, RememberedGroup
from engagement.services.rapidpro.rows import ContactGroup
from engagement.services.rapidpro.writing import RapidProWriter, Refusal


class UnusableTargetError(ServiceError):
    """A group or field can't be written to; everything else can continue."""


class Targets:
    """The workspace's groups and fields, each listed once. With `is_dry` none is made.

    With a `memory` a group is followed where somebody renamed it.
    """

    def __init__(self, client: RapidProWriter, is_dry: bool):
        self._client = client
        self.is_dry = is_dry
        self.memory: GroupMemory | None = None
        self._groups: list[ContactGroup] | None = None
        self._fields: dict[str, bool] | None = None
        self._notices = Notices(f"RapidPro {client.domain}")

    def missing_fields(self, keys: Collection[str]) -> set[str]:
        """Return the keys that no field has; asks nothing about none."""
        if keys and self._fields is None:
            self._fields = {field.key: field.holds_text for field in self._client.fields()}
        return {key for key in keys if key not in (self._fields or {})}

    def find_fields(self, keys: Iterable[str]) -> dict[str, str]:
        """Make the fields that are missing; returns why some keys can't be used, by key."""
        if self._fields is None:
            self._fields = {field.key: field.holds_text for field in self._client.fields()}
        problems = {}
        for key in keys:
            if key not in self._fields and not self.is_dry:
                problem = self._make_field(key, self._fields)
                if problem is not None:
                    problems[key] = problem
                    continue
            if not self._fields.get(key, True):
                problems[key] = "it is there, but takes no texts; expected a field of texts. Name another one."
        return problems

    def _make_field(self, key: str, known: dict[str, bool]) -> str | None:
        made = self._client.create_field(name_of_field(key))
        if isinstance(made, Refusal):
            # An earlier attempt may have made it, whose answer got lost.
            known.update({field.key: field.holds_text for field in self._client.fields()})
            if key not in known:
                return (
                    f"RapidPro refused to make it: {made.reason}; expected it to. Name another one, or make it there."
                )
            return None
        known[made.key] = made.holds_text
        if made.key != key:
            return f"RapidPro made {made.key!r} instead; expected the same key. Name that one."
        return None

    def group_by_uuid(self, uuid: str) -> ContactGroup | None:
        """Return a group; None if RapidPro does not have it (any more)."""
        return next((group for group in self._all_groups() if group.uuid == uuid), None)

    def find_group(self, name: str, is_needed: bool) -> ContactGroup | None:
        """Find a group, and make it if it is missing and needed; None if there is none.

        Raises
        ------
        UnusableTargetError
            It is a smart group, one of several of that name, or can't be made.
        """
        group = self._look_up(name)
        if group is None and is_needed and not self.is_dry:
            made = self._client.create_group(name)
            if isinstance(made, Refusal):
                # An earlier attempt may have made it, whose answer got lost.
                self._groups = None
                group = self._look_up(name)
                if group is None:
                    raise UnusableTargetError(
                        f"RapidPro {self._client.domain}: refused to make group {name!r}: {made.reason}; expected it to. Name "
                        "another one, or make it there."
                    )
            else:
                group = made
                self._all_groups().append(group)
        if group is not None and group.query:
            raise UnusableTargetError(
                f"RapidPro {self._client.domain}: group {name!r} is a smart one, which RapidPro fills itself; expected one "
                "without a query. Name another one."
            )
        if group is not None and self.memory is not None:
            self.memory.remember_group(name, RememberedGroup(group.uuid, group.name))
        return group

    def _all_groups(self) -> list[ContactGroup]:
        if self._groups is None:
            self._groups = self._client.groups()
        return self._groups

    def _look_up(self, name: str) -> ContactGroup | None:
        """Find the group that was written to before, or else the one that has the name."""
        named = [group for group in self._all_groups() if group.name.casefold() == name.casefold()]
        remembered = self.memory.remembered_group(name) if self.memory is not None else None
        known = None if remembered is None else self.group_by_uuid(remembered.uuid)
        if known is not None and known not in named and len(named) != 1:
            if remembered is not None and known.name != remembered.name:
                self._notices.tell(
                    f"group {name!r} is now called {known.name!r} there, and is written to as before. Give it that name in the "
                    "configuration, too"
                )
            return known
        if known in named:
            return known
        if len(named) > 1:
            raise UnusableTargetError(
                f"RapidPro {self._client.domain}: {len(named)} groups are called {name!r}; expected one. Rename the others there."
            )
        if known is not None:
            self._notices.tell(
                f"group {name!r} is now called {known.name!r} there, and another one is called {name!r}: that one is filled from now "
                "on. Whoever withdraws leaves the other one as well"
            )
        elif remembered is not None:
            what = "another one of that name is filled" if named else "it is made again once somebody belongs there"
            self._notices.tell(f"group {name!r} was deleted there: {what}")
            if self.memory is not None:
                self.memory.forget_group(remembered.uuid)
        return named[0] if named else None


def name_of_field(key: str) -> str:
    """Return a name of which RapidPro derives a key.

    >>> name_of_field("age_answered")
    'age answered'
    """
    return re.sub("_+", " ", key)
