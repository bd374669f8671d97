"""Raw keys that are read and that no run has: a result that has another name in RapidPro than in the configuration."""

from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.pipeline.messages.missing_keys import find_missing_keys
from example_project import EPISODE_FLOW, SURVEY_FLOW, write_project

FIRST, SECOND = EPISODE_FLOW.format(1), EPISODE_FLOW.format(2)
PARTS = ("Text", "Value", "Category", "Time", "Run ID", "Name")


def keys_of(result: str, flow: str) -> set[str]:
    return {f"{result} ({part}) - {flow}" for part in PARTS}


ALL = {
    "avf_phone_id", "urn_type", f"run_id - {FIRST}", *keys_of("Rqa_S01E01_Raw", FIRST), *keys_of("Rqa_S01E02_Raw", SECOND),
    *keys_of("Gender", SURVEY_FLOW), *keys_of("Age", SURVEY_FLOW), *keys_of("Location", SURVEY_FLOW),
}  # fmt: skip
RUNS = {FIRST: 5, SECOND: 3, SURVEY_FLOW: 4}
OF_FIRST, OF_SECOND = keys_of("Rqa_S01E01_Raw", FIRST), keys_of("Rqa_S01E02_Raw", SECOND)


def say(at: int, count: int, flow: str, key: str, nearest: str) -> str:
    return (
        f"at $.RapidProKeyRemappings[{at}].RapidProKey: none of {count} run(s) of flow '{flow}' has '{key}'; expected some"
        f"{nearest} Change it, unless nobody has come so far yet."
    )


# What runs have, how many there are, and what is told.
CASES = {
    "all keys": (ALL, RUNS, []),
    "no runs": (set(), {}, []),
    "a flow without runs": (ALL - OF_SECOND, {**RUNS, SECOND: 0}, []),
    "a flow that was not fetched": (ALL - OF_SECOND, {FIRST: 5, SURVEY_FLOW: 4}, []),
    "another case": (
        ALL - OF_FIRST | keys_of("Rqa_S01e01_Raw", FIRST),
        RUNS,
        [
            say(at, 5, FIRST, f"Rqa_S01E01_Raw ({part}) - {FIRST}", "; nearest: 'Rqa_S01e01_Raw'.")
            for at, part in ((1, "Text"), (2, "Run ID"), (3, "Time"))
        ],
    ),
    "the result of another flow is not near": (
        ALL - OF_SECOND,
        RUNS,
        [
            say(at, 3, SECOND, f"Rqa_S01E02_Raw ({part}) - {SECOND}", ".")
            for at, part in ((4, "Text"), (5, "Run ID"), (6, "Time"))
        ],
    ),
    "one part": (
        ALL - {f"Age (Time) - {SURVEY_FLOW}"},
        RUNS,
        [say(10, 4, SURVEY_FLOW, f"Age (Time) - {SURVEY_FLOW}", "; nearest: 'Age'.")],
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_key_that_no_run_of_its_flow_has_is_told_with_the_nearest(tmp_path: Path, what: str):
    found, runs, told = CASES[what]
    configuration = load_project(write_project(tmp_path)).configuration
    assert list(map(str, find_missing_keys(configuration, found, runs))) == told


# The key of a time range, and the end of what is told.
TIME_KEYS = [
    ("sent_on", None),
    (f"Rqa_S01E01_Raw (Time) - {FIRST}", None),
    (f"Rqa_S01e01_Raw (Time) - {FIRST}", f"none of 5 run(s) of flow '{FIRST}' has 'Rqa_S01e01_Raw (Time) - {FIRST}'; expected "
     "some; nearest: 'Rqa_S01E01_Raw'. Change it, unless nobody has come so far yet."),
    ("received_on", None),
    ("urn_typ", "none of 12 run(s) has 'urn_typ'; expected some; nearest: 'urn_type'. Change it, unless nobody has come so far yet."),
    ("Rqa (Time) - elsewhere", "none of 12 run(s) has 'Rqa (Time) - elsewhere'; expected some. Change it, unless nobody has come so "
     "far yet."),
]  # fmt: skip


@pytest.mark.parametrize(("key", "told"), TIME_KEYS)
def test_the_keys_of_time_ranges_are_looked_for_as_well(tmp_path: Path, key: str, told: str | None):
    def add_range(document: dict) -> None:
        document["TimestampRemappings"] = [{"TimeKey": key, "ShowPipelineKeyToRemapTo": "rqa_s01e02_raw"}]

    configuration = load_project(write_project(tmp_path, add_range)).configuration
    expected = [] if told is None else [f"at $.TimestampRemappings[0].TimeKey: {told}"]
    assert list(map(str, find_missing_keys(configuration, ALL, RUNS))) == expected
