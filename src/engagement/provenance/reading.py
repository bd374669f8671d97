"""TracedData files: one record a line."""

from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.provenance.decoding import ChainError, decode
from engagement.provenance.traced_data import TracedData


def read_traced_data(path: Path) -> Iterator[TracedData]:
    """Read the records of a TracedData file one by one, in the file's order, and verify their chains.

    Raises
    ------
    InputError
        The file can't be read, or a line does not verify: named by file, line and key.
    """
    try:
        # As bytes, because texts may hold characters that Python counts among line ends; only \n separates records.
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    raise InputError(
                        f"{path}, line {number}: it has no line end; expected a whole file. Make it again."
                    )
                try:
                    record = decode(line)
                except ChainError as error:
                    raise InputError(f"{path}, line {number}: {error}. Restore the file or make it again.") from None
                except UnicodeDecodeError:
                    raise InputError(f"{path}, line {number}: it is not UTF-8 text. Make the file again.") from None
                yield record
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected a TracedData file. Check the file."
        ) from None
