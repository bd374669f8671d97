"""The version of the code that runs."""

import os
import re
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
# The run scripts set it: the id of the image that a container runs.
_IMAGE = "ENGAGEMENT_IMAGE"


def find_revision(root: Path = _ROOT) -> str:
    """Find the commit of the code that runs: git's, else that of the image, else "unknown"."""
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root), "rev-parse", "--verify", "HEAD"]
    try:
        found = subprocess.run(git, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("ENGAGEMENT_REVISION") or "unknown"
    return found.stdout.strip()


def find_lock(root: Path = _ROOT) -> Path:
    """Name the file with the versions of all packages; an image holds it, too."""
    return root / "Pipfile.lock"


def find_image() -> str | None:
    """Find the id of the image that this container runs, like "sha256:…"; None outside of containers."""
    told = os.environ.get(_IMAGE, "")
    return told if re.fullmatch("(sha256:)?[0-9a-f]{12,64}", told) else None
