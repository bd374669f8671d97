"""Google's refusals, in words that say what to do."""

from typing import Any

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.http import RefusedError

_NO_SCOPE = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
_NOT_ENABLED = "SERVICE_DISABLED"


class FormMissingError(ServiceError):
    """There is no form with this id, or it is not shared with the account."""


class PageTokenError(ServiceError):
    """The token of a page is no longer taken; the listing has to begin again."""


class _Told(msgspec.Struct):
    message: str = ""
    status: str = ""
    details: list[dict[str, Any]] = []


class _Error(msgspec.Struct):
    error: _Told


def explain_refusal(refused: RefusedError, where: str, account: str, has_token: bool = False) -> ServiceError:
    """Explain a refusal. Google's sentences are not shown: they can repeat what was asked."""
    try:
        told = msgspec.json.decode(refused.body, type=_Error).error
    except (ValueError, RecursionError):
        told = _Told()
    status = f"status {refused.status}{f', {told.status}' if told.status.replace('_', '').isalpha() else ''}"
    if refused.status == 401:
        return ServiceError(
            f"{where}: the token of {account} was refused ({status}); expected a key that is still in use. Check the file that "
            "CredentialsFileURL names: the key may be deleted, or its account switched off."
        )
    if refused.status == 403:
        return ServiceError(f"{where}: {_explain_forbidden(told, status, account)}")
    if refused.status == 404:
        return FormMissingError(
            f"{where}: no such form ({status}); expected the id in the address of the page where the form is EDITED: "
            "https://docs.google.com/forms/d/<FormId>/edit. The id in the address where people answer (…/forms/d/e/1FAIpQL…/viewform) is "
            f"another one. Change FormId; if it is right, share the form with {account} as editor."
        )
    if refused.status == 400 and has_token:
        return PageTokenError(
            f"{where}: the next page was refused ({status}); expected a page. Run this again: the listing then begins anew."
        )
    return ServiceError(f"{where}: answered {status}; expected 200. Check FormId, and what is in front of the service.")


def _explain_forbidden(told: _Told, status: str, account: str) -> str:
    reasons = [detail.get("reason") for detail in told.details]
    message = told.message.lower()
    if _NOT_ENABLED in reasons or "has not been used" in message or "is disabled" in message:
        return (
            f"the Google Forms API is not switched on in the Google Cloud project of {account} ({status}); expected it on. "
            "Switch it on in the Cloud console, under 'APIs & Services', and run this again some minutes later."
        )
    if _NO_SCOPE in reasons or "scope" in message:
        return (
            f"the token of {account} is not for reading forms and their responses ({status}); expected the scopes "
            "forms.body.readonly and forms.responses.readonly. Ask whoever administers the Google organisation whether it limits "
            "service accounts."
        )
    return (
        f"{account} may not read this form ({status}); expected a form that is shared with it. In the form choose Share, and add this "
        "address as editor."
    )
