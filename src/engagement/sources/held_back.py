"""What each fetch leaves out: people who asked to be forgotten, and messages that are over age."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from engagement.sources.forgotten import NOBODY, ForgottenPeople, read_forgotten
from engagement.sources.message_cut import MessageCut, read_cut


class HeldBack:
    """What a data root's fetches leave out; false if there is nothing. `cut` is None without one."""

    def __init__(self, forgotten: ForgottenPeople, cut: MessageCut | None):
        self.forgotten = forgotten
        self.cut = cut

    def __bool__(self) -> bool:
        return bool(self.forgotten) or self.cut is not None

    def holds_back(
        self, identity: str, sent: datetime, texts: Iterable[str | None], answered: Iterable[datetime | None] = ()
    ) -> bool:
        """Check if what a uid or contact sent at a time is left out.

        `texts` are in it, `answered` the times of its answers: with a younger one it is not over age.
        """
        if self.cut is not None and sent < self.cut.before and self.cut.removes((sent, *answered), texts):
            return True
        return self.forgotten.holds_back(identity, sent)


def read_held_back(data_root: Path) -> HeldBack:
    """Read what is left out.

    Raises
    ------
    InputError
        One of the files is damaged or missing.
    """
    return HeldBack(read_forgotten(data_root), read_cut(data_root))


NOTHING = HeldBack(NOBODY, None)
