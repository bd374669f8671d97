"""Lines that are encoded at once are those of records that grow update by update."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.provenance import Metadata, encode_fresh_chain
from engagement.provenance.chain_encoding import LineEncoder, replace_newest_update

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
updates = st.lists(st.dictionaries(st.text(), values, min_size=1, max_size=4), min_size=1, max_size=4)


def encode(data):
    return json.dumps(data, sort_keys=True).encode()


@given(updates, st.builds(Metadata, st.text(), st.text(), st.text()))
def test_a_line_is_the_record_of_its_updates(updates, metadata):
    line = LineEncoder(metadata).encode(map(encode, updates))
    assert line == encode_fresh_chain((data, metadata) for data in updates).encode() + b"\n"
    assert line == json.dumps(json.loads(line), sort_keys=True).encode() + b"\n"


@given(
    updates,
    st.dictionaries(st.text(), values, min_size=1, max_size=4),
    st.builds(Metadata, st.text(), st.text(), st.text()),
)
def test_a_replaced_update_leaves_the_older_ones_as_they_are(updates, newest, metadata):
    earlier = Metadata("fetch", "2026-03-02T07:00:00+00:00", "tester@example.org")
    line = LineEncoder(earlier).encode(map(encode, [*updates, {"label": "old"}]))
    replaced = replace_newest_update(line, encode(newest), metadata)
    records = [(data, earlier) for data in updates] + [(newest, metadata)]
    assert replaced == encode_fresh_chain(records).encode() + b"\n"


def test_a_record_of_one_update_has_none_to_replace():
    metadata = Metadata("s", "t", "u")
    with pytest.raises(ValueError, match="without an older update"):
        replace_newest_update(LineEncoder(metadata).encode([b'{"a": 1}']), b"{}", metadata)
