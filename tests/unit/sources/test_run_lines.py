"""Lines of runs are exactly what json.dumps gives, with the SHA chain of the format."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from engagement.provenance import HIDDEN, Metadata, decode
from engagement.services.rapidpro.rows import Reference, Result, Run
from engagement.sources.encoded_lines import encode_instants
from engagement.sources.rapidpro.de_identify import ContactIdentity
from engagement.sources.rapidpro.run_lines import RunLines

NOON = datetime(2026, 3, 1, 12, 0, 0, 500000, tzinfo=timezone(timedelta(hours=3)))
SOMEBODY = ContactIdentity("avf-phone-uuid-1", "tel", "25261")
METADATA = Metadata("engagement.sources.rapidpro", "2026-04-01T00:00:00+00:00", "tester@example.org")

# Without a zone, which hypothesis adds.
YEARS = (datetime(1970, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001
texts = st.none() | st.text()
results = st.builds(Result, time=st.just(NOON), name=texts, category=texts, value=texts, input=texts)
runs = st.builds(
    Run,
    uuid=st.text(),
    flow=st.just(Reference("f")),
    contact=st.builds(Reference, st.sampled_from(["c1", "c2"])),
    created_on=st.datetimes(*YEARS, timezones=st.just(UTC)),
    modified_on=st.just(NOON),
    exited_on=st.none() | st.just(NOON),
    exit_type=texts,
    values=st.none() | st.dictionaries(st.text(), results, max_size=4),
)


def make_lines(flow='s01 "e01" ✓', with_operator=True, tests=("c2",)):
    return RunLines(flow, tests, operators=None, with_operator=with_operator, metadata=METADATA)


def sha(data, previous):
    return hashlib.sha256(json.dumps({"data": data, "prev_sha": previous}, sort_keys=True).encode()).hexdigest()


@given(runs, st.integers() | st.text(), st.booleans())
def test_a_line_is_json_with_sorted_keys_and_chained_by_hashes(run, run_id, with_operator):
    line = make_lines(with_operator=with_operator).make([(run, run_id, SOMEBODY)])[0]
    updates = json.loads(line)
    assert line == json.dumps(updates, sort_keys=True).encode() + b"\n"
    previous = ""
    for update in reversed(updates):
        previous = sha(update["Data"], previous)
        assert update["SHA"] == previous
    assert len(updates) == 1 + with_operator
    assert updates[-1]["Data"].get("test_run", False) == (run.contact.uuid == "c2")
    assert updates[-1]["Data"]['run_created_on - s01 "e01" ✓'] == run.created_on.isoformat()


@given(st.lists(runs, max_size=5))
def test_lines_of_many_runs_are_those_of_each(runs):
    lines = make_lines()
    known = [(run, position, SOMEBODY) for position, run in enumerate(runs)]
    assert lines.make(known) == [line for one in known for line in lines.make([one])]


@given(runs)
def test_a_line_made_again_is_the_very_same_until_something_differs(run):
    line = make_lines().make([(run, 1, SOMEBODY)])[0]
    later = RunLines('s01 "e01" ✓', ["c2"], None, True, Metadata("x", "2027-01-01T00:00:00+00:00", "y"))
    assert later.make_again(line, run.contact.uuid, SOMEBODY) == line
    other_tests = make_lines(tests=["c1"])
    assert other_tests.make_again(line, run.contact.uuid, SOMEBODY) == other_tests.make([(run, 1, SOMEBODY)])[0]


@given(
    st.lists(
        st.none()
        | st.datetimes(datetime.fromisoformat("1900-01-01"), timezones=st.timezones()).filter(lambda at: at.year < 9999)
    )
)
def test_instants_are_written_in_utc_as_isoformat_does(instants):
    expected = ["null" if at is None else json.dumps(at.astimezone(UTC).isoformat()) for at in instants]
    assert [at.decode() for at in encode_instants(instants)] == expected


def test_a_text_that_is_the_mark_that_hides_a_key_is_a_text_and_hides_nothing():
    """Whoever knows the mark and sends it has sent a text."""
    said = {
        "a": Result(time=NOON, name=HIDDEN, category=HIDDEN, value=HIDDEN, input=f'"{HIDDEN}"'),
        "b": Result(time=NOON, name="b", category="c", value=f"{HIDDEN} haa", input=HIDDEN),
    }
    run = Run("u", Reference("f"), Reference("c1"), NOON, NOON, None, HIDDEN, values=said)
    line = make_lines(flow="f").make([(run, 1, SOMEBODY)])[0]
    values = decode(line).values
    shown = "'" + HIDDEN
    for key, expected in {
        "run_exit_type - f": shown,
        "A (Value) - f": shown,
        "A (Category) - f": shown,
        "A (Text) - f": f'"{HIDDEN}"',
        "B (Text) - f": shown,
        "B (Value) - f": f"{HIDDEN} haa",
    }.items():
        assert values[key] == expected
    assert line == json.dumps(json.loads(line), sort_keys=True).encode() + b"\n"


def test_what_lines_are_made_with_has_a_digest():
    digests = {
        make_lines(tests=tests, with_operator=flag).rendering() for tests in ((), ("c1",)) for flag in (True, False)
    }
    assert len(digests) == 4
    assert make_lines(tests=("a", "b")).rendering() == make_lines(tests=("b", "a")).rendering()
