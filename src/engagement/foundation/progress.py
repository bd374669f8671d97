"""Progress display: a bar on a terminal, nothing elsewhere, where each step's log line suffices."""

import os
from collections.abc import Iterable, Iterator

from tqdm import tqdm


def show_progress[T](things: Iterable[T], total: int | None, what: str, unit: str) -> Iterator[T]:
    """Pass items on, and show on a terminal how many of `total` have passed."""
    # The bar's monitor is a thread, and processes are forked while bars are shown.
    tqdm.monitor_interval = 0
    is_quiet = bool(os.environ.get("ENGAGEMENT_QUIET"))
    return iter(tqdm(things, total=total, desc=what, unit=unit, disable=is_quiet or None, leave=False))
