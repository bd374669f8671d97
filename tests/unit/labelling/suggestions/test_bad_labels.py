"""Labels that a project should not have, but has: nothing stops, and what is suggested is still right."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.suggestion_examples import (
    ROADS,
    SCHOOL,
    WATER,
    make_label,
    make_message,
    make_scheme,
    make_scheme_document,
    make_text,
)

from engagement.configuration import CodeScheme
from engagement.labelling.suggestions.examples import read_labelled_texts
from engagement.labelling.suggestions.suggestions import SuggestionSettings, suggest

Message = dict[str, Any]
CODES = (WATER, SCHOOL, ROADS)
LABELLED, OPEN = 360, 90
ETHIOPIC = {chr(ord("a") + n): chr(0x1200 + 8 * n) for n in range(26)}


def scheme_without(code_id: str) -> CodeScheme:
    document = make_scheme_document()
    document["Codes"] = [code for code in document["Codes"] if code["CodeID"] != code_id]
    return CodeScheme.model_validate_json(json.dumps(document))


def in_two_scripts(text: str, number: int) -> str:
    # The six texts of a pattern are three of each script.
    return text.translate(str.maketrans(ETHIOPIC)) if number // 3 % 2 else text


def wrong(share: float) -> Callable[[int], str]:
    chooser = random.Random(22)
    changed = {number: chooser.choice(CODES) for number in range(LABELLED) if chooser.random() < share}
    return lambda number: changed.get(number, CODES[number % 3])


@pytest.mark.parametrize(
    ("scheme", "label_of", "write", "never", "fewest"),
    [
        pytest.param(scheme_without(ROADS), wrong(0), make_text, ROADS, 30, id="a code vanished from the scheme"),
        pytest.param(
            make_scheme(), lambda n: "code-of-another-year" if n % 4 == 0 else CODES[n % 3], make_text,
            "code-of-another-year", 40, id="labels of unknown codes",
        ),
        pytest.param(make_scheme(), lambda _: "code-of-another-year", make_text, None, 0, id="all codes are unknown"),
        pytest.param(scheme_without(WATER), lambda _: WATER, make_text, WATER, 0, id="the one code in use vanished"),
        pytest.param(make_scheme(), wrong(0.15), make_text, None, 0, id="one label of ten is wrong"),
        pytest.param(
            make_scheme(), wrong(0), lambda code, n: in_two_scripts(make_text(code, n), n), None, 60, id="two scripts"
        ),
    ],
)  # fmt: skip
def test_odd_labels_stop_nothing_and_teach_nothing_wrong(
    scheme: CodeScheme,
    label_of: Callable[[int], str],
    write: Callable[[str, int], str],
    never: str | None,
    fewest: int,
):
    messages, truth = [], {}
    for number in range(LABELLED + OPEN):
        code = CODES[number % 3]
        labels = [make_label(label_of(number))] if number < LABELLED else []
        messages.append(make_message(write(code, number), *labels))
        truth[messages[-1]["MessageID"]] = code
    found = suggest(read_labelled_texts(messages, scheme), SuggestionSettings())
    given = {message_id: codes[0][0] for message_id, codes in found.suggested.items()}
    assert never not in given.values()
    assert len(given) >= fewest
    assert bool(given) or found.why_none
    known = {code.code_id for code in scheme.codes}
    right = [truth[message_id] == code for message_id, code in given.items() if truth[message_id] in known]
    assert sum(right) >= 0.9 * len(right)
