import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.foundation.errors import InputError
from engagement.provenance import (
    HIDDEN,
    ChainError,
    Metadata,
    TracedData,
    decode,
    encode_fresh_chain,
    read_traced_data,
)

FIRST = Metadata("step one", "2026-04-01T00:00:00.000000+00:00", "a@example.org")
SECOND = Metadata("step two", 1585699200.5, "b@example.org")  # as older files have it

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
data = st.dictionaries(st.text(), values | st.just(HIDDEN), min_size=1, max_size=4)


@st.composite
def records(draw: st.DrawFn, depth: int = 2) -> TracedData:
    record = TracedData()
    for update in draw(st.lists(data, min_size=1, max_size=3)):
        nested = {}
        if depth:
            nested = draw(st.dictionaries(st.text(), records(depth - 1), max_size=2))
        record.append(update, draw(st.sampled_from([FIRST, SECOND])), nested)
    return record


@given(records())
def test_writing_then_reading_is_the_identity(record: TracedData):
    line = record.encode()
    again = decode(line)
    assert (again.values, again.newest_sha, again.encode()) == (record.values, record.newest_sha, line)


@given(records())
def test_a_line_is_exactly_json_dumps_with_sorted_keys(record: TracedData):
    line = record.encode()
    assert line == json.dumps(json.loads(line), sort_keys=True)
    assert line.isascii()


def _protected_positions(line: str) -> list[int]:
    """Where a changed byte changes data or a hash; metadata are not hashed."""
    update = json.loads(line)[0]
    data_at = line.index(json.dumps(update["Data"], sort_keys=True))
    sha_at = line.index(update["SHA"])
    return [*range(data_at + 1, data_at + len(json.dumps(update["Data"]))), *range(sha_at, sha_at + 64)]


LINE = encode_fresh_chain([({"age": "22", "text": "haa \u00e9"}, FIRST)])


@pytest.mark.parametrize("position", _protected_positions(LINE))
def test_one_flipped_byte_is_refused(position: int):
    flipped = LINE[:position] + chr(ord(LINE[position]) ^ 1) + LINE[position + 1 :]
    with pytest.raises(ChainError):
        decode(flipped)


def test_the_hash_is_that_of_the_format():
    expected = hashlib.sha256(b'{"data": {"a": 1}, "prev_sha": ""}').hexdigest()
    assert TracedData.start({"a": 1}, FIRST).newest_sha == expected


def test_nested_values_apply_before_the_updates_own_and_hidden_keys_are_gone():
    inner = TracedData.start({"age": "20", "gender": "man", "place": None}, FIRST)
    record = TracedData.start({"age": "19"}, FIRST)
    record.append({"gender": "woman"}, SECOND, {"survey": inner})
    record.append({"place": HIDDEN}, SECOND)
    assert record.values == {"age": "20", "gender": "woman"}
    assert decode(record.encode()).values == record.values


def test_history_tells_every_value_with_who_and_where():
    inner = TracedData.start({"age": "20"}, FIRST)
    record = TracedData.start({"age": "19"}, FIRST)
    record.append({}, SECOND, {"survey": inner})
    record.append({"age": HIDDEN}, SECOND)
    changes = [change for _, change in record.history()]
    assert [(change.value, change.metadata, change.path) for change in changes] == [
        ("19", FIRST, ()),
        ("20", FIRST, ("survey",)),
        (HIDDEN, SECOND, ()),
    ]
    assert {key for key, _ in record.history()} == {"age"}


def test_an_append_without_data_adds_nothing():
    record = TracedData.start({"a": 1}, FIRST)
    before = record.encode()
    record.append({}, SECOND)
    assert record.encode() == before


def test_a_copy_goes_on_alone():
    record = TracedData.start({"a": 1}, FIRST)
    copy = record.copy()
    copy.append({"a": 2}, SECOND)
    assert (record.values, copy.values) == ({"a": 1}, {"a": 2})
    assert decode(copy.encode()).values == {"a": 2}


def test_nesting_of_hundreds_of_levels_needs_no_recursion():
    record = TracedData.start({"level": 0}, FIRST)
    for level in range(1, 400):
        outer = TracedData()
        outer.append({"level": level}, FIRST, {"inner": record})
        record = outer
    assert decode(record.encode()).values == {"level": 399}
    assert [key for key, _ in record.history()] == ["level"] * 400


BAD_LINES = [
    ("{", "not JSON"),
    ("{}", "not a list of updates"),
    ("[]", "not a list of updates"),
    ("[1]", "update 1 of 1: expected an object"),
    ('[{"Data": {}, "Metadata": {}, "NestedTracedData": {}, "SHA": ""}]', "Metadata should be"),
    (LINE.replace('"NestedTracedData": {}', '"NestedTracedData": {"survey": []}'), "nested key 'survey'"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_what_is_not_traced_data_is_refused_with_its_place(line: str, reason: str):
    with pytest.raises(ChainError, match="(?s)" + reason.replace("(", r"\(")):
        decode(line)


def test_a_file_that_does_not_verify_is_named_by_file_line_and_key(tmp_path: Path):
    path = tmp_path / "flow.jsonl"
    lines = [LINE, LINE]
    path.write_text(lines[0] + "\n" + lines[1].replace('"22"', '"23"') + "\n")
    with pytest.raises(InputError, match=r"flow\.jsonl, line 2: update 1 of 1, key 'age', 'text'"):
        list(read_traced_data(path))


def test_only_line_feeds_separate_records(tmp_path: Path):
    record = TracedData.start({"text": "a\u2028b\r\x85c"}, FIRST)
    path = tmp_path / "flow.jsonl"
    # As other writers may have it: not ASCII-escaped.
    path.write_text(json.dumps(json.loads(record.encode()), sort_keys=True, ensure_ascii=False) + "\n", newline="\n")
    (read,) = read_traced_data(path)
    assert (read.values, read.encode()) == (record.values, record.encode())


def test_a_file_cut_short_is_refused(tmp_path: Path):
    path = tmp_path / "flow.jsonl"
    path.write_text(LINE)
    with pytest.raises(InputError, match="no line end"):
        list(read_traced_data(path))
