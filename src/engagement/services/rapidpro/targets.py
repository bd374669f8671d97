"""Groups and fields of a workspace that contacts are written to; missing ones are made."""

import re
from collections.abc import Iterable

from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.rows import ContactGroup
from engagement.services.rapidpro.writing import RapidProWriter, Refusal


class UnusableTargetError(ServiceError):
    """A group or field can't be written to; everything else can continue."""


class Targets:
    """The workspace's groups and fields, each listed once. With `is_dry` none is made."""

    def __init__(self, client: RapidProWriter, is_dry: bool):
        self._client = client
        self.is_dry = is_dry
        self._groups: dict[str, ContactGroup] | None = None
        self._fields: dict[str, bool] | None = None

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

    def find_group(self, name: str, is_needed: bool) -> ContactGroup | None:
        """Find a group, and make it if it is missing and needed; None if there is none.

        Raises
        ------
        UnusableTargetError
            It is a smart group, or can't be made.
        """
        if self._groups is None:
            self._groups = {group.name.casefold(): group for group in self._client.groups()}
        group = self._groups.get(name.casefold())
        if group is not None and group.query:
            raise UnusableTargetError(
                f"RapidPro {self._client.domain}: group {name!r} is a smart one, which RapidPro fills itself; expected one "
                "without a query. Name another one."
            )
        if group is None and is_needed and not self.is_dry:
            made = self._client.create_group(name)
            if isinstance(made, Refusal):
                self._groups = {group.name.casefold(): group for group in self._client.groups()}
                found = self._groups.get(name.casefold())
                if found is None:
                    raise UnusableTargetError(
                        f"RapidPro {self._client.domain}: refused to make group {name!r}: {made.reason}; expected it to. Name "
                        "another one, or make it there."
                    )
                return found
            group = self._groups[name.casefold()] = made
        return group


def name_of_field(key: str) -> str:
    """Return a name of which RapidPro derives a key.

    >>> name_of_field("age_answered")
    'age answered'
    """
    return re.sub("_+", " ", key)
