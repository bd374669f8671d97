"""Which message an answer came in."""

import pytest

from engagement.sources.rapidpro.message_matching import MatchedAnswer, SentText, find_texts


def at(seconds):
    return int(seconds * 1_000_000)


def texts_of(answers, sent):
    return find_texts(
        [MatchedAnswer(at(time), value) for time, value in answers], [SentText(at(t), text) for t, text in sent]
    )


@pytest.mark.parametrize(
    ("answers", "sent", "expected"),
    [
        pytest.param([(10, "25")], [(9.8, "nin 25 jir ah")], ["nin 25 jir ah"], id="the message before it"),
        pytest.param([(10, "25")], [(10, "25 jir")], ["25 jir"], id="at the very same time"),
        pytest.param([(10, "25")], [(10.4, "25 jir")], ["25 jir"], id="clocks that differ a little"),
        pytest.param([(10, "25")], [(12, "25 jir")], [None], id="a message that came later"),
        pytest.param([(2000, "25")], [(9, "25 jir")], [None], id="a message of half an hour ago"),
        pytest.param([(700, "25")], [(9, "25 jir")], ["25 jir"], id="a queue of ten minutes"),
        pytest.param([(10, "25")], [(9, "haa")], [None], id="a message without what was matched"),
        pytest.param([(10, "25")], [(9, "tel 1254")], [None], id="a part of a longer number"),
        pytest.param([(10, "25")], [(9, "25jir")], ["25jir"], id="a number that a word follows at once"),
        pytest.param([(10, "nin")], [(9, "ninka")], [None], id="a part of a longer word"),
        pytest.param([(10, "haa haa")], [(9, "HAA, haa!")], ["HAA, haa!"], id="words in other letters and with signs"),
        pytest.param([(10, "a.b")], [(9, "axb")], [None], id="signs stand for themselves"),
        pytest.param([(10, "haa")], [(8, "haa 1"), (9, "haa 2")], ["haa 2"], id="of two the later"),
        pytest.param(
            [(3, "25"), (3.8, "25")], [(1, "25 jir"), (2, "25")], ["25 jir", "25"], id="two that waited, in their order"
        ),
        pytest.param(
            [(3, "25"), (40, "25")], [(2.9, "25 jir"), (39.9, "25")], ["25 jir", "25"], id="the same answer twice"
        ),
        pytest.param(
            [(3, "nin"), (3.001, "25")],
            [(2.9, "nin 25 jir ah")],
            ["nin 25 jir ah"] * 2,
            id="two answers in one message",
        ),
        pytest.param(
            [(3, "nin"), (6, "25")], [(2.9, "nin 25 jir ah")], ["nin 25 jir ah"] * 2, id="one read after a slow webhook"
        ),
        pytest.param([(10, "haa")], [], [None], id="no message at all"),
        pytest.param([], [(10, "haa")], [], id="no answer at all"),
    ],
)
def test_an_answer_has_the_text_of(answers, sent, expected):
    assert texts_of(answers, sent) == expected
    # Neither order matters.
    assert texts_of(answers[::-1], sent[::-1]) == expected[::-1]
