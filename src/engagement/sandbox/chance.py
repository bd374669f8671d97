"""Chance that can be repeated: every draw and every id follows from the seed and from what it is for."""

import hashlib
import random
import uuid
from collections.abc import Mapping
from random import Random


def random_for(seed: int, *purpose: object) -> Random:
    """Give a random generator of its own to each purpose, so that one more participant changes no other one."""
    # Invented data, not a secret: it has to be the same on every machine.
    return random.Random(_key(seed, purpose))  # noqa: S311


def uuid_for(seed: int, *purpose: object) -> str:
    """Give the uuid (version 4 in form) of a purpose.

    >>> uuid_for(1, "contact", 7) == uuid_for(1, "contact", 7) != uuid_for(2, "contact", 7)
    True
    """
    digest = hashlib.sha256(_key(seed, purpose).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def draw[T](chance: Random, weights: Mapping[T, float]) -> T:
    """Draw one of the keys, each as often as its weight says."""
    return chance.choices(list(weights), list(weights.values()))[0]


def _key(seed: int, purpose: tuple[object, ...]) -> str:
    return "/".join(map(str, (seed, *purpose)))
