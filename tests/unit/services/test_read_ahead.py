"""What is made ahead comes in order, errors come in their place, and nobody waits for what is not wanted any more."""

import threading
import time
from collections.abc import Iterator

import pytest

from engagement.services.read_ahead import read_ahead


def _wait_until_alone() -> bool:
    for _ in range(500):
        if not any(thread.name == "read ahead" for thread in threading.enumerate()):
            return True
        time.sleep(0.01)
    return False


def test_items_come_in_order_and_once() -> None:
    """Each item is given once, in the order in which it was made."""
    assert list(read_ahead(iter(range(1000)))) == list(range(1000))
    assert list(read_ahead(iter([]))) == []
    assert _wait_until_alone()


def test_next_item_is_made_while_one_is_worked_on() -> None:
    """The second item is asked for before the first is done with, and no more than two further ones."""
    started = [threading.Event() for _ in range(10)]

    def make() -> Iterator[int]:
        for number, event in enumerate(started):
            event.set()
            yield number

    items = read_ahead(make())
    assert next(items) == 0
    assert started[2].wait(5)
    # That something does not happen can only be waited for.
    assert not started[3].wait(0.1)
    items.close()  # type: ignore[attr-defined]


def test_error_comes_where_its_item_would_have_come() -> None:
    """All items before the error are given."""

    def make() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("the third")

    items = read_ahead(make())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(LookupError, match="the third"):
        next(items)
    assert _wait_until_alone()


def test_who_stops_early_does_not_wait() -> None:
    """An item that takes for ever holds nobody up, and the thread ends with it."""
    is_released = threading.Event()

    def make() -> Iterator[int]:
        yield 1
        is_released.wait(30)
        yield 2
        yield 3

    items = read_ahead(make())
    assert next(items) == 1
    began = time.monotonic()
    items.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 5
    is_released.set()
    assert _wait_until_alone()
