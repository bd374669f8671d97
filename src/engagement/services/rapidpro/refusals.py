"""Messages for refusals from RapidPro, or from something in front of it."""

import re

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.address_queries import strip_queries
from engagement.services.http import RefusedError
from engagement.services.rapidpro.reading import decode_or_none

ASK_THE_SERVER = "Ask whoever runs the server."
CHECK_DOMAIN = "Check that Domain names a RapidPro server."
_LONG_NUMBER = re.compile(r"\d[\d ()-]{5,}\d")
_LONGEST_DETAIL = 200


class _Refusal(msgspec.Struct):
    detail: str


def explain_refusal(refused: RefusedError, where: str, token: str) -> ServiceError:
    """Explain a refusal. A server that gives no reason, or a web page, is not RapidPro."""
    detail = _detail(refused.body, token)
    said = f"{refused.status}: {detail}" if detail else str(refused.status)
    if refused.status == 401 or (refused.status == 403 and (detail or not refused.body.lstrip().startswith(b"<"))):
        return ServiceError(
            f"{where}: the token was refused (status {said}); expected a token of this workspace. "
            "Check the file that TokenFileURL names, and that the token's owner may read this."
        )
    return ServiceError(f"{where}: answered status {said}; expected 200. {ASK_THE_SERVER if detail else CHECK_DOMAIN}")


def explain_refused_write(refused: RefusedError, where: str, token: str) -> ServiceError:
    """Explain why RapidPro refused a write; of a token that may read, that it may not write."""
    if refused.status in (401, 403):
        detail = _detail(refused.body, token)
        said = f"{refused.status}: {detail}" if detail else str(refused.status)
        return ServiceError(
            f"{where}: the token may not write (status {said}); expected one whose owner is an editor or administrator of this "
            "workspace. Put such a token into the file that TokenFileURL names."
        )
    said = f"{refused.status}: {reason_of(refused, token)}"
    return ServiceError(f"{where}: answered status {said}; expected 200, 201 or 204. {CHECK_DOMAIN}")


def reason_of(refused: RefusedError, token: str) -> str:
    """Return RapidPro's reason for refusing what was written: the first text of its answer."""
    return _clean(_first_text(decode_or_none(refused.body, dict)), token) or "no reason given"


def _first_text(told: object) -> str:
    if isinstance(told, dict | list):
        return next(filter(None, map(_first_text, told.values() if isinstance(told, dict) else told)), "")
    return told if isinstance(told, str) else ""


def _detail(body: bytes, token: str) -> str | None:
    """Return RapidPro's reason without secrets: it can repeat what it was asked with."""
    told = decode_or_none(body, _Refusal)
    return None if told is None else _clean(told.detail, token)


def _clean(text: str, token: str) -> str:
    text = strip_queries(" ".join(text.split()).replace(token, "…"))
    return _LONG_NUMBER.sub("…", text)[:_LONGEST_DETAIL]
