"""Paths that are not the plain file or folder that they seem: links, pipes and devices."""

import errno
import os
import stat
from pathlib import Path

from engagement.foundation.errors import MachineError


def expect_no_pipe(path: Path) -> None:
    """Raise an OSError for a pipe or a device: reading it would wait, perhaps for ever."""
    kind = path.stat().st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise OSError(errno.EINVAL, "it is a pipe or a device and not a file")


def follow_link(folder: Path) -> Path:
    """Return the folder that a link leads to, or the folder itself.

    Raises
    ------
    MachineError
        The link leads to nothing: its disk may be away, and making the folder would write to another one.
    """
    if not folder.is_symlink():
        return folder
    target = Path(os.path.realpath(folder))
    # A killed replacement may have left only the old version.
    if not target.is_dir() and not target.with_name(target.name + ".old").is_dir():
        raise MachineError(
            f"{folder}: a link to {target}, where there is no folder; expected one. Nothing was done. Mount its disk or "
            "create the folder, and run this again. In a container no link that leads out of the data root can be followed."
        )
    return target
