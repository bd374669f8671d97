"""Where the outputs are."""

from pathlib import Path

# Stage 5 owns this folder in Outputs/: carry it over unchanged.
AUTOMATED_ANALYSIS = "Automated Analysis"


def current_outputs(data_root: Path) -> Path:
    """Return the folder of a data root that the next version replaces."""
    return data_root / "Outputs"
