"""Stage 3 when little changed: what it writes is what a full run writes, and those are left alone whose data did not change."""

import re
from pathlib import Path

import pytest

from changing_season import Season
from example_project import DataRoot, Document, coda_message, episode_run, label, survey_run
from faults import KILLED, Changes, Ended, in_server, run_stage
from incremental_runs import ALONE, BIYO, OTHERS, STOP, Step, outputs_of, read_processed, runs


@pytest.mark.parametrize(("seed", "mode"), [(1, "all-stages"), (3, "auto-code-only")])
def test_a_season_of_changes_leaves_what_full_runs_leave(roots, caplog, seed: int, mode: str):
    root, full = roots
    season = Season(seed, participants=320)
    counts = []
    for step in range(8):
        season.write(root)
        season.write(full)
        root.generate(mode=mode, partitions=step % 3 + 1)
        counts.append(read_processed(caplog))
        full.generate(mode=mode, full=True)
        assert outputs_of(root) == outputs_of(full), f"step {step}"
        for _ in range(season.random.randrange(0, 5)):
            season.change()
    assert counts[0] == "no run left notes here"
    assert all(isinstance(count, int) and count < 60 for count in counts[1:])


def coded(dataset: str, *messages: Document) -> Step:
    return lambda root: root.write_coded(dataset, *messages)


WRONG = [label("episode1", "WS"), label("ws", "gender")]
LOST = [label("episode1", "WS"), label("ws", "elsewhere")]
# What is there at first, what changes then, and how many participants that concerns.
CHANGES: dict[str, tuple[list[Step], list[Step], int]] = {
    "nothing": ([runs(BIYO)], [], 0),
    "the same written once more": ([runs(BIYO)], [runs(BIYO)], 0),
    "a new run": ([runs(BIYO)], [runs(BIYO, episode_run("a", "rajo", 2, run_id=51))], 1),
    "a participant comes": ([runs()], [runs(BIYO)], 1),
    "a participant goes": ([runs(BIYO)], [runs()], 0),
    "everybody's lines lie elsewhere": ([runs(BIYO)], [lambda root: root.write_runs(BIYO, *reversed(OTHERS))], 0),
    "the runs of one come in another order": ([runs(*ALONE)], [runs(*reversed(ALONE))], 1),
    "a first label": ([runs(BIYO)], [coded("s01e01", coda_message("biyo", label("episode1", "water")))], 1),
    "a label of a text that nobody wrote": ([runs(BIYO)], [coded("s01e01", STOP)], 0),
    "a label of the same text in another dataset": ([runs(BIYO)], [coded("s01e02", coda_message("biyo", label("episode2", "hope")))], 0),
    "a label is taken off": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", label("episode1", "water")))],
        [coded("s01e01", coda_message("biyo", label("episode1", "SPECIAL-MANUALLY_UNCODED"), label("episode1", "water")))],
        1,
    ),
    "a text that many wrote is labelled": (
        [runs(*(episode_run(f"m{n}", "biyo", run_id=60 + n) for n in range(4)))],
        [coded("s01e01", coda_message("biyo", label("episode1", "water")))],
        4,
    ),
    "somebody withdraws": ([runs(*ALONE)], [coded("s01e01", STOP)], 1),
    "somebody comes back": ([runs(*ALONE), coded("s01e01", STOP)], [coded("s01e01")], 1),
    # Its text is in no file of the last run, because only somebody who withdrew wrote it.
    "such a text gets into Coda": (
        [runs(*ALONE), coded("s01e01", STOP)],
        [coded("s01e01", STOP, coda_message("kaliya"))],
        1,
    ),
    "such a text is written by somebody who stays, later": (
        [runs(*ALONE), coded("s01e01", STOP)],
        [runs(*ALONE, episode_run("b", "kaliya", time="2026-05-01T10:00:00+03:00", run_id=53))],
        1,
    ),
    "a text loses who wrote it first": (
        [runs(BIYO, episode_run("b", "biyo", time="2026-03-08T10:00:00+03:00", run_id=53))],
        [runs(BIYO)],
        0,
    ),
    "an answer moves": (
        [runs(BIYO, survey_run("a", gender="nin"))],
        [coded("s01e01", coda_message("biyo", *WRONG)), coded("gender", coda_message("biyo", label("gender", "man")))],
        1,
    ),
    "a moved answer moves back": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", *WRONG))],
        [coded("s01e01", coda_message("biyo", label("episode1", "water")))],
        1,
    ),
    "a moved answer is labelled where it arrived": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", *WRONG))],
        [coded("gender", coda_message("biyo", label("gender", "woman")))],
        1,
    ),
    "an answer is lost": ([runs(BIYO)], [coded("s01e01", coda_message("biyo", *LOST))], 1),
    "one of two lost answers is found": (
        [runs(BIYO, *ALONE), coded("s01e01", coda_message("biyo", *LOST), coda_message("kaliya", *LOST))],
        [coded("s01e01", coda_message("kaliya", *LOST))],
        1,
    ),
    "the labels of one text contradict each other": (
        [runs(BIYO), coded("s01e01", coda_message("biyo", label("episode1", "WS")))],
        [runs(BIYO, episode_run("b", "biyo", run_id=53))],
        1,
    ),
    "nobody is left": ([runs(BIYO)], [lambda root: root.write_runs()], 0),
    "somebody's file is empty": ([runs(BIYO)], [lambda root: root.write_flow("s01_demographics")], 0),
}  # fmt: skip


