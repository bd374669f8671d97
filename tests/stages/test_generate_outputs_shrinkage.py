"""A night on which far fewer messages are left than the night before: what is refused, and what is taken with a warning."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engagement.foundation.errors import InputError
from example_project import (
    EPISODE_FLOW,
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    survey_run,
    write_project,
    wrong_scheme,
)

FIRST, SECOND = "rqa_s01e01_raw", "rqa_s01e02_raw"


def answers(first: int, second: int = 0, **more) -> list[str]:
    """Runs of so many participants who answered each episode, with a text of their own."""
    return [
        *(episode_run(f"a{n}", f"biyo {n}", 1, run_id=n, **more) for n in range(first)),
        *(episode_run(f"b{n}", f"rajo {n}", 2, run_id=1000 + n, **more) for n in range(second)),
    ]


def counts_of(root: DataRoot) -> dict[str, int]:
    return json.loads((root.outputs / "message_counts.json").read_text())["messages"]


def bytes_of(root: DataRoot) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.outputs.rglob("*")) if path.is_file()}


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "far fewer" in r.getMessage().lower()
    ]


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    """A data root after a night with 60 and 40 messages."""
    root = DataRoot(tmp_path)
    root.write_runs(*answers(60, 40))
    root.generate()
    assert counts_of(root) == {FIRST: 60, SECOND: 40}
    return root


# Messages of the two episodes the next night, and what is said to have fallen.
NIGHTS = [
    (60, 40, []),
    (61, 45, []),
    # 90 % of each are there.
    (54, 36, []),
    # Fewer than 90 %, but only 9 missing of the episode; all are 91 of 100.
    (60, 31, []),
    (60, 30, [f"{SECOND}: 30 messages, 40 before"]),
    (60, 0, [f"{SECOND}: 0 messages, 40 before", "all episodes: 60 messages, 100 before"]),
    # Each lacks 9 at most or is at 90 %, and all together lack too many.
    (54, 33, ["all episodes: 87 messages, 100 before"]),
    # As many in all.
    (40, 60, [f"{FIRST}: 40 messages, 60 before"]),
    (0, 0, [f"{FIRST}: 0 messages, 60 before", f"{SECOND}: 0 messages, 40 before", "all episodes: 0 messages, 100 before"]),
]  # fmt: skip


@pytest.mark.parametrize("full", [False, True], ids=["", "--full"])
@pytest.mark.parametrize(("first", "second", "fallen"), NIGHTS)
def test_far_fewer_messages_replace_nothing_unless_it_is_accepted(
    root: DataRoot, caplog, first: int, second: int, fallen: list[str], full: bool
):
    before = bytes_of(root)
    root.write_runs(*answers(first, second))
    if fallen:
        with pytest.raises(InputError) as refused:
            root.generate(full=full)
        told = str(refused.value)
        assert refused.value.exit_status == 11
        assert [line.strip() for line in told.splitlines() if line.startswith("  ")] == fallen
        assert "--accept-shrinkage" in told
        assert bytes_of(root) == before
        assert not (root.path / "Outputs.partial").exists()
        root.generate(accept_shrinkage=True, full=full)
        assert len(warnings_of(caplog)) == 1
    else:
        root.generate(full=full)
        assert warnings_of(caplog) == []
    assert counts_of(root) == {FIRST: first, SECOND: second}
    # The next night is compared with this one.
    caplog.clear()
    root.generate()
    assert warnings_of(caplog) == []


def test_counts_are_those_of_a_full_run_when_little_changed(root: DataRoot):
    for step in range(4):
        root.write_runs(
            *answers(60 + step, 40),
            episode_run("a0", "mar kale", 2, run_id=2000 + step),
            survey_run("a1", gender="nin"),
        )
        root.generate()
        made = counts_of(root)
        root.generate(full=True)
        assert counts_of(root) == made == {FIRST: 60 + step, SECOND: 41}


def test_the_guard_outlives_state(root: DataRoot):
    shutil.rmtree(root.path / "State")
    root.write_runs(*answers(5))
    with pytest.raises(InputError, match="far fewer messages"):
        root.generate()


@pytest.mark.parametrize("mode", ["all-stages", "auto-code-only"])
def test_another_mode_is_compared_as_well(root: DataRoot, mode: str):
    root.generate(mode="auto-code-only")
    root.write_runs(*answers(60, 10))
    with pytest.raises(InputError, match=f"{SECOND}: 10 message"):
        root.generate(mode=mode)
    root.write_runs(*answers(60, 40))
    root.generate(mode=mode)


def test_the_first_run_and_outputs_of_an_earlier_version_have_nothing_to_compare_with(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.generate()
    root.write_runs(*answers(60, 40))
    root.generate()
    (root.outputs / "message_counts.json").unlink()
    root.write_runs(*answers(1))
    root.generate()
    assert counts_of(root) == {FIRST: 1, SECOND: 0}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"messages": {"a": "b"}, "settings": {}}', '{"messages": [], "settings": {}}']
)
def test_counts_that_cannot_be_read_are_told_and_stop_nothing(root: DataRoot, caplog, content: str):
    (root.outputs / "message_counts.json").write_text(content)
    root.generate()
    assert "message_counts.json: can't be read" in caplog.text
    assert counts_of(root) == {FIRST: 60, SECOND: 40}


@pytest.mark.parametrize("target", ["episode_2", "gender", "elsewhere"])
def test_what_coders_say_is_no_shrinkage(root: DataRoot, caplog, target: str):
    """Answers that move to another episode, to a survey or to nowhere, and participants who withdraw."""
    moved = (coda_message(f"biyo {n}", *wrong_scheme("episode1", target)) for n in range(40))
    root.write_coded("s01e01", *moved, *(coda_message(f"biyo {n}", label("episode1", "STOP")) for n in range(40, 60)))
    root.generate()
    assert counts_of(root) == {FIRST: 60, SECOND: 40}
    # And back again.
    root.write_coded("s01e01")
    root.generate()
    assert counts_of(root) == {FIRST: 60, SECOND: 40}
    assert warnings_of(caplog) == []


def test_a_survey_answer_that_moves_to_an_episode_is_no_message_that_was_sent_to_it(root: DataRoot):
    root.write_runs(*answers(60, 40), *(survey_run(f"a{n}", 3000 + n, gender=f"jawaab {n}") for n in range(30)))
    root.write_coded("gender", *(coda_message(f"jawaab {n}", *wrong_scheme("gender", "episode_2")) for n in range(30)))
    root.generate()
    assert len(root.table("messages")) == 130
    assert counts_of(root) == {FIRST: 60, SECOND: 40}


def set_key(key: str, value: object) -> Callable[[Document], None]:
    return lambda document: document.update({key: value})


def without_second_answers(document: Document) -> None:
    document["RapidProKeyRemappings"] = [r for r in document["RapidProKeyRemappings"] if r["PipelineKey"] != SECOND]
    document["TimestampRemappings"] = [
        {"TimeKey": "sent_on", "ShowPipelineKeyToRemapTo": SECOND, "RangeStartInclusive": "2026-05-31T00:00:00+03:00"}
    ]


def without_second_flow(document: Document) -> None:
    document["RawDataSources"][0]["ActivationFlowNames"] = [EPISODE_FLOW.format(1)]


def without_second_plan(document: Document) -> None:
    document["RQACodingPlans"] = [document["RQACodingPlans"][0]]


def without_second_keys(document: Document) -> None:
    document["RapidProKeyRemappings"] = [
        r for r in document["RapidProKeyRemappings"] if "S01E02" not in r["RapidProKey"]
    ]


# What is changed, and the keys that are named.
CHANGES = {
    "time range": ({"change_configuration": set_key("ProjectEndDate", "2026-03-15T00:00:00+03:00")}, "ProjectEndDate"),
    "source": ({"change_configuration": without_second_flow}, "RawDataSources"),
    "remapping": ({"change_configuration": without_second_answers}, "RapidProKeyRemappings, TimestampRemappings"),
    "plan": (
        {"change_configuration": without_second_keys, "change_plans": without_second_plan},
        "RapidProKeyRemappings, RQACodingPlans",
    ),
    "time ranges of an episode": (
        {
            "change_configuration": set_key(
                "TimestampRemappings", [{"TimeKey": "sent_on", "ShowPipelineKeyToRemapTo": FIRST}]
            )
        },
        "TimestampRemappings",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_of_the_configuration_explains_it(root: DataRoot, tmp_path: Path, caplog, what: str):
    changes, keys = CHANGES[what]
    root.configuration = write_project(tmp_path / "changed", **changes)
    root.generate()
    (told,) = warnings_of(caplog)
    assert f"(changed since: {keys})" in told
    assert (
        "the line 'Kept' counts after these moves. Check that the change was meant to leave them out; if not, undo it"
        in told
    )
    # What is wrong the next night is an error again.
    root.write_runs()
    if sum(counts_of(root).values()) >= 10:
        with pytest.raises(InputError, match="far fewer messages"):
            root.generate()


@pytest.mark.parametrize(
    "change",
    [
        set_key("ProjectStartDate", "2025-01-01T00:00:00+03:00"),
        set_key("ProjectEndDate", "2027-01-01T00:00:00+03:00"),
        set_key("FilterTestMessages", False),
    ],
)
def test_a_change_that_takes_no_message_away_explains_nothing(root: DataRoot, tmp_path: Path, change):
    root.configuration = write_project(tmp_path / "changed", change)
    root.write_runs(*answers(20, 40))
    with pytest.raises(InputError, match="far fewer messages"):
        root.generate()
    assert counts_of(root) == {FIRST: 60, SECOND: 40}


def test_test_messages_that_are_left_out_from_now_on_are_explained(tmp_path: Path, caplog):
    everything = write_project(tmp_path / "everything", set_key("FilterTestMessages", False))
    root = DataRoot(tmp_path, everything)
    root.write_runs(*answers(30, test_run=True), *answers(0, 30))
    root.generate()
    assert counts_of(root) == {FIRST: 30, SECOND: 30}
    root.configuration = write_project(tmp_path / "configuration")
    root.generate()
    assert "(changed since: FilterTestMessages)" in warnings_of(caplog)[0]
    assert counts_of(root) == {FIRST: 0, SECOND: 30}


@pytest.mark.parametrize(
    "change",
    [
        set_key("CodaUsers", ["coder@example.org"]),
        set_key("SmallCountThreshold", 3),
        set_key("GuardFormulas", True),
        set_key("MoveWSMessages", False),
        set_key("PipelineName", "other"),
    ],
)
def test_a_change_of_other_keys_explains_nothing(root: DataRoot, tmp_path: Path, change: Callable[[Document], None]):
    root.configuration = write_project(tmp_path / "changed", change)
    root.write_runs(*answers(60))
    with pytest.raises(InputError, match="far fewer messages"):
        root.generate()
