"""The folders of a demo, and the one thing that the sandbox remembers from call to call: the number of its round."""

from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, read_json, write_json
from engagement.sandbox.workspace import DEFAULT_SEED

_STATE_VERSION = 1


@dataclass(frozen=True)
class SandboxState:
    """From which seed the sandbox is made, and which round it has come to."""

    seed: int = DEFAULT_SEED
    round_number: int = 0


@dataclass(frozen=True)
class DemoDirectory:
    """Where things lie in a demo's directory."""

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
    def _state_file(self) -> Path:
        return self.embedded / "sandbox_state.json"

    def read_state(self) -> SandboxState:
        """Read how far the sandbox has come; round 0 where it has not begun.

        Raises
        ------
        InputError
            The state's file is damaged, or of another version.
        """
        path = self._state_file
        if not path.exists():
            return SandboxState()
        match read_json(path, what="the sandbox's state"):
            case {"Version": 1, "Seed": int(seed), "Round": int(number)} if number >= 0:
                return SandboxState(seed, number)
        raise InputError(
            f"{path}: not a sandbox's state of version {_STATE_VERSION}; expected Version, Seed and Round. "
            "Remove the demo's directory and begin anew."
        )

    def write_state(self, state: SandboxState) -> None:
        """Keep how far the sandbox has come."""
        make_directory(self.embedded)
        document = {"Version": _STATE_VERSION, "Seed": state.seed, "Round": state.round_number}
        write_json(self._state_file, document)
