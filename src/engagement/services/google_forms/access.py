"""Short-lived tokens for the Forms API, from a service account's key."""

import google.auth.exceptions
import google.auth.transport.requests
import requests
from google.oauth2 import service_account

from engagement.foundation.errors import ServiceError
from engagement.services.credentials import GoogleCredentials
from engagement.services.google_keys import refuse_broken_key
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

# The least that reading needs: this account can change neither a form nor a response.
_SCOPES = (
    "https://www.googleapis.com/auth/forms.body.readonly",
    "https://www.googleapis.com/auth/forms.responses.readonly",
)


class FormsAccess:
    """Tokens of one service account. Google gives them for an hour, and they are kept in memory only."""

    def __init__(self, credentials: GoogleCredentials, policy: RetryPolicy):
        with refuse_broken_key(credentials):
            self._account = service_account.Credentials.from_service_account_info(
                dict(credentials.info), scopes=_SCOPES
            )
        self._policy = policy
        self._session = requests.Session()
        self._transport = google.auth.transport.requests.Request(self._session)

    @property
    def account(self) -> str:
        """The e-mail address that forms are shared with."""
        return str(self._account.service_account_email)

    def token(self, is_refused: bool = False) -> str:
        """Return a token that lives; a new one if the last `is_refused`.

        Raises
        ------
        ServiceError
            Google gives none.
        """
        if is_refused or not self._account.valid:
            call_with_retries(self._refresh, f"Google Forms: a token for {self.account}", self._policy)
        return str(self._account.token)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _refresh(self) -> None:
        try:
            self._account.refresh(self._transport)
        except google.auth.exceptions.TransportError:
            raise TemporaryError("the server that gives tokens did not answer") from None
        except google.auth.exceptions.GoogleAuthError as error:
            if getattr(error, "retryable", False):
                raise TemporaryError("the server that gives tokens gave none") from None
            raise ServiceError(
                f"Google Forms: the key of {self.account} was refused; expected a valid one. Check the file that "
                "CredentialsFileURL names, and this machine's clock."
            ) from None
