"""Invented answers to a radio show, and what coders made of them."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from engagement.configuration import CodeScheme

WATER, SCHOOL, ROADS, STOP = "code-water", "code-school", "code-roads", "code-STOP"
_WORDS = {
    WATER: ("water", "well", "pump", "bucket", "river", "tank"),
    SCHOOL: ("school", "teacher", "pupil", "lesson", "desk", "exam"),
    ROADS: ("road", "bridge", "lorry", "bump", "tarmac", "bus"),
}
_PLACES = ("market", "hill", "valley", "mosque", "farm", "junction", "camp")
CODER_A, CODER_B = "ann@example.org", "ben@example.org"


def make_scheme_document() -> dict[str, Any]:
    def code(code_id: str, number: int, **more: Any) -> dict[str, Any]:
        kind = "Control" if "ControlCode" in more else "Normal"
        name = code_id.removeprefix("code-")
        return {
            "CodeID": code_id, "CodeType": kind, "DisplayText": name, "NumericValue": number, "StringValue": name.lower(),
            "VisibleInCoda": True, **more,
        }  # fmt: skip

    codes = [code(WATER, 1), code(SCHOOL, 2), code(ROADS, 3), code(STOP, -1, ControlCode="STOP")]
    return {"SchemeID": "Scheme-topic", "Name": "Topic", "Version": "1", "Codes": codes}


def make_scheme() -> CodeScheme:
    return CodeScheme.model_validate_json(json.dumps(make_scheme_document()))


def make_label(
    code: str, coder: str = CODER_A, checked: bool = True, scheme: str = "Scheme-topic", kind: str = "Manual"
) -> dict[str, Any]:
    return {
        "Checked": checked, "CodeID": code, "DateTimeUTC": "2026-05-01T10:00:00+00:00", "SchemeID": scheme,
        "Origin": {"Name": "Somebody", "OriginID": coder, "OriginType": kind},
    }  # fmt: skip


def make_message(text: str, *labels: dict[str, Any], day: int = 1) -> dict[str, Any]:
    return {
        "MessageID": hashlib.sha256(text.encode()).hexdigest(), "Text": text, "Labels": list(labels),
        "CreationDateTimeUTC": f"2026-05-{day:02d}T10:00:00+00:00",
    }  # fmt: skip


def make_text(code: str, number: int) -> str:
    words = _WORDS[code]
    first, second = words[number % 6], words[(number // 6) % 6]
    return f"the {first} near the {_PLACES[number % 7]} and {second} {_PLACES[number // 42 % 7]} no {number}"


def make_messages(labelled: int, open_: int, codes: Sequence[str] = (WATER, SCHOOL, ROADS)) -> list[dict[str, Any]]:
    """Messages on the topics in turn, 100 a day; the first are labelled."""
    messages = []
    for number in range(labelled + open_):
        code = codes[number % len(codes)]
        labels = [make_label(code)] if number < labelled else []
        messages.append(make_message(make_text(code, number), *labels, day=1 + number // 100))
    return messages