BEFORE_CODING = [
    "a text loses who wrote it first",
    "an answer moves",
    "a moved answer moves back",
    "a participant goes",
]


@pytest.mark.parametrize(
    ("what", "mode"),
    [*((what, "all-stages") for what in CHANGES), *((what, "auto-code-only") for what in BEFORE_CODING)],
)
def test_only_participants_whose_data_changed_are_processed_again(tmp_path: Path, caplog, what: str, mode: str):
    root = DataRoot(tmp_path)
    first, then, count = CHANGES[what]
    for step in first:
        step(root)
    root.generate(mode=mode)
    for step in then:
        step(root)
    caplog.clear()
    root.generate(mode=mode, accept_shrinkage=True)
    assert read_processed(caplog) == count
    made, told = outputs_of(root), what_was_found(caplog)
    caplog.clear()
    root.generate(mode=mode, full=True)
    assert (made, told) == (outputs_of(root), what_was_found(caplog))


def what_was_found(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a run told of the data."""
    messages = [record.getMessage() for record in caplog.records]
    return [message for message in messages if re.match("Read|Kept|Withdrew|Wrote|.* answer", message)]


def count_changes_until(root: DataRoot, moment: int | None) -> Ended:
    """Run the stage, to be killed before the change of the disk with that number, if there is one; to be called in a server."""
    command = [
        "generate-outputs", "--user", "tester@example.org", "--credentials", str(root.credentials),
        "--pipeline-configuration", str(root.configuration), "--data-root", str(root.path), "--jobs", "1",
    ]  # fmt: skip
    changes = Changes(root.path, moment)

    def watch() -> Changes:
        changes.watch()
        return changes

    return run_stage(command, watch)


def test_runs_killed_at_any_moment_change_nothing_that_a_later_run_leaves(roots, caplog):
    root, full = roots
    season = Season(7, participants=200)
    season.write(root)
    root.generate()
    count = in_server(count_changes_until, root, None).changes
    assert count > 30
    moments = range(1, count + 1, 4)
    counts = []
    for moment in moments:
        season.change()
        season.write(root)
        assert in_server(count_changes_until, root, moment).status == KILLED
        root.generate()
        counts.append(read_processed(caplog))
    # Killed after Outputs/ was replaced, the notes are of another one.
    assert sum(isinstance(count, int) for count in counts) > len(moments) // 2
    season.write(full)
    full.generate(full=True)
    assert outputs_of(root) == outputs_of(full)
