"""Whatever RapidPro, or what stands before it, answers with: rows that can be used are read, and nothing else is raised."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagement.services.json_pieces import BrokenJSONError, mend_surrogates, split_list, split_object
from engagement.services.rapidpro.archives import ArchiveRow, archive_of
from engagement.services.rapidpro.reading import NotAPageError, RowReader, TooLargeError, read_workspace
from engagement.services.rapidpro.rows import Contact, Flow, Run
from property_examples import examples

UUID = "5b0e0f5a-2b5e-4d6e-8f3a-3f6a6d0c9a41"
AT = "2026-03-01T09:00:00.123456Z"
RUN = {
    "id": 7,
    "uuid": UUID,
    "flow": {"uuid": "f", "name": "show"},
    "contact": {"uuid": "c", "urn": "tel:+252611234567", "name": "Zzyzx"},
    "start": None,
    "responded": True,
    "path": [{"node": "n", "time": AT}],
    "values": {
        "answer": {"value": "haa", "category": "Yes", "node": "n", "time": AT, "input": "haa!", "name": "Answer"}
    },
    "created_on": AT,
    "modified_on": AT,
    "exited_on": None,
    "exit_type": "completed",
}
CONTACT = {
    "uuid": UUID,
    "name": "Zzyzx",
    "urns": ["tel:+252611234567"],
    "modified_on": AT,
    "status": "active",
    "fields": {},
}
FLOW = {
    "uuid": UUID,
    "name": "show",
    "archived": False,
    "results": [{"key": "a", "categories": ["Yes"], "node_uuids": []}],
}
ARCHIVE = {
    "archive_type": "run",
    "type": "run",
    "start_date": "2026-01-01",
    "period": "daily",
    "record_count": 3,
    "size": 99,
    "hash": "0" * 32,
    "download_url": "https://storage.example.org/a?Signature=secret",
}
KINDS = {"run": (Run, RUN), "contact": (Contact, CONTACT), "flow": (Flow, FLOW), "archive": (ArchiveRow, ARCHIVE)}
REFUSALS = (BrokenJSONError, NotAPageError, TooLargeError)

odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(
        ["", "0001-01-01T00:00:00+03:00", "9999-12-31T23:59:59-12:00", "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z"]
        + [
            "2026-03-01T09:00:00",
            "\ud800",
            "\x00",
            "x" * 999,
            "tel:+252611234567",
            UUID,
            "run",
            "monthly",
            "2026-01-01",
        ]
    ),
    st.text(max_size=5),
    st.sampled_from([[], {}, [[]], [{}], {"uuid": None}, [None], [{"a": {"time": AT}}], {"a": {"time": AT}}]),
)


def places(document, path=()):
    """Every place in a document, by its keys."""
    yield path
    if isinstance(document, dict):
        for key in document:
            yield from places(document[key], (*path, key))
    elif isinstance(document, list):
        for position in range(len(document)):
            yield from places(document[position], (*path, position))


@st.composite
def mutated(draw, document):
    """A document in which a few values are others, keys are missing, renamed or sent twice, and values are nested."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(list(places(document))[1:] or [()]))
        if not path:
            return copy.deepcopy(draw(odd_values))
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(["value", "remove", "rename", "wrap", "deep", "double"])):
            case "value":
                parent[path[-1]] = copy.deepcopy(draw(odd_values))
            case "remove" if isinstance(parent, dict):
                del parent[path[-1]]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.text(max_size=3))] = parent.pop(path[-1])
            case "wrap":
                parent[path[-1]] = [parent[path[-1]]] if draw(st.booleans()) else {"x": parent[path[-1]]}
            case "deep":
                parent[path[-1]] = "@deep@"
            case _:
                parent[path[-1]] = parent[path[-1]], parent[path[-1]]
    return document


@st.composite
def encoded(draw, document):
    """A document as bytes, which are not always good JSON."""
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    # The encoding of half a character is none.
    content = text.encode("utf-8", "surrogatepass").replace(b'"@deep@"', b"[" * 3000 + b"]" * 3000)
    match draw(
        st.sampled_from(["whole", "whole", "whole", "short", "byte", "latin", "utf16", "bom", "twice", "surrogate"])
    ):
        case "short":
            return content[: draw(st.integers(0, len(content)))]
        case "byte":
            position = draw(st.integers(0, len(content) - 1))
            return content[:position] + bytes([draw(st.integers(0, 255))]) + content[position + 1 :]
        case "latin":
            return content.replace(b"a", b"\xe9")
        case "utf16":
            return text.encode("utf-16", "surrogatepass")
        case "bom":
            return b"\xef\xbb\xbf" + content
        case "twice":
            return content + content
        case "surrogate":
            return content.replace(b"a", rb"\ud83d", draw(st.integers(1, 9)))
    return content


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_nothing_that_comes_from_outside_is_a_traceback(data, kind):
    row, example = KINDS[kind]
    page = {"next": None, "previous": None, "results": [example, data.draw(mutated(example)), example]}
    content = data.draw(encoded(page if data.draw(st.booleans()) else data.draw(mutated(page))))
    try:
        read = RowReader(row, {"f"} if kind == "run" else None).read_page(content)
    except REFUSALS:
        return
    for lost in read.unreadable:
        told = f"{lost.key} {lost.reason}"
        assert "Zzyzx" not in told
        assert "252611234567" not in told
    for found in read.rows:
        if kind == "archive":
            archive_of(found)
        elif kind == "flow":
            assert isinstance(found.results, tuple)
        else:
            assert found.modified_on.year >= 1970


