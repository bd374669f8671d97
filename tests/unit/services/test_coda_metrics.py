"""How labels are counted in a segment's metrics."""

import pytest

from coda_examples import code, label, message
from engagement.services.coda.metrics import count_metrics

THEME = {"SchemeID": "Scheme-a", "Codes": [code("code-1", 1), code("code-WS", -1, "WS"), code("code-NC", -2, "NC")]}
# Its id is that of a copy of the one above; the same CodeID means something else in it.
LOOKALIKE = {"SchemeID": "Scheme-a-1", "Codes": [code("code-WS", 1), code("code-not-coded", -2, "NC")]}
LONGER = {"SchemeID": "Scheme-ab", "Codes": [code("code-WS", 1)]}


@pytest.mark.parametrize(
    ("labels", "schemes", "counts"),
    [
        # no label at all
        ([], [THEME], (0, 0, 0)),
        ([label("code-1", "Scheme-a")], [THEME], (1, 0, 0)),
        ([label("code-WS", "Scheme-a")], [THEME], (1, 1, 0)),
        ([label("code-NC", "Scheme-a")], [THEME], (1, 0, 1)),
        # several labels of one message count once
        (
            [label("code-1", "Scheme-a"), label("code-1", "Scheme-a-1"), label("code-1", "Scheme-a-2")],
            [THEME],
            (1, 0, 0),
        ),
        # only proposed by the auto-coder
        ([label("code-WS", "Scheme-a", checked=False)], [THEME], (0, 0, 0)),
        # taken off again: an older label of the scheme does not come back
        ([label("SPECIAL-MANUALLY_UNCODED", "Scheme-a"), label("code-WS", "Scheme-a")], [THEME], (0, 0, 0)),
        # newest first, whatever the times say
        ([label("code-1", "Scheme-a"), label("code-NC", "Scheme-a")], [THEME], (1, 0, 0)),
        # a copy's labels belong to the primary scheme
        ([label("code-WS", "Scheme-a-12")], [THEME], (1, 1, 0)),
        # but not where the id is that of a scheme of its own
        ([label("code-WS", "Scheme-a-1")], [THEME, LOOKALIKE], (1, 0, 0)),
        ([label("code-not-coded", "Scheme-a-1")], [THEME, LOOKALIKE], (1, 0, 1)),
        # nor where one id only begins with the other one
        ([label("code-WS", "Scheme-ab")], [THEME, LONGER], (1, 0, 0)),
        # a code that the scheme lacks is a label all the same
        ([label("code-unknown", "Scheme-a")], [THEME], (1, 0, 0)),
    ],
)
def test_the_labels_of_one_message(labels, schemes, counts):
    with_label, wrong_scheme, not_coded = counts
    assert count_metrics([message(1, labels)], schemes) == {
        "messages_count": 1,
        "messages_with_label": with_label,
        "wrong_scheme_messages": wrong_scheme,
        "not_coded_messages": not_coded,
    }


def test_a_segment_is_the_sum_of_its_messages():
    messages = [message(1, [label("code-WS", "Scheme-a")]), message(2, [label("code-1", "Scheme-a")]), message(3)]
    assert count_metrics(messages, [THEME]) == {
        "messages_count": 3,
        "messages_with_label": 2,
        "wrong_scheme_messages": 1,
        "not_coded_messages": 0,
    }
