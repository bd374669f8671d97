"""How many examples a property is tried with: fewer in the quick lane, run_scripts/run_tests.sh --quick."""

import hypothesis

_USUAL = 100


def examples(count: int) -> int:
    """`count` in a whole run; in the quick lane as much less as its profile says."""
    return max(1, count * hypothesis.settings().max_examples // _USUAL)
