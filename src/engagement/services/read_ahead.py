"""Reading ahead: fetch the next item while this one is processed, so network and disk waits overlap."""

import contextlib
import queue
import threading
from collections.abc import Iterator


class _Stop:
    """Marks the end of the items; `error` is what ended them, if anything."""

    def __init__(self, error: BaseException | None):
        self.error = error


def read_ahead[Item](items: Iterator[Item]) -> Iterator[Item]:
    """Give the items in order while a thread makes the next one; errors come in their item's place.

    Until the last item is out, nothing else may use their source. If the caller stops early, nobody waits for the item
    being made, not even the end of the process: the item may be retrying a server for an hour.
    """
    # One item waits here while the thread makes another, so at most three are in memory.
    made: queue.Queue[Item | _Stop] = queue.Queue(1)
    is_wanted = True

    def make() -> None:
        error = None
        try:
            for item in items:
                made.put(item)
                if not is_wanted:
                    return
        except BaseException as failure:
            error = failure
        made.put(_Stop(error))

    threading.Thread(target=make, name="read ahead", daemon=True).start()
    try:
        while not isinstance(item := made.get(), _Stop):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_wanted = False
        with contextlib.suppress(queue.Empty):
            made.get_nowait()  # make room, so the thread can finish
