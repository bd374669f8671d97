"""A place where a person's data lies, as all of them are used."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from engagement.desk.held_data.person import PersonSearch


class HeldItem(NamedTuple):
    """One thing that is held. `stays` says why forgetting leaves it; empty if it is removed."""

    file: str
    kind: str
    content: Mapping[str, Any]
    stays: str = ""


class Place(NamedTuple):
    """A place, and how it is searched and emptied.

    `remove` may be killed and repeated, and finds for itself what is left; None if it is not removed here.
    """

    name: str
    find: Callable[[PersonSearch], Iterator[HeldItem]]
    remove: Callable[[PersonSearch], None] | None
