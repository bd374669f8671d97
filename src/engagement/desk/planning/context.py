"""What every part of a plan needs, and what it notes."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engagement.configuration import Project
from engagement.foundation.errors import ServiceError
from engagement.services.credentials import Credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage


@dataclass(frozen=True)
class PlanContext:
    """The run that is planned. The directories need not exist. `unreachable` are services that could not be asked."""

    project: Project
    data_root: Path
    backups: Path
    performance_logs: Path
    coda_pull_credentials: Credentials
    coda_push_credentials: Credentials
    storage: Storage
    policy: RetryPolicy
    now: datetime
    keep_days: int | None = None
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


def say_size(size: int) -> str:
    """A number of bytes for a person.

    >>> say_size(900), say_size(1_500_000)
    ('900 bytes', '1.4 MiB')
    """
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 / 10 else f"{size} bytes"


def say_time(time: datetime | None) -> str:
    """An instant for a person."""
    return "never" if time is None else time.isoformat(timespec="seconds")
