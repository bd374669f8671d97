"""What decides a run's outputs, apart from the reading of the configuration: this loads quickly."""

import hashlib
import platform

from engagement.foundation.own_code import describe_own_code
from engagement.foundation.time_zones import digest_time_zone


def describe_maker(settings: str, time_zone: str, mode: str) -> dict[str, str]:
    """Digest everything that decides the outputs, by the words that report a change.

    `settings` are a digest already.
    """
    return {
        "the pipeline": digest_value((platform.python_version(), describe_own_code())),
        "the configuration": settings,
        "the mode": mode,
        # Few tables have local times: the index of messages, and the analysis' weeks.
        "the time zone's rules": digest_time_zone(time_zone),
    }


def digest_value(value: object) -> str:
    """Digest the representation of a value."""
    return hashlib.sha256(repr(value).encode()).hexdigest()
