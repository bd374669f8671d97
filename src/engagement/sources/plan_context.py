"""The desk's side of a source's plan: its needs and its notes."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engagement.foundation.errors import ServiceError
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage


@dataclass(frozen=True, kw_only=True)
class SourcePlanContext:
    """A planned fetch. The data root need not exist; `unreachable` lists services that gave no answer."""

    data_root: Path
    storage: Storage
    policy: RetryPolicy
    unreachable: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Note a service that can't be reached, and go on after the block."""
        try:
            yield
        except ServiceError as error:
            # Each service once, on one line.
            told = " ".join(str(error).split())
            if told not in self.unreachable:
                self.unreachable.append(told)


def say_time(time: datetime) -> str:
    """Put an instant into words."""
    return time.isoformat(timespec="seconds")
