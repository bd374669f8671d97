"""How old the labels are that decide which messages go.

A coder may have labelled a message STOP since, and the STOP would go with it, unseen.
"""

from datetime import datetime, timedelta
from pathlib import Path

from engagement.labelling.datasets.downloads import find_last_reading

_OLDEST = timedelta(days=1)


def say_why_labels_are_old(data_root: Path, now: datetime) -> str:
    """Say why no message may go by the labels in Coded Coda Files/; nothing if they are recent enough."""
    last = find_last_reading(data_root)
    # A clock that was ahead would have them young for as long.
    if last is not None and abs(now - last) <= _OLDEST:
        return ""
    when = "at an unknown time" if last is None else f"on {last:%Y-%m-%d %H:%M}Z"
    return (
        f"the labels of Coda were read {when}; expected within a day, as messages may be labelled STOP since. Run stage 1, or the whole "
        "pipeline"
    )
