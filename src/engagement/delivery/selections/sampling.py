"""Draw samples that depend neither on the order of participants nor on the machine."""

import hashlib
from collections.abc import Mapping, Sequence

from engagement.configuration.contact_selections import ContactSample

_NO_ANSWER = ""


def draw_sample(uids: Sequence[str], sample: ContactSample, strata: Mapping[str, str]) -> tuple[str, ...]:
    """Draw a sample, sorted. With `strata`, each participant's, each stratum keeps its share.

    A larger sample with the same seed and without strata holds every smaller one.
    """
    groups: dict[str, list[str]] = {}
    for uid in uids:
        groups.setdefault(strata.get(uid, _NO_ANSWER), []).append(uid)
    places = share_out(min(sample.size, len(uids)), {name: len(found) for name, found in groups.items()})
    drawn = (uid for name, found in groups.items() for uid in _order(found, sample.seed)[: places[name]])
    return tuple(sorted(drawn))


def _order(uids: Sequence[str], seed: int) -> list[str]:
    return sorted(uids, key=lambda uid: (hashlib.sha256(f"{seed}:{uid}".encode()).digest(), uid))


def share_out(size: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Share a sample's places among groups by their sizes, by largest remainders.

    >>> share_out(10, {"man": 66, "woman": 33, "": 1}), share_out(2, {"a": 1, "b": 1, "c": 1})
    ({'man': 7, 'woman': 3, '': 0}, {'a': 1, 'b': 1, 'c': 0})

    Source
    ------
    T. Hare, A. Hamilton; described in M. L. Balinski, H. P. Young (1982), Fair Representation, Yale University Press.
    """
    total = sum(counts.values())
    if not total:
        return dict.fromkeys(counts, 0)
    places = {name: size * count // total for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (-(size * counts[name] % total), name))
    for name in by_remainder[: size - sum(places.values())]:
        places[name] += 1
    return places
