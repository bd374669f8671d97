"""The version of the code that runs."""

import os
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def find_revision(root: Path = _ROOT) -> str:
    """Find the commit of the code that runs: git's, else that of the image, else "unknown"."""
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root), "rev-parse", "--verify", "HEAD"]
    try:
        found = subprocess.run(git, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("ENGAGEMENT_REVISION") or "unknown"
    return found.stdout.strip()
