"""A download of changes brings what one of everything has of them."""

import json
from datetime import UTC, datetime

import pytest

from coda_examples import label, message
from engagement.services.coda.folder_downloads import read_changes, read_everything
from engagement.services.coda.format import find_newest_update, parse_time

SINCE = datetime(2026, 3, 5, tzinfo=UTC)
OLD, SAME, NEW = "2026-03-04T23:59:59.999999+00:00", "2026-03-05T03:00:00+03:00", "2026-03-06T08:00:00.000000+00:00"
LABELS = [label("code-health", "Scheme-show")]
USABLE = [
    {**message(0), "LastUpdated": OLD},
    {**message(1), "LastUpdated": SAME, "Labels": LABELS, "Text": "é \ud800"},
    {**message(2), "LastUpdated": NEW, "SequenceNumber": 2**70, "Labels": LABELS},
    {**message(3), "LastUpdated": None, "SequenceNumber": None},
    message(4),
]
UNUSABLE = [
    7,
    {},
    {**message(5), "MessageID": "a/b"},
    {**message(5), "MessageID": ""},
    {**message(5), "Text": None},
    {**message(5), "CreationDateTimeUTC": "yesterday"},
    {**message(5), "SequenceNumber": 1.0},
    {**message(5), "SequenceNumber": True},
    {**message(5), "LastUpdated": ""},
    {**message(5), "Labels": [{"SchemeID": "Scheme-show"}]},
]


def write_segments(folder, *contents):
    found = []
    for number, text in enumerate(contents):
        path = folder / f"show_{number}.json"
        path.write_text(text)
        found.append((f"show_{number}", path))
    return found


def check(segments):
    whole, changes = read_everything(segments, "Repair it."), read_changes(segments, SINCE, "Repair it.")
    recent = [one for one in whole.messages if one.get("LastUpdated") and parse_time(one["LastUpdated"]) >= SINCE]
    assert changes.messages == recent
    assert (changes.set_aside, changes.copies) == (whole.set_aside, whole.copies)
    assert changes.moment == find_newest_update(whole.messages)
    return changes


def test_messages_that_changed_come_whole(tmp_path):
    more = {**USABLE[2], "Note": {"by": ["another tool", 1.5]}}
    changes = check(write_segments(tmp_path, json.dumps(USABLE), json.dumps([more])))
    assert changes.messages == [USABLE[1], USABLE[2], more]
    assert list(changes.copies.values()) == [("show_0", "show_1")]


@pytest.mark.parametrize("broken", UNUSABLE)
def test_a_document_that_is_no_message_is_set_aside(tmp_path, broken):
    changes = check(write_segments(tmp_path, json.dumps([USABLE[2], broken, USABLE[0]]), json.dumps([USABLE[1]])))
    assert len(changes.set_aside) == 1


def test_a_message_twice_in_a_segment_is_told(tmp_path):
    changes = check(write_segments(tmp_path, json.dumps([USABLE[0], USABLE[1], USABLE[0]])))
    assert list(changes.copies.values()) == [("show_0", "show_0")]


@pytest.mark.parametrize(
    "text", ["[]", json.dumps(USABLE[1:2], ensure_ascii=False).replace("\ud800", ""), '[{"a": NaN}]']
)
def test_any_json_is_read(tmp_path, text):
    check(write_segments(tmp_path, text))
