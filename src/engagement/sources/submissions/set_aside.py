"""Tell people which submissions can't be read; refuse too many."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from engagement.foundation.errors import count_of
from engagement.sources.context import FetchContext
from engagement.sources.set_aside_lists import refuse_set_aside, write_set_aside
from engagement.sources.submissions.long_answers import is_too_large
from engagement.sources.submissions.store import SubmissionStore

_NAMED = 10
_NUMBER = re.compile("([0-9]+)")

_logger = logging.getLogger(__name__)


def report_set_aside(where: str, stores: Sequence[SubmissionStore], file: Path, context: FetchContext) -> None:
    """Warn of unreadable submissions, list them in a file, and count them in the run's summary.

    Raises
    ------
    ServiceError
        They are more than 1 % of all, those left out that are too large, and --accept-shrinkage is not given.
    """
    listed = [
        (store.flow, one)
        for store in stores
        for one in sorted(store.set_aside(), key=lambda one: _order_of_place(one.place))
    ]
    write_set_aside(file, ({"flow": flow, "place": one.place, "reason": one.reason} for flow, one in listed))
    if not listed:
        return
    context.counts["set_aside_rows"] += len(listed)
    reasons = Counter(one.reason for _, one in listed)
    more = len(listed) - _NAMED
    _logger.warning(
        "%s: %s can't be read, and %s set aside until %s can: %s. %s %s%s; all are in %s.",
        where,
        count_of(len(listed), "submission"),
        *(("is", "it") if len(listed) == 1 else ("are", "they")),
        "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common(_NAMED)),
        "It is" if len(listed) == 1 else "They are",
        "; ".join(one.place for _, one in listed[:_NAMED]),
        f" and {more} more" if more > 0 else "",
        file,
    )
    doubtful = sum(not is_too_large(one.reason) for _, one in listed)
    if doubtful and not context.accept_shrinkage:
        held = sum(store.count() for store in stores)
        remedy = "Mend them where they come from"
        refuse_set_aside(doubtful, held + doubtful, where, file, remedy)


def _order_of_place(place: str) -> list[tuple[int, str]]:
    """Order row 9 before row 10."""
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in _NUMBER.split(place)]
