"""Arrays of hashes: which of them are among others, and one hash for each pair."""

import numpy

_ODD = numpy.uint64(0x9E3779B97F4A7C15)


def are_among(hashes: numpy.ndarray, some: numpy.ndarray) -> numpy.ndarray:
    """Tell for each hash whether it is among `some`, which are in order: quick where these are few."""
    if not len(some):
        return numpy.zeros(len(hashes), bool)
    found: numpy.ndarray = some[numpy.minimum(numpy.searchsorted(some, hashes), len(some) - 1)] == hashes
    return found


def hash_pairs(first: numpy.ndarray, second: numpy.ndarray) -> numpy.ndarray:
    """Hash each pair of numbers to one; that two pairs have the same is as unlikely as with any hash."""
    return _scramble(first ^ _scramble(second.astype(numpy.uint64) + _ODD))


def _scramble(numbers: numpy.ndarray) -> numpy.ndarray:
    """Hash each number, by splitmix64.

    Source
    ------
    G. L. Steele, D. Lea, C. H. Flood (2014), Fast splittable pseudorandom number generators, OOPSLA '14, 453-472.
    """
    numbers = (numbers ^ (numbers >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    scrambled: numpy.ndarray = numbers ^ (numbers >> numpy.uint64(31))
    return scrambled
