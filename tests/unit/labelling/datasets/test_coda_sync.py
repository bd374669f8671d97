"""What is kept of a download, and what is added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coda_examples import label, message
from engagement.labelling.datasets.synchronisation import choose_new_messages, merge_messages

versions = st.builds(
    lambda number, sequence, note: message(number, SequenceNumber=sequence, Note=note),
    st.integers(0, 8),
    st.none() | st.integers(0, 8),
    st.integers(0, 3),
)
datasets = st.lists(versions, unique_by=lambda version: version["MessageID"])


@given(datasets, datasets)
def test_what_was_downloaded_replaces_what_was_there_and_nothing_is_lost(previous, downloaded):
    merged = merge_messages(previous, downloaded)
    replaced = {version["MessageID"] for version in downloaded}
    kept = [version for version in previous if version["MessageID"] not in replaced]
    assert len(merged) == len(kept) + len(downloaded)
    assert all(version in merged for version in kept + downloaded)


@given(datasets, datasets)
def test_downloading_the_same_again_changes_nothing(previous, downloaded):
    merged = merge_messages(previous, downloaded)
    assert merge_messages(merged, downloaded) == merged


@given(datasets.flatmap(lambda dataset: st.tuples(st.just(dataset), st.permutations(dataset))))
def test_the_order_does_not_depend_on_the_order_of_the_download(both):
    dataset, shuffled = both
    assert merge_messages([], dataset) == merge_messages([], shuffled)


LABELLED = message(1, [label("code-health")], SequenceNumber=1, LastUpdated="2026-03-02T08:00:00+00:00")
ADDED_AGAIN = message(1, SequenceNumber=90, LastUpdated="2026-03-03T08:00:00+00:00")
LABELLED_LATER = {**ADDED_AGAIN, "Labels": [label("code-water")], "LastUpdated": "2026-03-04T08:00:00+00:00"}
PROPOSED = {**ADDED_AGAIN, "Labels": [label("code-water", checked=False)]}
CLEARED = {**LABELLED, "Labels": [], "LastUpdated": "2026-03-05T08:00:00+00:00"}

# What was there, what is downloaded of the text that Coda has twice, and which copy stays.
COPIES = [
    ("both, the labelled one first", [], [LABELLED, ADDED_AGAIN], LABELLED),
    ("both, the labelled one last", [], [ADDED_AGAIN, LABELLED], LABELLED),
    ("a proposal is no label", [], [LABELLED, PROPOSED], LABELLED),
    ("both are labelled", [], [LABELLED_LATER, LABELLED], LABELLED_LATER),
    ("only the other changed", [LABELLED], [ADDED_AGAIN], LABELLED),
    ("the other was labelled", [LABELLED], [LABELLED_LATER], LABELLED_LATER),
    ("the other was labelled first", [LABELLED_LATER], [LABELLED], LABELLED_LATER),
    ("neither is labelled", [ADDED_AGAIN], [message(1, SequenceNumber=1)], ADDED_AGAIN),
    # the same message with its labels taken away is no copy
    ("a later version", [LABELLED], [CLEARED], CLEARED),
    ("a number that it lacked before", [{**LABELLED, "SequenceNumber": None}], [ADDED_AGAIN], ADDED_AGAIN),
]


@pytest.mark.parametrize(("previous", "downloaded", "kept"), [pytest.param(*case[1:], id=case[0]) for case in COPIES])
def test_of_a_text_that_coda_has_twice_the_labelled_copy_stays(previous, downloaded, kept):
    merged = merge_messages(previous, downloaded)
    assert merged == [kept]
    assert merge_messages(merged, downloaded) == [kept]


def test_messages_are_sorted_by_number_and_those_without_one_come_last():
    messages = [message(1, SequenceNumber=None), message(2, SequenceNumber=5), message(0), message(3, SequenceNumber=0)]
    assert [item["Text"] for item in merge_messages([], messages)] == ["jawaab 3", "jawaab 2", "jawaab 0", "jawaab 1"]


def test_new_messages_come_in_order_of_their_creation_then_of_their_id():
    same_time = {"CreationDateTimeUTC": "2026-03-01T00:00:00Z"}
    later, twins = message(3), [message(1, **same_time), message(2, **same_time)]
    chosen = choose_new_messages([later, *twins, message(4)], {message(4)["MessageID"]})
    assert chosen == [*sorted(twins, key=lambda twin: twin["MessageID"]), later]
