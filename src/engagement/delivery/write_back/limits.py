"""Stop before anything is sent if far more contacts would change than can be meant."""

from collections.abc import Sequence

from engagement.configuration.write_back import WriteBack
from engagement.delivery.write_back.workspace import OpenWorkspace, known_withdrawn
from engagement.foundation.errors import LimitError

# So many people stop in a night, even in a small project.
_FEW = 20
# Of those that a workspace has, no larger part ever stopped between two runs.
_LARGEST_PART = 0.2
_ACCEPT = "if that is right, run write_back.sh once with --accept-many"


def refuse_many_withdrawals(space: OpenWorkspace, wanted: WriteBack, withdrawn: frozenset[str]) -> None:
    """Refuse to tell RapidPro that a large part of its contacts withdrew since the last run.

    Raises
    ------
    LimitError
        There are so many: a STOP code in a wrong place, or a wrong list, rather than people's wish.
    """
    if wanted.withdrawn is None:
        return
    everybody = sum(map(len, space.contacts.values()))
    new = len(space.contacts_of(withdrawn) - known_withdrawn(space, wanted))
    if new > max(_FEW, everybody * _LARGEST_PART):
        raise LimitError(
            f"{space.where}: {new:,} of {everybody:,} contacts would be marked as withdrawn for the first time; expected a fifth "
            f"at most. Nothing was sent. Check the labels STOP and WithdrawnElsewhere; {_ACCEPT}."
        )


def refuse_many_changes(rehearsed: Sequence[OpenWorkspace], at_most: int) -> None:
    """Refuse a run that would change more contacts than WriteBack.AtMost; the workspaces were rehearsed.

    Raises
    ------
    LimitError
        There are more, in all workspaces together.
    """
    changed = sum(len(space.contact_writer.would_change) for space in rehearsed)
    if changed > at_most:
        parts = [
            f"{space.where}: {target.origin}: {target.name}: {written.changed:,}"
            for space in rehearsed
            for target, _, written in space.written
            if written.changed
        ]
        told = "\n  ".join(parts)
        raise LimitError(
            f"WriteBack: {changed:,} contacts would change; expected {at_most:,} at most, as AtMost says. Nothing was sent. They "
            f"are, by what would be written:\n  {told}\nCheck the selections and labels; {_ACCEPT}, or raise AtMost."
        )
