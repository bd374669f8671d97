"""Who runs this: the account and the machine."""

import getpass
import os
import socket

# The run scripts set it for containers, which know neither.
_VARIABLE = "ENGAGEMENT_ACCOUNT"


def name_account() -> str:
    """Name the account and the machine, like "asha@analysis-1"."""
    told = os.environ.get(_VARIABLE)
    if told:
        return told
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container the user has a number alone.
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
