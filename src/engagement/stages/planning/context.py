"""Context that the plan of a run needs."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engagement.configuration import Project
from engagement.services.credentials import Credentials
from engagement.sources.plan_context import SourcePlanContext


@dataclass(frozen=True, kw_only=True)
class PlanContext(SourcePlanContext):
    """A planned run. The directories need not exist."""

    project: Project
    backups: Path
    performance_logs: Path
    coda_pull_credentials: Credentials
    coda_push_credentials: Credentials
    now: datetime
    keep_days: int | None = None


def say_size(size: int) -> str:
    """Put a number of bytes into words.

    >>> say_size(900), say_size(1_500_000)
    ('900 bytes', '1.4 MiB')
    """
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 / 10 else f"{size} bytes"
