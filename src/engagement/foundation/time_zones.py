"""The rules of time zones, which come from this machine and change with its updates."""

import hashlib
import zoneinfo
from importlib import resources
from pathlib import Path


def digest_time_zone(name: str) -> str:
    """Digest the rules of a time zone where `ZoneInfo` finds them: on the machine, else in tzdata.

    Empty if there are none.
    """
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()
    rules = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    try:
        return hashlib.sha256(rules.read_bytes()).hexdigest()
    except OSError:
        # An update removed it: whoever reads the configuration refuses the name.
        return ""
