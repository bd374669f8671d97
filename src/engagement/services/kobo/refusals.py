"""Messages for refusals from KoboToolbox, or from something in front of it."""

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.http import RefusedError
from engagement.services.told_texts import hide_identities

CHECK_SERVER = "Check that Server names a KoboToolbox server."
_LONGEST_DETAIL = 200


def explain_refusal(refused: RefusedError, where: str, asset: str, token: str) -> ServiceError:
    """Explain a refusal. KoboToolbox answers 404 for whatever the token's account may not see."""
    said = _clean(_first_text(_decode(refused.body)), token)
    status = f"status {refused.status}: {said}" if said else f"status {refused.status}"
    if refused.status in (401, 403):
        return ServiceError(
            f"{where}: the token was refused ({status}); expected one of an account that may view the form's submissions. Copy "
            "the API key from the account's settings, 'Security', into the file that TokenFileURL names, or share the form "
            "with the account."
        )
    if refused.status == 404:
        return ServiceError(
            f"{where}: not found ({status}); expected a deployed form that is shared with the token's account. The server says the "
            f"same of a wrong Asset, a form that is not shared, and one that was never deployed: check that {asset!r} is in the "
            "form's address (…/#/forms/<Asset>/…), that Server is the one where it is, that it is deployed, and that its project's "
            "sharing lets the account view submissions."
        )
    if refused.status == 400:
        return ServiceError(
            f"{where}: the question was refused ({status}); expected 200. If the form was never deployed, deploy it; otherwise "
            "ask whoever runs the server which version it is."
        )
    return ServiceError(f"{where}: answered {status}; expected 200. {CHECK_SERVER}")


def _decode(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _first_text(told: object, deepest: int = 5) -> str:
    if isinstance(told, dict | list) and deepest:
        inner = told.values() if isinstance(told, dict) else told
        return next(filter(None, (_first_text(one, deepest - 1) for one in inner)), "")
    return told if isinstance(told, str) else ""


def _clean(text: str, token: str) -> str:
    return hide_identities(text, token)[:_LONGEST_DETAIL]
