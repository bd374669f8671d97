"""A message that RapidPro has and a recovery file holds as well counts once."""

import pytest

from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS
from engagement.pipeline.messages.recovered import ALSO_RECOVERED, drop_known_messages
from engagement.provenance import Metadata, TracedData

METADATA = Metadata("tests", "2026-04-01T00:00:00+00:00", "tester")
OWN_KEYS = ("message_2", "received_on_2", "run_id_2")


def at(time: str) -> str:
    return f"2026-04-01T{time}+03:00"


def run(text: str | None, time: str, result: str = "Rqa", flow: str = "show") -> TracedData:
    data = {
        f"{result} (Text) - {flow}": text,
        f"{result} (Value) - {flow}": text,
        f"{result} (Time) - {flow}": at(time),
    }
    return TracedData.start({"avf_phone_id": "a", **data}, METADATA)


def recovered(run_id: str, text: str, time: str, keys: tuple[str, str, str] = DEFAULT_RECOVERED_KEYS) -> TracedData:
    return TracedData.start({"avf_phone_id": "a", **dict(zip(keys, (text, at(time), run_id), strict=True))}, METADATA)


# The messages of RapidPro, the recovered ones, and which of these stay.
CASES = {
    "the same text at the same time": (["biyo 10:00:00"], ["A biyo 10:00:00"], ""),
    "the clocks differ by less than five minutes": (["biyo 10:00:00"], ["A biyo 10:05:00"], ""),
    "before as well as after": (["biyo 10:05:00"], ["A biyo 10:00:00"], ""),
    "farther apart": (["biyo 10:00:00"], ["A biyo 10:05:01"], "A"),
    "another text": (["biyo 10:00:00"], ["A Biyo 10:00:00"], "A"),
    # Both are RapidPro's, and the file holds both.
    "twice in both": (["1 10:00:00", "1 10:02:00"], ["A 1 10:00:10", "B 1 10:02:10"], ""),
    "twice in RapidPro, once recovered": (["1 10:00:00", "1 10:02:00"], ["A 1 10:01:00"], ""),
    # One was lost: the one that is farther away from what RapidPro has.
    "once in RapidPro, twice recovered": (["1 10:02:00"], ["A 1 10:00:00", "B 1 10:02:30"], "A"),
    "three times recovered, two in RapidPro": (
        ["1 10:00:00", "1 10:04:00"], ["A 1 10:00:30", "B 1 10:02:30", "C 1 10:04:30"], "B",
    ),
    # The nearest pair first, although the other way both would find one.
    "the nearest in time first": (["1 10:04:00", "1 10:09:00"], ["A 1 10:00:00", "B 1 10:05:00"], "A"),
    "in any order of lines": (["1 10:09:00", "1 10:04:00"], ["B 1 10:05:00", "A 1 10:00:00"], "A"),
    "a row of two files": ([], ["A biyo 10:00:00", "A biyo 10:00:00"], "A"),
    "a row of two files that RapidPro has": (["biyo 10:00:00"], ["A biyo 10:00:00", "A biyo 10:00:00"], ""),
    "two rows of one text": ([], ["A biyo 10:00:00", "B biyo 10:00:00"], "A B"),
    "nothing in RapidPro": ([], ["A biyo 10:00:00"], "A"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "found", "staying"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("keys", [DEFAULT_RECOVERED_KEYS, OWN_KEYS], ids=["usual keys", "keys of its own"])
def test_each_message_of_rapid_pro_stands_for_one_recovered_message(sent, found, staying, keys):
    runs = [run(*line.rsplit(" ", 1)) for line in sent]
    files = [recovered(line.split(" ")[0], *line.split(" ", 1)[1].rsplit(" ", 1), keys) for line in found]
    for activation in ([*runs, *files], [*files, *runs]):
        kept = drop_known_messages(activation, [], (DEFAULT_RECOVERED_KEYS, OWN_KEYS), METADATA)
        assert [one for one in kept if one in runs] == runs
        assert " ".join(sorted(one.values[keys[2]] for one in kept if one not in runs)) == staying


def test_white_space_makes_no_other_message():
    kept = drop_known_messages(
        [run("biyo iyo\ncunto", "10:00:00"), recovered("A", " biyo iyo cunto ", "10:00:00")], [],
        (DEFAULT_RECOVERED_KEYS,), METADATA,
    )  # fmt: skip
    assert len(kept) == 1


def test_answers_to_surveys_are_messages_too():
    survey = [run("26", "10:00:00", "Age", "demographics")]
    files = [recovered("A", "26", "10:00:03"), recovered("B", "biyo", "10:01:00")]
    kept = drop_known_messages(files, survey, (DEFAULT_RECOVERED_KEYS,), METADATA)
    assert [one.values["run_id"] for one in kept] == ["B"]


def test_one_message_that_started_two_flows_stands_for_one():
    runs = [run("1", "10:00:00.100000"), run("1", "10:00:00.700000", flow="other")]
    kept = drop_known_messages(
        [*runs, recovered("A", "1", "10:00:00"), recovered("B", "1", "10:03:00")],
        [],
        (DEFAULT_RECOVERED_KEYS,),
        METADATA,
    )
    assert [one.values.get("run_id") for one in kept] == [None, None, "B"]


def test_the_run_tells_which_recovered_message_it_is():
    known = run("biyo", "10:00:00")
    other = run("rajo", "10:00:00")
    drop_known_messages([known, other, recovered("A", "biyo", "10:00:00")], [], (DEFAULT_RECOVERED_KEYS,), METADATA)
    assert known.values[ALSO_RECOVERED] == ["A"]
    assert ALSO_RECOVERED not in other.values


@pytest.mark.parametrize("time", [None, "yesterday", 7, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+03:00"])
def test_a_time_that_is_none_matches_nothing_and_breaks_nothing(time):
    odd = TracedData.start({"avf_phone_id": "a", "message": "biyo", "received_on": time, "run_id": "A"}, METADATA)
    assert len(drop_known_messages([run("biyo", "10:00:00"), odd], [], (DEFAULT_RECOVERED_KEYS,), METADATA)) == 2
