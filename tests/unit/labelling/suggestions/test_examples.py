"""What counts as an example: labels that people ticked, and nothing else."""

import pytest
from tests.suggestion_examples import CODER_B, ROADS, SCHOOL, WATER, make_label, make_message, make_scheme

from engagement.labelling.datasets.adjudications import ADJUDICATION
from engagement.labelling.suggestions.examples import read_labelled_texts

COPY = "Scheme-topic-1"
UNCODED = "SPECIAL-MANUALLY_UNCODED"
SUGGESTED = make_label(WATER, "suggestion:1", checked=False, kind="External")


@pytest.mark.parametrize(
    ("labels", "taught", "is_open"),
    [
        ([make_label(WATER)], (WATER,), None),
        ([make_label(SCHOOL, CODER_B), make_label(WATER)], (SCHOOL,), None),
        ([make_label(WATER), SUGGESTED], (WATER,), None),
        ([make_label(WATER, "somali.gender", kind="External")], None, None),
        ([make_label(WATER, "somali.gender", checked=False, kind="External")], None, False),
        ([make_label(WATER, checked=False)], None, False),
        ([make_label(UNCODED, checked=False), make_label(WATER)], None, False),
        ([make_label("code-of-nothing")], None, None),
        ([SUGGESTED], None, True),
        ([], None, True),
        ([make_label(WATER, scheme="Scheme-other")], None, True),
    ],
)
def test_only_labels_that_people_ticked_teach_and_only_bare_messages_are_open(labels, taught, is_open):
    labelled = read_labelled_texts([make_message("the pump", *labels)], make_scheme())
    assert [one.codes for one in labelled.examples] == ([] if taught is None else [taught])
    assert [one.is_open for one in labelled.open_texts] == ([] if is_open is None else [is_open])


def test_copies_tell_that_a_message_may_have_several_codes():
    message = make_message("pump and bus", make_label(ROADS, scheme=COPY), make_label(WATER))
    labelled = read_labelled_texts([message], make_scheme())
    assert labelled.is_multiple
    assert labelled.copies == ("Scheme-topic", COPY)
    assert labelled.examples[0].codes == (WATER, ROADS)
    assert not read_labelled_texts([message], make_scheme(), is_multiple=False).is_multiple


def test_the_order_of_the_file_and_messages_that_are_left_out_teach_nothing():
    messages = [make_message(f"pump {n}", make_label(WATER)) for n in range(9)]
    assert read_labelled_texts(messages, make_scheme()) == read_labelled_texts(messages[::-1], make_scheme())
    gone = frozenset({messages[3]["MessageID"]})
    left = read_labelled_texts(messages, make_scheme(), left_out=gone)
    assert len(left.examples) == 8
    assert not gone & {one.message_id for one in (*left.examples, *left.open_texts)}


def test_coders_are_compared_by_the_codes_that_each_gave():
    same = make_message("a", make_label(WATER, CODER_B), make_label(WATER))
    other = make_message("b", make_label(SCHOOL, CODER_B), make_label(WATER))
    forgotten = make_message("c", make_label(ROADS, CODER_B, scheme=COPY), make_label(WATER))
    one_coder = make_message("d", make_label(SCHOOL), make_label(WATER))
    single = read_labelled_texts([same, other, one_coder], make_scheme())
    assert (single.double_coded, single.differing) == (2, 1)
    several = read_labelled_texts([same, same, forgotten, forgotten], make_scheme())
    assert (several.double_coded, several.differing) == (5, 1)


def test_second_coders_tell_how_often_coders_err_and_teach_nothing():
    messages = [make_message(text, make_label(WATER)) for text in "abc"]
    ids = [message["MessageID"] for message in messages]
    second = {
        ids[0]: [make_label(WATER, CODER_B)],
        ids[1]: [make_label(ROADS, CODER_B)],
        "another": [make_label(ROADS)],
    }
    labelled = read_labelled_texts(messages, make_scheme(), second=second)
    assert (labelled.double_coded, labelled.differing) == (2, 1)
    assert {one.codes for one in labelled.examples} == {(WATER,)}


def test_a_decision_between_coders_teaches_but_is_no_third_coder():
    decision = make_label(ROADS, f"{ADJUDICATION}:chief@example.org")
    message = make_message("a", decision, make_label(WATER))
    second = {message["MessageID"]: [make_label(SCHOOL, CODER_B)]}
    labelled = read_labelled_texts([message], make_scheme(), second=second)
    assert labelled.examples[0].codes == (ROADS,)
    assert (labelled.double_coded, labelled.differing) == (1, 1)


def test_what_coders_made_of_suggestions_is_counted():
    messages = [make_message("a", make_label(WATER), SUGGESTED), make_message("b", make_label(ROADS), SUGGESTED)]
    labelled = read_labelled_texts(messages, make_scheme())
    assert (labelled.followed, labelled.kept) == (2, 1)
