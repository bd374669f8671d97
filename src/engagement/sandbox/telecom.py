"""The telecom's export of the SMS that it received around the outage, with those that never arrived."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engagement.foundation.csv_cells import encode_line
from engagement.foundation.files import open_for_writing
from engagement.sandbox.answers import Meaning
from engagement.sandbox.chance import random_for
from engagement.sandbox.outage import sends_sms, sent_results
from engagement.sandbox.runs import InventedRun

SHORT_CODE = "378"
_OTHER_SHORT_CODE, _OTHER_TEXT, _TO_OTHERS = "402", "1", 6
# The day of the outage, and the one after it.
_ZONE = ZoneInfo("Africa/Mogadishu")
_BEGINS, _ENDS = datetime(2026, 10, 10, tzinfo=_ZONE), datetime(2026, 10, 12, tzinfo=_ZONE)
_HEADER = ("ReceivedOn", "Sender", "Receiver", "Message", "Status")
# The telecom's system keeps the characters of an old encoding, and writes the others like this.
_KEPT = re.compile("[^\u0000-\u024f\u0600-\u06ff\u2000-\u206f]+")


class InventedSms(NamedTuple):
    """An SMS as the telecom has it: when it came in, from which number, to which short code."""

    time: datetime
    number: str
    receiver: str
    text: str
    meaning: Meaning


def make_sms(seed: int, runs: Iterable[InventedRun]) -> list[InventedSms]:
    """List the SMS of the export's days, oldest first; some are to another short code."""
    received = sorted(_answers(seed, runs), key=_order)
    chance = random_for(seed, "sms to others")
    others = [
        sms._replace(
            time=sms.time + timedelta(seconds=chance.randrange(60, 900)), receiver=_OTHER_SHORT_CODE, text=_OTHER_TEXT
        )
        for sms in chance.sample(received, _TO_OTHERS)
    ]
    return sorted((*received, *others), key=_order)


def _order(sms: InventedSms) -> tuple[object, ...]:
    return sms[:4]


def _answers(seed: int, runs: Iterable[InventedRun]) -> Iterator[InventedSms]:
    for run in runs:
        if not sends_sms(run):
            continue
        for result in sent_results(run):
            text = result.answer.text
            if text is None or not text.strip() or not _BEGINS <= result.time < _ENDS:
                continue
            # RapidPro has it a moment later.
            moment = random_for(seed, "telecom", run.uuid, result.key).randrange(1, 9)
            yield InventedSms(
                (result.time - timedelta(seconds=moment)).astimezone(UTC).replace(microsecond=0),
                run.participant.urns[0].removeprefix("tel:+"),
                SHORT_CODE,
                as_telecom_writes(text),
                result.answer.meaning,
            )


def as_telecom_writes(text: str) -> str:
    """Write a text as in the export.

    >>> as_telecom_writes("biyo la'aan 💧")
    "biyo la'aan ?"
    """
    return _KEPT.sub("?", text)


def meanings_of_sms(sms: Iterable[InventedSms]) -> dict[str, Meaning]:
    """Return what the texts of the export mean, as coders may see them in this form."""
    return {one.text: one.meaning for one in sms if one.receiver == SHORT_CODE}


def write_export(path: Path, sms: Iterable[InventedSms]) -> None:
    """Write the export, in the telecom's own time and with its own columns."""
    with open_for_writing(path) as file:
        file.write(encode_line(_HEADER))
        for one in sms:
            time = one.time.astimezone(_ZONE)
            file.write(encode_line((f"{time:%d/%m/%Y %H:%M:%S}", one.number, one.receiver, one.text, "DELIVERED")))
