"""The line of every value of a JSON text, however it is laid out."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from engagement.configuration.json_text import find_lines

KEYS = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def paths_in(value, path="$"):
    """Every path of a document, in the order of its text."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, f"{path}.{key}")
    if isinstance(value, list):
        for position, inner in enumerate(value):
            yield from paths_in(inner, f"{path}[{position}]")


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_every_value_has_a_line_whatever_the_layout(document, indent, is_ascii):
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii)
    lines = find_lines(text)
    assert set(lines) == set(paths_in(document))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(
    st.lists(
        st.tuples(st.from_regex(re.compile(r"[a-z]{1,5}"), fullmatch=True), VALUES), unique_by=lambda pair: pair[0]
    )
)
def test_the_line_is_that_of_the_key(members):
    # Each key begins a line of its own, and each value lies behind it.
    text = "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in members) + "\n}"
    lines = find_lines(text)
    assert [lines[f"$.{key}"] for key, _ in members] == list(range(2, len(members) + 2))


def test_a_value_below_its_key_has_the_line_of_the_key():
    assert find_lines('{"A":\n\n  [1,\n 2]}') == {"$": 1, "$.A": 1, "$.A[0]": 3, "$.A[1]": 4}
