"""Several exports of a group: the newest edit of each message, each once, and without those that are gone."""

import itertools

import pytest

from engagement.foundation.errors import InputError
from engagement.sources.telegram_group.export_files import ExportFile
from engagement.sources.telegram_group.group_history import GroupHistory
from engagement.sources.telegram_group.messages import LeftOutMessage
from engagement.sources.telegram_group.model import TelegramGroupSource
from telegram_exports import FORMER, GROUP, joined, message, write_export


def source(**settings):
    document = {"SourceType": "TelegramGroup", "FlowName": "group", "GroupID": GROUP, "ExportURLs": ["file:///x"]}
    return TelegramGroupSource.model_validate({**document, **settings}, strict=False)


def history(tmp_path, *exports, **settings):
    files = [
        ExportFile(f"{n}.json", write_export(tmp_path / f"{n}.json", *rows))
        if isinstance(rows, list | tuple)
        else ExportFile(rows.name, rows)
        for n, rows in enumerate(exports)
    ]
    return GroupHistory(source(**settings), files)


def texts(found):
    return {message.number: message.text for message in found.messages(dict(found.kept()))}


def test_exports_may_overlap(tmp_path):
    first = [message(n, f"haa {n}") for n in range(1, 5)]
    second = [message(n, f"haa {n}") for n in range(3, 8)]
    assert texts(history(tmp_path, first, second)) == {n: f"haa {n}" for n in range(1, 8)}


def test_the_newest_edit_counts_whatever_the_order_of_the_files(tmp_path):
    versions = [
        [message(1, "first"), message(2, "two")],
        [message(1, "second", edited=5), message(2, "two"), message(3, "three")],
        [message(1, "third", edited=9), message(2, "two"), message(3, "three"), message(4, "four")],
    ]
    for number, order in enumerate(itertools.permutations(versions)):
        folder = tmp_path / str(number)
        assert texts(history(folder, *order)) == {1: "third", 2: "two", 3: "three", 4: "four"}


def test_a_message_is_gone_if_a_later_export_has_others_around_it(tmp_path):
    first = [message(n, f"haa {n}") for n in range(1, 6)]
    # 1 lies before the second export, 3 and 4 within.
    second = [message(2, "haa 2"), message(5, "haa 5"), message(6, "haa 6")]
    for number, order in enumerate(((first, second), (second, first))):
        assert sorted(texts(history(tmp_path / str(number), *order))) == [1, 2, 5, 6]


def test_an_export_that_ends_earlier_makes_nothing_gone(tmp_path):
    later = [message(n, f"haa {n}") for n in range(1, 6)]
    assert sorted(texts(history(tmp_path, later, [message(1, "haa 1"), message(4, "haa 4")]))) == [1, 2, 3, 4, 5]


def test_an_edit_that_takes_the_text_away_counts(tmp_path):
    assert texts(history(tmp_path, [message(1, "haa")], [message(1, "", edited=5)])) == {}


def test_a_held_message_is_gone_only_where_an_export_has_its_neighbours(tmp_path):
    found = history(tmp_path, [message(3, "a"), joined(5)], [message(8, "b"), message(9, ""), message(10, 5)])
    held = [f"{GROUP}:{number}" for number in range(1, 13)]
    # 9 lost its text; 10 can't be read, which says nothing.
    assert found.find_gone(held) == [f"{GROUP}:{number}" for number in (4, 5, 9)]
    assert found.find_gone(["99:1"]) == ["99:1"]


def test_messages_of_the_group_that_it_was_are_the_same_messages(tmp_path):
    old = write_export(tmp_path / "old.json", message(7, "haa"), message(8, "maya"), group=FORMER, kind="private_group")
    new = [message(7 - 1_000_000_000, "haa"), message(8 - 1_000_000_000, "maya"), message(7, "cusub")]
    found = texts(history(tmp_path, old, new, FormerGroupID=-FORMER))
    assert found == {7 - 1_000_000_000: "haa", 8 - 1_000_000_000: "maya", 7: "cusub"}


def test_what_is_left_out_is_counted(tmp_path):
    rows = [
        joined(1),
        message(2, "a", from_id=f"channel{GROUP}"),
        message(3, "b", forwarded_from="Zzyzx"),
        message(4, "", photo="x"),
        message(5, "c", of=99),
        message(6, "d", from_id=None),
        message(7, "e"),
    ]
    found = history(tmp_path, rows, rows, BotIDs=[7_000_000_099])
    assert texts(found) == {7: "e"}
    assert found.left_out == dict.fromkeys(LeftOutMessage, 1)


@pytest.mark.parametrize("number", [GROUP, -int(f"100{GROUP}")])
def test_the_group_may_be_numbered_as_bots_see_it(tmp_path, number):
    assert texts(history(tmp_path, [message(1, "haa")], GroupID=number)) == {1: "haa"}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"group": 99}, f"an export of group 99; expected {GROUP}. Check ExportURLs. If it is the same group"),
        ({"group": FORMER}, "add this number as FormerGroupID"),
        ({"kind": "personal_chat"}, "a chat of the type 'personal_chat'; expected one of a group"),
    ],
)
def test_an_export_of_another_chat_is_refused(tmp_path, settings, found):
    path = write_export(tmp_path / "other.json", message(1, "haa"), **settings)
    with pytest.raises(InputError, match=found):
        history(tmp_path, path)


def test_a_cut_export_is_refused_with_its_place(tmp_path):
    path = write_export(tmp_path / "cut.json", *[message(n, f"haa {n}") for n in range(1, 9)])
    path.write_text(path.read_text()[:-400])
    with pytest.raises(
        InputError, match=r"^cut\.json, behind message 6: it breaks off.*Export the group again"
    ) as error:
        history(tmp_path, path)
    assert "Zzyzx" not in str(error.value)


def test_old_exports_need_a_time_zone(tmp_path):
    row = message(1, "haa")
    del row["date_unixtime"]
    with pytest.raises(InputError, match="message 1: only a local time.*Add the TimeZone"):
        history(tmp_path, [row])
    (read,) = history(tmp_path, [row], TimeZone="Africa/Nairobi").messages({1: message_digest(tmp_path)})
    assert read.sent == int(message(1, "haa")["date_unixtime"])


def message_digest(tmp_path):
    return dict(history(tmp_path, [message(1, "haa")]).kept())[1]


def test_unreadable_messages_are_told_by_place(tmp_path):
    found = history(tmp_path, [message(1, "haa"), message(2, 5), message(3, "maya", date_unixtime="?")])
    assert texts(found) == {1: "haa"}
    assert [(one.place, one.reason) for one in found.unreadable] == [
        ("0.json, message 2", "text: no text"),
        ("0.json, message 3", "date_unixtime: no number"),
    ]
