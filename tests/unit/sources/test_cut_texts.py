"""Whether a server sends whole texts, by what it says of its flows and one page of their runs."""

from datetime import UTC, datetime

import msgspec
import pytest

from engagement.services.rapidpro.rows import Flow, Reference, Result, Run
from engagement.sources.rapidpro.cut_texts import find_server_that_cuts
from engagement.sources.rapidpro.model import RapidProSource

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TESTED = Flow("1", "survey", encoded_results=msgspec.Raw(b'[{"key": "age", "categories": ["Number", "Other"]}]'))
OPEN = Flow("2", "show", encoded_results=msgspec.Raw(b'[{"key": "answer", "categories": ["All Responses"]}]'))
ELSEWHERE = Flow("3", "other", encoded_results=TESTED.encoded_results)


def source(full_texts=False):
    return RapidProSource.model_validate(
        {
            "SourceType": "RapidPro",
            "Domain": "textit.in",
            "TokenFileURL": "gs://keys/token.txt",
            "ContactsFileName": "contacts",
            "ActivationFlowNames": ("show",),
            "SurveyFlowNames": ("survey",),
            "FullTexts": full_texts,
        }
    )


def runs(**parts):
    result = Result(time=NOON, value="25", **parts)
    return [Run("r", Reference("1"), Reference("c"), NOON, NOON, values={"age": result})]


@pytest.mark.parametrize(
    ("flows", "found", "full_texts", "is_told", "asked"),
    [
        pytest.param([OPEN, TESTED], runs(), False, True, ["1"], id="what was matched, and no more"),
        pytest.param(
            [OPEN, TESTED], runs(input="25 jir"), False, False, ["1"], id="a server that sends the whole text"
        ),
        pytest.param([OPEN, TESTED], runs(), True, False, [], id="whole texts are looked up"),
        pytest.param([OPEN, ELSEWHERE], runs(), False, False, [], id="no flow of the project tests anything"),
        pytest.param([TESTED], [], False, False, ["1"], id="nobody has come so far"),
    ],
)
def test_full_texts_are_suggested_where_a_server_cuts_tested_answers(flows, found, full_texts, is_told, asked):
    requests = []
    problems = list(
        find_server_that_cuts(
            "$.RawDataSources[0]", source(full_texts), flows, lambda flow: requests.append(flow) or found
        )
    )
    assert [problem.at for problem in problems] == ["$.RawDataSources[0]"] * is_told
    assert requests == asked
