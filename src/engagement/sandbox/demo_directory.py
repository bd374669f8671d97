"""A demo's folders, and the sandbox's only state between calls: its round number."""

from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.sandbox.contact_changes import ContactChanges
from engagement.sandbox.workspace import DEFAULT_SEED

_STATE_VERSION = 1


@dataclass(frozen=True)
class SandboxState:
    """The seed of the sandbox, and its current round."""

    seed: int = DEFAULT_SEED
    round_number: int = 0


@dataclass(frozen=True)
class DemoDirectory:
    """Paths in a demo's directory."""

    root: Path

    @property
    def embedded(self) -> Path:
        """Directory of the embedded services."""
        return self.root / "embedded"

    @property
    def credentials(self) -> Path:
        """Directory of the credentials files that the command line names."""
        return self.root / "credentials"

    @property
    def configuration_file(self) -> Path:
        """The demo's own copy of the pipeline configuration."""
        return self.root / "configuration" / "pipeline_configuration.json"

    @property
    def incoming(self) -> Path:
        """Directory of files that others sent, with phone numbers."""
        return self.root / "incoming"

    @property
    def group_file(self) -> Path:
        """The listening group's workbook."""
        return self.incoming / "listening_group.xlsx"

    @property
    def telecom_file(self) -> Path:
        """The telecom's export of received SMS."""
        return self.incoming / "telecom_october.csv"

    @property
    def recovered_file(self) -> Path:
        """What `engagement recover` finds in the telecom's export, without phone numbers."""
        return self.root / "recovered" / "s01e03_recovered.csv"

    @property
    def _state_file(self) -> Path:
        return self.embedded / "sandbox_state.json"

    @property
    def _changes_file(self) -> Path:
        return self.embedded / "sandbox_contacts.json"

    def read_changes(self) -> ContactChanges:
        """Read what was written to the sandbox's contacts in earlier rounds."""
        path = self._changes_file
        return ContactChanges(**read_json(path, what="the sandbox's contacts")) if path.exists() else ContactChanges()

    def write_changes(self, changes: ContactChanges) -> None:
        """Save what was written to the sandbox's contacts."""
        make_directory(self.embedded)
        write_json(self._changes_file, vars(changes), indent=None)

    def read_state(self) -> SandboxState:
        """Read the sandbox's state; round 0 if it has not begun.

        Raises
        ------
        InputError
            The state file is damaged, or has another version.
        """
        path = self._state_file
        if not path.exists():
            return SandboxState()
        match read_json(path, what="the sandbox's state"):
            case {"Version": 1, "Seed": int(seed), "Round": int(number)} if number >= 0:
                return SandboxState(seed, number)
        raise InputError(
            f"{path}: not a sandbox's state of version {_STATE_VERSION}; expected Version, Seed and Round. "
            "Remove the demo's directory and start again."
        )

    def write_state(self, state: SandboxState) -> None:
        """Save the sandbox's state."""
        make_directory(self.embedded)
        document = {"Version": _STATE_VERSION, "Seed": state.seed, "Round": state.round_number}
        write_json(self._state_file, document)
