"""Remember which group a name stands for, whatever somebody calls it in RapidPro."""

import logging
from typing import NamedTuple, Protocol

_logger = logging.getLogger(__name__)


class RememberedGroup(NamedTuple):
    """A group that was written to: its uuid, and the name that it had then."""

    uuid: str
    name: str


class GroupMemory(Protocol):
    """Remembers which group each name stands for, whatever somebody calls it in RapidPro."""

    def remembered_group(self, name: str) -> RememberedGroup | None:
        """Return the group that was written to under this name."""

    def remember_group(self, name: str, group: RememberedGroup) -> None:
        """Keep that a name stands for this group from now on."""

    def forget_group(self, uuid: str) -> None:
        """Forget a group that RapidPro has no more."""


class Notices:
    """Warnings that a run gives once each; the memory sees to it that the next run does not repeat them."""

    def __init__(self, where: str):
        self._where = where
        self._told: set[str] = set()

    def tell(self, text: str) -> None:
        """Warn, unless this run did so before."""
        if text not in self._told:
            self._told.add(text)
            _logger.warning("%s: %s", self._where, text)
