"""Ask for what comes next while what came is worked on: waiting for a server and waiting for a disk cost once, not twice."""

import contextlib
import queue
import threading
from collections.abc import Iterator


class _Stop:
    """What ends the items. `error` is what they ended in."""

    def __init__(self, error: BaseException | None):
        self.error = error


def read_ahead[Item](items: Iterator[Item]) -> Iterator[Item]:
    """Give the items in order, the next one made meanwhile in a thread; an error is raised where its item would have come.

    Nothing else may use what makes the items until the last was given. Who stops earlier than that does not wait for the item that
    is being made, nor does the end of the process: it may be patient with a server for an hour.
    """
    # One item waits here, and the thread makes another: what came is never more than three items.
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
            made.get_nowait()  # makes room, so that the thread comes to its end
