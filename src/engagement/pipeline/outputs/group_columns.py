"""Columns of listening groups in the tables: whether each participant is a member."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_CELLS = ("false", "true")
# The code ids as the tables for the analysis have them.
_CODES = (b'["false"]', b'["true"]')


@dataclass(frozen=True)
class GroupColumns:
    """The columns of a project's groups, in order, and each member's groups; others are in none.

    >>> groups = GroupColumns(("listening_group_a", "listening_group_b"), {"amina": (True, False)})
    >>> groups.cells("amina"), groups.cells("bashir"), GroupColumns().cells("amina")
    (',true,false', ',false,false', '')
    """

    names: Sequence[str] = ()
    members: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)

    def cells(self, uid: str) -> str:
        """Make a participant's cells, each after a comma; none without groups."""
        return "".join(f",{_CELLS[is_member]}" for is_member in self._find(uid)) if self.names else ""

    def codes(self, uid: str) -> Iterator[bytes]:
        """Make a participant's codes for the analysis."""
        return (_CODES[is_member] for is_member in self._find(uid))

    def _find(self, uid: str) -> tuple[bool, ...]:
        return self.members.get(uid) or (False,) * len(self.names)


NO_GROUPS = GroupColumns()
