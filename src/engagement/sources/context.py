"""The stage's side of a fetch, for every source."""

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engagement.configuration import Project
from engagement.provenance import Metadata
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_credentials
from engagement.services.uuid_tables.protocol import UuidExchange, open_uuid_table
from engagement.sources.forgotten import ForgottenPeople
from engagement.sources.held_back import HeldBack, read_held_back


@dataclass(frozen=True)
class FetchContext:
    """One run of stage 2: its paths, its user, its time. `resources` closes what a source leaves open.

    `accept_shrinkage`: write what came even if much of it is missing. `counts` are for the run's summary.
    `accept_workspace`: a source may start again with another workspace. `accept_new_uuid_table`: the uuid table need not know
    the data root's participants. `uuid_tables` has the project's once it is open, `all_held_back` what is left out
    once that was read.
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
    accept_workspace: bool = False
    accept_new_uuid_table: bool = False
    uuid_tables: list[UuidExchange] = field(default_factory=list)
    all_held_back: list[HeldBack] = field(default_factory=list)

    @property
    def uuid_table(self) -> UuidExchange:
        """The project's uuid table, opened on first use."""
        if not self.uuid_tables:
            self.uuid_tables.append(self._open_uuid_table())
        return self.uuid_tables[0]

    def _open_uuid_table(self) -> UuidExchange:
        configuration = self.project.configuration
        settings = configuration.phone_number_uuid_table
        credentials = read_credentials(self.storage, settings.firebase_credentials_file_url)
        table = open_uuid_table(credentials, settings.table_name, self.policy, configuration.participant_prefix)
        self.resources.callback(table.close)
        if not self.forgotten.marks_keys:
            return table
        # Imported only where people were forgotten.
        from engagement.sources.forgotten_ids import leave_out_forgotten

        now = datetime.fromisoformat(self.timestamp)
        return leave_out_forgotten(table, settings.table_name, self.forgotten, now, self.accept_new_uuid_table)

    @property
    def held_back(self) -> HeldBack:
        """What is left out: people who asked to be forgotten, and messages that are over age."""
        if not self.all_held_back:
            self.all_held_back.append(read_held_back(self.data_root))
        return self.all_held_back[0]

    @property
    def forgotten(self) -> ForgottenPeople:
        """People whose messages are left out, as they asked to be forgotten."""
        return self.held_back.forgotten

    def metadata(self, source_type: str) -> Metadata:
        """Origin of all fetched data, the same for the whole run."""
        return Metadata(f"engagement.sources.{source_type}", self.timestamp, self.user)

    def raw_data_file(self, flow_name: str) -> Path:
        """Name the file for a flow's runs."""
        return self.data_root / "Raw Data" / f"{flow_name}.jsonl"

    def state_file(self, name: str) -> Path:
        """Name a file of the fetch's own state."""
        return self.data_root / "State" / "fetch" / name
