"""Errors for service account keys that Google's libraries can't read."""

import contextlib
from collections.abc import Iterator

from google.auth.exceptions import GoogleAuthError

from engagement.foundation.errors import ConfigurationError
from engagement.services.credentials import GoogleCredentials


@contextlib.contextmanager
def refuse_broken_key(credentials: GoogleCredentials) -> Iterator[None]:
    """Raise a ConfigurationError if making a client fails because the key can't be read.

    The libraries each report this in their own way, and would show parts of the key.
    """
    try:
        yield
    except (ValueError, GoogleAuthError):
        raise ConfigurationError(
            f"project {credentials.project_id}: the service account's key can't be read; expected a whole one. "
            "Download the key again."
        ) from None
