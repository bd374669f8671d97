"""Processes that do a part of the work, and must not outlive the one that shares it out."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process as soon as its parent ends, however that ends.

    Otherwise a stage that was killed alone would leave processes behind that hold its memory and go on writing, beside
    the run that comes after it.
    """
    library = ctypes.CDLL(None)
    # Other kernels than Linux have no such call.
    if hasattr(library, "prctl"):
        library.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    # It may have ended before the kernel was asked.
    if os.getppid() != parent:
        os._exit(1)
