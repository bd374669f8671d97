"""Encrypting archives to age recipients, and decrypting them, as streams.

age's own programs read them as well.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engagement.custody.backups.names import ENCRYPTED
from engagement.foundation.errors import InputError, UsageError

if TYPE_CHECKING:
    from engagement.custody.backups.members import Sink

_PIPE_BYTES = 2**16


@contextlib.contextmanager
def encrypt_to(recipients: Sequence[str], sink: "Sink") -> Iterator["Sink"]:
    """Encrypt the block's output into `sink`."""
    # Only projects that encrypt need it.
    import pyrage

    keys = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    work = _Work()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", _PIPE_BYTES) as source:
        work.start(lambda: pyrage.encrypt_io(source, work.guard(sink.write), keys), source)
        try:
            with os.fdopen(writing, "wb", _PIPE_BYTES) as pipe:
                yield pipe
        except BrokenPipeError:
            # The reason is the thread's.
            pass
        finally:
            work.join()
    work.raise_error()


@contextlib.contextmanager
def open_archive(path: Path, identity: Path | None) -> Iterator[IO[bytes]]:
    """Open an archive's gzip stream, decrypted with an identity file if its name ends in ".age"."""
    if not path.name.endswith(ENCRYPTED):
        with path.open("rb") as file:
            yield file
        return
    if identity is None:
        raise UsageError(
            f"{path}: is encrypted; expected --identity with a file of the secret key of one of its recipients. Give it."
        )
    import pyrage

    keys = _read_identities(identity)
    work = _Work()
    reading, writing = os.pipe()
    with path.open("rb") as file, os.fdopen(reading, "rb", _PIPE_BYTES) as decrypted:
        target = os.fdopen(writing, "wb", _PIPE_BYTES)
        work.start(lambda: pyrage.decrypt_io(file, work.guard(target.write), keys), target)
        try:
            yield decrypted
            # Whoever reads gzip stops at its end; what comes behind it is refused by age alone.
            while decrypted.read(_PIPE_BYTES):
                pass
        except BaseException as error:
            decrypted.close()
            work.join()
            work.explain(path, identity, error)
            raise
        work.join()
        work.explain(path, identity, None)


class _Work:
    """A thread's work, and the error that ended it."""

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[], object], pipe: IO[bytes]) -> None:
        """Do the work in a thread, and close its end of the pipe."""

        def run() -> None:
            try:
                work()
            except BaseException as error:
                self._error = self._error or error
            finally:
                with contextlib.suppress(OSError):
                    pipe.close()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def guard(self, write: Callable[[bytes], object]) -> Any:
        """Return a file for writing that keeps its error: age's library only passes on its text."""
        return _Guarded(self, write)

    def fail(self, error: BaseException) -> None:
        """Keep an error."""
        self._error = self._error or error

    def join(self) -> None:
        """Wait for the end."""
        if self._thread is not None:
            self._thread.join()

    def raise_error(self) -> None:
        """Raise what ended the work."""
        if self._error is not None:
            raise self._error

    def explain(self, path: Path, identity: Path, error: BaseException | None) -> None:
        """Raise the error of the decryption, unless it only followed another one's."""
        if self._error is None or isinstance(self._error, OSError) and error is not None:
            return
        if "matching keys" in str(self._error):
            raise InputError(
                f"{path}: is not encrypted to the key in {identity}; expected the key of one of its recipients. "
                "Nothing was restored. Use the right identity file."
            ) from None
        raise InputError(
            f"{path}: damaged: {self._error}; expected a complete archive. Nothing was restored. "
            "Use another archive, or another copy of this one."
        ) from None


class _Guarded:
    """A file for writing."""

    def __init__(self, work: _Work, write: Callable[[bytes], object]):
        self._work = work
        self._write = write

    def write(self, data: bytes) -> int:
        """Write all of the bytes."""
        try:
            self._write(data)
        except BaseException as error:
            self._work.fail(error)
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever opened the file flushes it."""


def _read_identities(path: Path) -> list[Any]:
    """Read the secret keys of an identity file as age-keygen writes it."""
    import pyrage

    try:
        lines = [line.strip() for line in path.read_text("ascii").split("\n")]
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; expected an identity file of age. Check the path.") from None
    except (OSError, ValueError, pyrage.IdentityError):
        # Its text is secret, so it is not said what is wrong in it.
        keys = []
    if not keys:
        raise UsageError(
            f"{path}: no identity file; expected lines 'AGE-SECRET-KEY-1…' of age-keygen. Use another file."
        )
    return keys
