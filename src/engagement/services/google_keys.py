"""A service account's key that Google's own libraries can't read."""

import contextlib
from collections.abc import Iterator

from google.auth.exceptions import GoogleAuthError

from engagement.foundation.errors import ConfigurationError
from engagement.services.credentials import GoogleCredentials


@contextlib.contextmanager
def refuse_broken_key(credentials: GoogleCredentials) -> Iterator[None]:
    """Around making a client of a key: a key that can't be read is a ConfigurationError.

    The libraries tell of it in their own ways, and would show parts of it.
    """
    try:
        yield
    except (ValueError, GoogleAuthError):
        raise ConfigurationError(
            f"project {credentials.project_id}: the service account's key can't be read; expected a whole one. "
            "Download the key again."
        ) from None
