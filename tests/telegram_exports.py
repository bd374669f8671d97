"""Exports of an invented Telegram group, as the desktop client writes them."""

import json
from datetime import UTC, datetime
from pathlib import Path

GROUP = 1589865544
FORMER = 4213377
_BEGIN = 1772434800


def message(number: int, text: object, of: int | None = None, edited: int | None = None, **more: object) -> dict:
    """A message, `number` minutes after the first; `of` is the number of its author."""
    sent = _BEGIN + 60 * (number % 1_000_000_000)
    row = {
        "id": number,
        "type": "message",
        **_times("date", sent),
        "from": f"Zzyzx Invented {number}",
        "from_id": f"user{7_000_000_000 + (number % 5 if of is None else of)}",
        "text": text,
        "text_entities": [],
    }
    return {**row, **({} if edited is None else _times("edited", sent + 60 * edited)), **more}


def joined(number: int) -> dict:
    """Somebody was invited: a service message."""
    row = message(number, "")
    del row["from"], row["from_id"]
    return {**row, "type": "service", "actor": "Zzyzx", "actor_id": "user7000000001", "action": "invite_members"}


def write_export(path: Path, *messages: dict, group: int = GROUP, kind: str = "private_supergroup") -> Path:
    """Write an export."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"name": "Invented listeners", "type": kind, "id": group, "messages": list(messages)}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1))
    return path


def _times(name: str, at: int) -> dict[str, str]:
    # The exporting computer's own time, here three hours before UTC's, says nothing of an offset.
    return {name: datetime.fromtimestamp(at + 10_800, UTC).strftime("%Y-%m-%dT%H:%M:%S"), f"{name}_unixtime": str(at)}
