"""Suggestions of one scheme, with invented texts: what is suggested, what never is, and why nothing is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import pytest
from tests.suggestion_examples import (
    ROADS,
    SCHOOL,
    STOP,
    WATER,
    make_label,
    make_message,
    make_messages,
    make_scheme,
    make_text,
)

from engagement.labelling.suggestions.day_by_day import add_up, replay_days
from engagement.labelling.suggestions.examples import is_blind, read_labelled_texts
from engagement.labelling.suggestions.models import learn
from engagement.labelling.suggestions.suggestions import SuggestionSettings, describe, make_labels, suggest

COPY = "Scheme-topic-1"


def suggest_for(messages: Sequence[Mapping[str, Any]], **settings: Any):
    return suggest(read_labelled_texts(messages, make_scheme()), SuggestionSettings(**settings))


@pytest.fixture(scope="module")
def found():
    return suggest_for(make_messages(240, 120))


def test_open_texts_get_right_suggestions_but_not_blind_ones(found):
    truth = {make_message(make_text(code, n))["MessageID"]: code for n in range(240, 360) for code in [_topic(n)]}
    assert len(found.suggested) > 90
    assert all(codes[0][0] == truth[message_id] for message_id, codes in found.suggested.items())
    assert {one for one in truth if is_blind(one, 0.1)} == set(found.blind_ids)
    assert not set(found.blind_ids) & set(found.suggested)
    assert set(found.ranked) == set(truth)
    assert json.loads(json.dumps(describe(found)))["suggested"] == len(found.suggested)


def test_a_label_is_what_coda_takes(found):
    message_id, [(code, chance)] = next(iter(found.suggested.items()))
    [label] = make_labels(found, message_id, "2026-05-04T10:00:00+00:00")
    assert label == {
        "Checked": False, "CodeID": code, "Confidence": chance, "DateTimeUTC": "2026-05-04T10:00:00+00:00",
        "Origin": {"Name": "Pipeline Suggestions", "OriginID": "suggestion:1", "OriginType": "External"},
        "SchemeID": "Scheme-topic",
    }  # fmt: skip
    assert not list(make_labels(found, "another", ""))


def test_the_order_of_the_messages_changes_nothing(found):
    messages = make_messages(240, 120)
    turned = suggest_for(messages[::-1])
    assert turned == found
    model, other = (
        learn(read_labelled_texts(messages, make_scheme())).model,
        learn(read_labelled_texts(messages[::-1], make_scheme())).model,
    )
    assert model.scores.weights.tobytes() == other.scores.weights.tobytes()
    assert model.vocabulary.hashes.tobytes() == other.vocabulary.hashes.tobytes()


def test_stop_is_never_suggested_but_comes_first_on_the_reading_list():
    stops = [make_message(f"stop sending me this {n}", *([make_label(STOP)] if n < 40 else [])) for n in range(60)]
    found = suggest_for(make_messages(240, 60) + stops)
    likely = {one["MessageID"] for one in stops[40:]}
    assert not any(code == STOP for codes in found.suggested.values() for code, _ in codes)
    assert not likely & set(found.suggested)
    assert likely <= set(found.look_first)


def test_several_codes_come_under_copies_of_the_scheme():
    messages = []
    for n in range(400):
        codes = (_topic(n), _topic(n + 1)) if n % 2 else (_topic(n),)
        labels = [make_label(code, scheme=one) for code, one in zip(codes, ("Scheme-topic", COPY), strict=False)]
        text = " and ".join(make_text(code, n) for code in codes)
        messages.append(make_message(text, *(labels if n < 300 else ())))
    found = suggest_for(messages)
    two = [one for one, codes in found.suggested.items() if len(codes) == 2]
    assert len(two) > 20
    labels = list(make_labels(found, two[0], ""))
    assert [label["SchemeID"] for label in labels] == ["Scheme-topic", COPY]
    assert len({label["CodeID"] for label in labels}) == 2


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([], "no text is labelled yet"),
        (make_messages(0, 30), "no text is labelled yet"),
        (make_messages(199, 30), "expected 200"),
        (make_messages(300, 30, codes=(WATER,)), "all 300 labelled texts have one code"),
        (
            [
                make_message("yes" + "!" * n, *([make_label((WATER, SCHOOL)[n % 2])] if n < 220 else []))
                for n in range(250)
            ],
            "no confidence",
        ),
        (
            [make_message("?" * n, *([make_label((WATER, SCHOOL)[n % 2])] if n < 220 else [])) for n in range(250)],
            "no conf",
        ),
    ],
)
def test_nothing_is_suggested_where_nothing_can_be_learnt_and_why_is_said(messages, why):
    found = suggest_for(messages)
    assert not found.suggested
    assert found.why_none is not None
    assert why in found.why_none


@pytest.mark.parametrize("codes", [(WATER, SCHOOL), (WATER, WATER, SCHOOL)])
def test_nothing_is_learnt_of_several_codes_a_text_with_an_example_each(codes):
    messages = [
        make_message(make_text(code, n), make_label(code), *([make_label(code, scheme=COPY)] if n == 0 else []))
        for n, code in enumerate(codes)
    ]
    found = suggest_for([*messages, make_message(make_text(ROADS, 9))])
    assert found.labelled.is_multiple
    assert found.why_none == "fewer than two codes have 2 examples"
    assert list(found.ranked.values()) == [[]]


def test_codes_with_too_few_examples_are_named():
    late = [make_message(make_text(ROADS, n), make_label(ROADS)) for n in range(900, 903)]
    found = suggest_for(make_messages(240, 30, codes=(WATER, SCHOOL)) + late)
    assert found.few_examples == [ROADS]


def test_followers_and_a_contradicting_blind_share_are_told():
    messages = make_messages(2_000, 50)
    for message in messages[:2_000]:
        if is_blind(message["MessageID"], 0.1):
            message["Labels"] = [make_label(SCHOOL if message["Labels"][0]["CodeID"] != SCHOOL else ROADS)]
    found = suggest_for(messages)
    assert not found.suggested
    assert "without a suggestion" in (found.why_none or "")


def test_days_are_replayed_as_if_suggestions_had_been_made_from_the_first():
    days = list(replay_days(make_messages(500, 50), make_scheme(), False, SuggestionSettings()))
    assert [(day.day, day.messages, day.labelled_before) for day in days][:3] == [
        ("2026-05-01", 100, 0), ("2026-05-02", 100, 100), ("2026-05-03", 100, 200),
    ]  # fmt: skip
    assert [day.suggested for day in days[:2]] == [0, 0]
    assert days[3].right == days[3].suggested > 70
    assert days[3].clicks_alone - days[3].clicks_helped == days[3].right
    assert add_up(days).messages == 500
    assert 0.2 < add_up(days).saved < 0.5
    assert add_up([]).saved == 0


def test_chances_are_rounded_and_add_up():
    chances = learn(read_labelled_texts(make_messages(60, 0), make_scheme())).model.chances(["water tank", "", "zzz"])
    assert numpy.allclose(chances.sum(axis=1), 1, atol=1e-3)


def _topic(number: int) -> str:
    return (WATER, SCHOOL, ROADS)[number % 3]
