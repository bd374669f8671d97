"""Join exports that may overlap.

Of a message that several have, as many count as the file with most of them has.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from engagement.desk.recovery.exports import ExportRow


class JoinedExports(NamedTuple):
    """Messages of all files, in order of time.

    `repeated` counts rows that are the same as another of their file, `in_several` messages that several files have.
    """

    messages: list[ExportRow]
    repeated: int
    in_several: int


def join_exports(exports: Sequence[Sequence[ExportRow]], leaves_out_repeated: bool) -> JoinedExports:
    """Join the messages of files."""
    if len(exports) == 1 and not leaves_out_repeated:
        in_order = sorted(exports[0], key=lambda one: one.time)
        # Rows that are the same have the same time: so only those of one time are in memory a second time.
        at_once = (list(rows) for _, rows in itertools.groupby(in_order, key=lambda one: one.time))
        return JoinedExports(in_order, sum(len(rows) - len(set(rows)) for rows in at_once), 0)
    known: dict[tuple[ExportRow, int], None] = {}
    repeated = in_several = 0
    for messages in exports:
        counts: Counter[ExportRow] = Counter()
        for message in messages:
            counts[message] += 1
            number = counts[message]
            repeated += number > 1
            if number > 1 and leaves_out_repeated:
                continue
            in_several += (message, number) in known
            known[message, number] = None
    # Sorting is stable: within a minute the order of the file counts.
    return JoinedExports(sorted((message for message, _ in known), key=lambda one: one.time), repeated, in_several)
