"""Samples for inter-coder reliability: distinct texts, the same in every run, one file a dataset."""

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engagement.configuration import load_project
from engagement.pipeline.outputs.icr import SAMPLE_SIZE, IcrSample
from example_project import DataRoot, episode_run, write_project

FIELD = "rqa_s01e01_raw"
messages_of_season = st.lists(
    st.tuples(st.integers(0, 400).map("jawaab {}".format), st.integers(0, 10_000).map(str)), max_size=700
)


def sample_of(messages) -> IcrSample:
    sample = IcrSample()
    for text, run_id in messages:
        sample.add(text, run_id, FIELD, "")
    return sample


def texts_of(sample: IcrSample) -> list[str]:
    sample.trim()
    return [*sample.smallest]


@given(messages_of_season)
def test_texts_are_distinct_and_as_many_as_there_can_be(messages):
    texts = texts_of(sample_of(messages))
    assert len(texts) == len(set(texts)) == min(SAMPLE_SIZE, len({text for text, _ in messages}))


@given(messages_of_season, st.randoms(), st.integers(1, 5))
def test_order_and_partitions_do_not_matter(messages, chance, partitions):
    whole = sample_of(messages)
    shuffled = [*messages]
    chance.shuffle(shuffled)
    merged = IcrSample()
    for number in range(partitions):
        part = sample_of(shuffled[number::partitions])
        part.trim()
        merged.merge(part)
    assert texts_of(merged) == texts_of(whole)
    assert merged.smallest == whole.smallest


@given(messages_of_season, messages_of_season)
def test_what_more_messages_bring_in_is_all_that_changes(messages, more):
    before, after = texts_of(sample_of(messages)), texts_of(sample_of([*messages, *more]))
    new = {text for text, _ in more}
    assert len(set(before) - set(after)) <= len(new)
    # Those that stay keep their order, so that two sheets of different nights can be laid side by side.
    staying = [text for text in before if text in after and text not in new]
    assert [text for text in after if text in staying] == staying


def test_each_dataset_with_a_sample_has_a_file_of_its_own(tmp_path: Path):
    def leave_out_the_second(plans):
        del plans["RQACodingPlans"][1]["ICRFilename"]

    configuration = write_project(tmp_path / "configuration", change_plans=leave_out_the_second)
    root = DataRoot(tmp_path, configuration)
    root.write_runs(episode_run("a", "biyo", 1), episode_run("a", "dugsi", 2, run_id=2))
    root.generate()
    assert [path.name for path in (root.outputs / "ICR").iterdir()] == ["s01e01.csv"]
    (tmp_path / "other").mkdir()
    root = DataRoot(tmp_path / "other")
    root.write_runs(episode_run("a", "biyo", 1), episode_run("a", "dugsi", 2, run_id=2))
    root.generate()
    for plan, text in zip(load_project(root.configuration).coding_plans.rqa, ("biyo", "dugsi"), strict=True):
        with (root.outputs / "ICR" / plan.icr_filename).open(newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == [plan.run_id_field, plan.raw_field]
        assert [row[1] for row in rows[1:]] == [text]
