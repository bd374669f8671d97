"""Stop before anything is sent if far more contacts would change than can be meant."""

from collections.abc import Iterable, Sequence

from engagement.configuration.write_back import WriteBack
from engagement.delivery.write_back.marks import Marks
from engagement.delivery.write_back.workspace import OpenWorkspace
from engagement.delivery.write_back.writing import known_withdrawn, write_withdrawn
from engagement.foundation.errors import LimitError

# So many people stop in a night, even in a small project.
_FEW = 20
# Of those that a workspace has, no larger part ever stopped between two runs.
_LARGEST_PART = 0.2
_ACCEPT = "if that is right, run write_back.sh once with --accept-many"


def refuse_many_withdrawals(space: OpenWorkspace, wanted: WriteBack, marks: Marks) -> None:
    """Refuse to tell RapidPro that a large part of its contacts withdrew since the last run.

    Where the state tells of so many, RapidPro itself is asked whether it knows: the state can be lost.

    Raises
    ------
    LimitError
        There are so many: a STOP code in a wrong place, or a wrong list, rather than people's wish.
    """
    if wanted.withdrawn is None:
        return
    everybody = len(space.contacts_of(space.contacts))
    most = max(_FEW, everybody * _LARGEST_PART)
    known = known_withdrawn(space, wanted)
    if len(space.contacts_of(marks.withdrawn) - known) <= most:
        return
    with space.rehearse() as rehearsed:
        write_withdrawn(rehearsed, wanted, marks)
    new = len((space.contact_writer.would_change & space.contacts_of(marks.withdrawn)) - known)
    if new > most:
        lost = "" if known else " No earlier run is known: if State/write_back/ was lost, bring it back from a back-up."
        raise LimitError(
            f"{space.where}: {new:,} of {everybody:,} contacts would be marked as withdrawn for the first time; expected a fifth "
            f"at most. Nothing was sent.{lost} Check the labels STOP and WithdrawnElsewhere; {_ACCEPT}."
        )


def refuse_many_changes(rehearsed: Sequence[OpenWorkspace], at_most: int) -> None:
    """Refuse a run that would change more contacts than WriteBack.AtMost; the workspaces were rehearsed.

    Raises
    ------
    LimitError
        There are more, in all workspaces together.
    """
    changed = sum(len(space.contact_writer.would_change) for space in rehearsed)
    parts = [
        (f"{space.where}: {target.origin}: {target.name}", written.changed)
        for space in rehearsed
        for target, _, written in space.written
    ]
    refuse_many("WriteBack", changed, at_most, parts, f"Check the selections and labels; {_ACCEPT}, or raise AtMost.")


def refuse_many(who: str, changed: int, at_most: int, parts: Iterable[tuple[str, int]], advice: str) -> None:
    """Refuse to change more contacts than AtMost; `parts` are the counts of what would be written.

    Raises
    ------
    LimitError
        There are more.
    """
    if changed > at_most:
        told = "\n  ".join(f"{what}: {count:,}" for what, count in parts if count)
        raise LimitError(
            f"{who}: {changed:,} contacts would change; expected {at_most:,} at most, as AtMost says. Nothing was sent. They "
            f"are, by what would be written:\n  {told}\n{advice}"
        )
