"""Errors for people, each kind with its exit status.

Anything else is a bug in the pipeline: Python prints a traceback and exits with 1.
"""

from collections.abc import Sequence


class PipelineError(Exception):
    """An error that a person can act on.

    The text says where, what was found, what was expected and what to do.
    """

    exit_status = 1


class UsageError(PipelineError):
    """The command line can't be carried out, for example because a named file does not exist."""

    exit_status = 2


class LockedError(PipelineError):
    """Another run is using the same data root."""

    exit_status = 4


class ConfigurationError(PipelineError):
    """The configuration, the coding plans or a code scheme can't be used."""

    exit_status = 10


class InputError(PipelineError):
    """A data file is damaged, missing or in the wrong format."""

    exit_status = 11


class ServiceError(PipelineError):
    """A remote service refused, or could not be reached."""

    exit_status = 12


class DisclosureError(PipelineError):
    """The gate found data that must not leave this machine."""

    exit_status = 13


class LimitError(PipelineError):
    """Data must not leave, or more contacts would be changed, or more files removed, than can be meant."""

    exit_status = 13


class MachineError(PipelineError):
    """A problem with this machine: disk, permissions, the Docker engine."""

    exit_status = 14


def listing(problems: Sequence[str], most: int = 100) -> str:
    """List problems for a person, one a line below their count; after the first `most`, only count them.

    >>> print(listing(["at $.A: 1 should be a string"]))
    1 problem(s):
      at $.A: 1 should be a string
    """
    lines = [f"{len(problems)} problem(s):", *(f"  {problem}" for problem in problems[:most])]
    if len(problems) > most:
        lines.append(f"  … and {len(problems) - most} more")
    return "\n".join(lines)


def count_of(count: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count_of(1, "participant"), count_of(1200, "place")
    ('1 participant', '1,200 places')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
