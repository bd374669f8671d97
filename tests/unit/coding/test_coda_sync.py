"""What is kept of a download, and what is added."""

from hypothesis import given
from hypothesis import strategies as st

from coda_examples import message
from engagement.coding.coda_sync import choose_new_messages, merge_messages

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


def test_messages_are_sorted_by_number_and_those_without_one_come_last():
    messages = [message(1, SequenceNumber=None), message(2, SequenceNumber=5), message(0), message(3, SequenceNumber=0)]
    assert [item["Text"] for item in merge_messages([], messages)] == ["jawaab 3", "jawaab 2", "jawaab 0", "jawaab 1"]


def test_new_messages_come_in_order_of_their_creation_then_of_their_id():
    same_time = {"CreationDateTimeUTC": "2026-03-01T00:00:00Z"}
    later, twins = message(3), [message(1, **same_time), message(2, **same_time)]
    chosen = choose_new_messages([later, *twins, message(4)], {message(4)["MessageID"]})
    assert chosen == [*sorted(twins, key=lambda twin: twin["MessageID"]), later]
