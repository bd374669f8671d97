"""Needs of a container to reach files and services: paths, a network, variables."""

import ipaddress
import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engagement.foundation.errors import ConfigurationError
from engagement.foundation.files import read_text
from engagement.services.credentials import Credentials, EmbeddedCredentials, parse_credentials
from engagement.services.storage.embedded import EmbeddedStorage
from engagement.services.storage.local_files import local_file

_EMULATOR_VARIABLES = (
    "FIRESTORE_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
    "DRIVE_EMULATOR_HOST",
    "FORMS_EMULATOR_HOST",
)
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass
class ContainerNeeds:
    """The needs of a stage, collected one by one."""

    read_only: set[Path] = field(default_factory=set)
    writable: set[Path] = field(default_factory=set)
    out_of_sight: set[Path] = field(default_factory=set)
    uses_google: bool = False
    uses_other_hosts: bool = False
    uses_this_host: bool = False

    def lines(self) -> Iterator[str]:
        """List the needs, one a line."""
        for word, paths in (("look", self.out_of_sight), ("mount ro", self.read_only), ("mount rw", self.writable)):
            for path in sorted(paths):
                if "\n" in str(path):
                    raise ConfigurationError(f"{str(path)!r}: a line break; expected a path on one line. Rename it.")
                yield f"{word} {path}"
        emulators = [os.environ[name] for name in _EMULATOR_VARIABLES if os.environ.get(name)]
        if self.uses_this_host or (self.uses_google and any(map(is_loopback, emulators))):
            network = "host"
        else:
            network = "bridge" if self.uses_google or self.uses_other_hosts else "none"
        yield f"network {network}"
        if self.uses_google:
            yield from (f"environment {name}" for name in _EMULATOR_VARIABLES)
        if network != "none":
            yield from (f"environment {name}" for name in _PROXY_VARIABLES)

    def add_credentials(self, credentials: Credentials) -> None:
        """Add the service that these credentials are for."""
        if isinstance(credentials, EmbeddedCredentials):
            self.writable.add(credentials.directory)
        else:
            self.uses_google = True

    def add_file(self, url: str, credentials: Credentials) -> Path | None:
        """Add a file at a gs:// or file:// address; gives its path where it lies on this machine."""
        path = local_file(url)
        if path is not None:
            self.read_only.add(path)
            return path
        self.add_credentials(credentials)
        if isinstance(credentials, EmbeddedCredentials):
            return EmbeddedStorage(credentials.directory).local_path(url)
        return None

    def add_service(self, credentials_url: str, credentials: Credentials) -> None:
        """Add a service by the address of its credentials file."""
        path = self.add_file(credentials_url, credentials)
        if path is None:
            self.uses_google = True
        elif path.exists():
            text = read_text(path, ConfigurationError, "a credentials file")
            self.add_credentials(parse_credentials(text, where=credentials_url, folder=path.parent))
        else:
            self.out_of_sight.add(path)

    def add_host(self, address: str) -> None:
        """Add the server at this address."""
        if is_loopback(address):
            self.uses_this_host = True
        else:
            self.uses_other_hosts = True


def is_loopback(address: str) -> bool:
    """Tell whether an address, with or without scheme and port, is this machine's own.

    >>> is_loopback("http://127.0.0.1:8010"), is_loopback("localhost:8080"), is_loopback("textit.in")
    (True, True, False)
    """
    host = urllib.parse.urlsplit(address if "//" in address else f"//{address}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