@settings(max_examples=examples(200))
@given(data=st.data())
def test_one_bad_row_never_costs_its_neighbours(data):
    bad = data.draw(mutated(RUN))
    content = json.dumps({"next": None, "results": [RUN, bad, {**RUN, "id": 8}]}).encode()
    read = RowReader(Run, {"f"}).read_page(content.replace(b'"@deep@"', b"[" * 3000 + b"]" * 3000))
    assert [row.id for row in read.rows][:1] == [7]
    assert [row.id for row in read.rows][-1:] == [8]
    assert len(read.rows) + len(read.unreadable) <= 3


WORKSPACE = {
    "uuid": UUID,
    "name": "Zzyzx",
    "country": "SO",
    "timezone": "Africa/Mogadishu",
    "anon": False,
    "languages": ["som"],
}


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_workspace_is_read_or_refused(data):
    content = data.draw(encoded(data.draw(mutated(WORKSPACE))))
    try:
        found = read_workspace(content)
    except (BrokenJSONError, NotAPageError) as refusal:
        assert "Zzyzx" not in str(refusal)
    else:
        assert len(found.uuid or "") <= 64


@settings(max_examples=examples(200))
@given(data=st.data())
def test_lines_of_an_archive_are_read_one_by_one(data):
    lines = [json.dumps(RUN).encode(), data.draw(encoded(data.draw(mutated(RUN)))), json.dumps(RUN).encode()]
    read = RowReader(Run, {"f"}).read_rows(lines)
    assert len(read.rows) >= 2


ROW = json.dumps(RUN).encode()


@pytest.mark.parametrize(
    ("block", "lines", "rows", "unreadable"),
    [
        (ROW + b"\n" + ROW + b"\n", 2, 2, 0),
        # The last line may lack its end.
        (ROW + b"\n" + ROW, 2, 2, 0),
        (b"\n" + ROW + b"\n \n", 1, 1, 0),
        (ROW + b"\n{}\n" + ROW + b"\n", 3, 2, 1),
        (ROW + b"\n{\n" + ROW + b"\n", 3, 2, 1),
        # As a stream these would be two and one.
        (ROW + b" " + ROW + b"\n", 1, 0, 1),
        (ROW.replace(b", ", b",\n", 1) + b"\n", 2, 0, 2),
        (b"\n", 0, 0, 0),
    ],
)
def test_a_block_of_an_archive_has_a_row_a_line(block, lines, rows, unreadable):
    found, page = RowReader(Run, ("f",)).read_lines(block)
    assert (found, len(page.rows), len(page.unreadable)) == (lines, rows, unreadable)
    assert RowReader(Run, ("elsewhere",)).read_lines(block)[1].rows == []


@given(st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=9), max_size=6))
def test_a_list_is_cut_into_its_values(values):
    assert [json.loads(piece) for piece in split_list(json.dumps(values).encode(), 99)] == values


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=6))
def test_an_object_is_cut_into_its_values(values):
    members = split_object(json.dumps(values).encode(), 99)
    assert {json.loads(key): json.loads(value) for key, value in members.items()} == values


@given(st.text(st.characters(exclude_categories=[]) | st.sampled_from("\ud83d\ude00\\u"), max_size=20))
def test_only_half_surrogates_are_mended(text):
    mended, count = mend_surrogates(json.dumps(text).encode())
    # Two halves side by side are one character.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    read = json.loads(mended)
    assert read.encode() == read.encode("utf-8", "strict")
    assert count == sum(0xD800 <= ord(character) <= 0xDFFF for character in json.loads(json.dumps(text)))
    assert len(read) == len(whole) or count


@pytest.mark.parametrize("broken", [b"[1", b"[1}", b'["a]', b"1", b"", b"[1] 2", b"[[]", b"{}"])
def test_what_is_no_list_is_told(broken):
    with pytest.raises(BrokenJSONError):
        split_list(broken, 99)


def test_more_rows_or_values_than_a_page_has_are_told_without_decoding_them():
    with pytest.raises(TooLargeError, match="values"):
        RowReader(Run).read_page(b'{"results": [' + b"1," * 600_000 + b"1]}")
    with pytest.raises(TooLargeError, match="6000 rows"):
        RowReader(Contact).read_page(json.dumps({"results": [CONTACT] * 6000}).encode())


@pytest.mark.parametrize(
    ("change", "is_listed", "can_be_read"),
    [
        ({}, True, True),
        ({"type": None}, True, True),
        ({"archive_type": None}, True, True),
        ({"archive_type": "message", "type": "message"}, False, False),
        ({"record_count": 0, "hash": None, "download_url": None, "size": 0}, False, False),
        ({"hash": None}, True, False),
        ({"hash": "zz"}, True, False),
        ({"download_url": None}, True, False),
        ({"record_count": None}, True, False),
        ({"record_count": -1}, True, False),
        ({"record_count": "3"}, True, False),
        ({"start_date": 5, "period": [], "size": None}, True, True),
    ],
)
def test_which_archives_can_be_read(change, is_listed, can_be_read):
    (row,) = RowReader(ArchiveRow).read_page(json.dumps({"results": [{**ARCHIVE, **change}]}).encode()).rows
    archive = archive_of(row)
    assert (archive is not None) == is_listed
    assert bool(archive and archive.address) == can_be_read
