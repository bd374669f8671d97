"""What every source needs of the stage that fetches it."""

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from engagement.configuration import Project
from engagement.provenance import Metadata
from engagement.services.retries import RetryPolicy
from engagement.services.storage import Storage


@dataclass(frozen=True)
class FetchContext:
    """One run of the stage: where things are, who runs it and when. `resources` closes what a source leaves open.

    `accept_shrinkage`: write what came also where much of it is missing. `counts` are for the run's summary.
    """

    project: Project
    data_root: Path
    storage: Storage
    policy: RetryPolicy
    user: str
    timestamp: str
    resources: contextlib.ExitStack
    accept_shrinkage: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def metadata(self, source_type: str) -> Metadata:
        """Who set what is fetched: the same in the whole run."""
        return Metadata(f"engagement.sources.{source_type}", self.timestamp, self.user)

    def raw_data_file(self, flow_name: str) -> Path:
        """Where a flow's runs are written."""
        return self.data_root / "Raw Data" / f"{flow_name}.jsonl"

    def state_file(self, name: str) -> Path:
        """A file of the fetch's own state."""
        return self.data_root / "State" / "fetch" / name
