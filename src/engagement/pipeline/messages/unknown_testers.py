"""Find test participants without runs: most often their id is mistyped, so their messages count."""

from collections.abc import Callable, Iterator

from engagement.configuration import PipelineConfiguration
from engagement.configuration.participant_ids import find_strict_id_problem
from engagement.configuration.problems import Problem
from engagement.foundation.errors import count_of

_MOST_SHOWN = 10


def find_unknown_testers(
    configuration: PipelineConfiguration, runs: int, has_runs: Callable[[str], bool]
) -> Iterator[Problem]:
    """Report the entries of TestParticipantUUIDs that match no run.

    `runs` is the number of runs; `has_runs` tells whether an id has any. Values that do not look like an id are not shown.
    """
    testers = configuration.test_participant_uuids
    unknown = [(number, uid) for number, uid in enumerate(testers) if not has_runs(uid)]
    if not unknown or not runs or not configuration.filter_test_messages:
        return
    prefix = configuration.participant_prefix
    named = [
        f"[{number}]" if find_strict_id_problem(uid, prefix) else f"[{number}] {uid!r}"
        for number, uid in unknown[:_MOST_SHOWN]
    ]
    more = len(unknown) - _MOST_SHOWN
    yield Problem(
        "$.TestParticipantUUIDs",
        f"{len(unknown)} of {count_of(len(testers), 'test participant')} wrote nothing that was fetched, so that nothing is left "
        f"out for them: {', '.join(named)}{f' and {more} more' if more > 0 else ''}; expected ids of participants in Raw Data/. "
        "Compare with the column 'uid' of messages.csv, unless they have not written yet.",
    )
