"""Messages of exports: who counts as a participant, and what is left out."""

from zoneinfo import ZoneInfo

import pytest

from engagement.sources.telegram_group.messages import (
    LeftOutMessage,
    MessageReader,
    NoTimeZoneError,
    UnreadableMessageError,
)

ROW = {
    "id": 14,
    "type": "message",
    "date": "2026-03-02T10:00:05",
    "date_unixtime": "1772434805",
    "from": "Zzyzx Invented",
    "from_id": "user7000000012",
    "text": "maji safi",
    "text_entities": [],
}


def read(zone=None, bots=(), **changes):
    row = {name: value for name, value in {**ROW, **changes}.items() if value is not ...}
    return MessageReader(zone, bots).read(row)


def test_a_message_is_read():
    message = read()
    assert (message.number, message.user, message.text, message.edited, message.left_out) == (
        14,
        7000000012,
        "maji safi",
        0,
        None,
    )
    assert message.time.isoformat() == "2026-03-02T07:00:05+00:00"


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        (["see ", {"type": "mention", "text": "@x"}, " ok"], "see @x ok"),
        ([{"type": "bold", "text": "haa"}], "haa"),
        ("haa \ud83d", "haa \ufffd"),
        ("", ""),
        ([], ""),
    ],
)
def test_a_text_may_come_in_pieces(text, joined):
    assert read(text=text).text == joined


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "service", "action": "invite_members", "from_id": ...}, LeftOutMessage.SERVICE),
        ({"from_id": "channel1589865544"}, LeftOutMessage.CHANNEL),
        ({"from_id": "chat4213377"}, LeftOutMessage.CHANNEL),
        ({"from_id": (1 << 32) + 4213377}, LeftOutMessage.CHANNEL),
        ({"from": None, "from_id": ...}, LeftOutMessage.NO_USER),
        ({"from_id": None}, LeftOutMessage.NO_USER),
        ({"from_id": "user987654321"}, LeftOutMessage.BOT),
        ({"via_bot": "@invented_bot"}, LeftOutMessage.BOT),
        ({"forwarded_from": "Zzyzx"}, LeftOutMessage.FORWARDED),
        ({"forwarded_from": None}, LeftOutMessage.FORWARDED),
        ({"text": "", "photo": "(File not included.)"}, LeftOutMessage.NO_TEXT),
        ({"text": "  \n"}, LeftOutMessage.NO_TEXT),
        # A deleted account keeps its number, and its answers stay those of a participant.
        ({"from": None}, None),
        ({"from_id": 700000001}, None),
        ({"text": "0"}, None),
    ],
)
def test_what_is_no_participants_answer_is_left_out(changes, reason):
    message = read(bots={987654321}, **changes)
    assert message.left_out is reason
    assert (message.digest() == 0) is (reason is not None)
    assert (message.user is None) is (reason is not None)


def test_old_exports_have_local_times_alone():
    zone = ZoneInfo("Africa/Nairobi")
    old = {"date_unixtime": ..., "edited": "1970-01-01T02:00:00"}
    assert read(zone, **old) == read()
    assert read(zone, date_unixtime=..., edited="2026-03-02T10:00:35").edited == 1772434835
    with pytest.raises(NoTimeZoneError):
        read(date_unixtime=...)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ...}, "id"),
        ({"id": "14"}, "id"),
        ({"id": True}, "id"),
        ({"id": 2**70}, "id"),
        ({"date": ..., "date_unixtime": ...}, "date_unixtime: missing"),
        ({"date_unixtime": "yesterday"}, "date_unixtime"),
        ({"date_unixtime": "-5"}, "date_unixtime"),
        ({"date_unixtime": "9" * 30}, "date_unixtime"),
        ({"from_id": "Zzyzx"}, "from_id"),
        ({"from_id": ["user7"]}, "from_id"),
        ({"text": 5}, "text"),
        ({"text": [{"text": None}]}, "text"),
        ({"text": None}, "text"),
    ],
)
def test_a_message_that_cannot_be_read_is_told_without_its_values(changes, reason):
    with pytest.raises(UnreadableMessageError, match=f"^{reason}") as error:
        read(**changes)
    assert "Zzyzx" not in str(error.value)


def test_the_digest_tells_an_edit_but_not_who_wrote():
    assert read().digest() == read(from_id="user5").digest() == read(edited_unixtime="1772434999").digest()
    assert len({read().digest(), read(text="maji").digest(), read(date_unixtime="1772434806").digest()}) == 3
