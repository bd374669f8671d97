"""Messages for refusals from RapidPro, or from something in front of it."""

import re

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.http import RefusedError, strip_queries
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


def _detail(body: bytes, token: str) -> str | None:
    """Return RapidPro's reason without secrets: it can repeat what it was asked with."""
    told = decode_or_none(body, _Refusal)
    if told is None:
        return None
    text = strip_queries(" ".join(told.detail.split()).replace(token, "…"))
    return _LONG_NUMBER.sub("…", text)[:_LONGEST_DETAIL]
