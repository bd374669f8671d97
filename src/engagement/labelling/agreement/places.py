"""Where it is kept how far coders agree."""

from pathlib import Path


def results_folder(data_root: Path) -> Path:
    """Return the path of the folder with the results of all episodes."""
    return data_root / "State" / "agreement"
