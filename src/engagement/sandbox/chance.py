"""Repeatable randomness: every draw and id follows from the seed and its purpose."""

import hashlib
import random
import uuid
from collections.abc import Mapping
from random import Random


def random_for(seed: int, *purpose: object) -> Random:
    """Return a separate random generator for each purpose, so one more participant changes no other."""
    # Invented data, not a secret: it must be the same on every machine.
    return random.Random(_key(seed, purpose))  # noqa: S311


def uuid_for(seed: int, *purpose: object) -> str:
    """Return the uuid (in version 4 format) for a purpose.

    >>> uuid_for(1, "contact", 7) == uuid_for(1, "contact", 7) != uuid_for(2, "contact", 7)
    True
    """
    digest = hashlib.sha256(_key(seed, purpose).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def draw[T](chance: Random, weights: Mapping[T, float]) -> T:
    """Draw one of the keys, with the given weights."""
    return chance.choices(list(weights), list(weights.values()))[0]


def _key(seed: int, purpose: tuple[object, ...]) -> str:
    return "/".join(map(str, (seed, *purpose)))
