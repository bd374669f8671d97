"""TracedData files: one record a line."""

from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import InputError
from engagement.provenance.decoding import ChainError, decode
from engagement.provenance.traced_data import TracedData


def read_traced_data(path: Path) -> Iterator[TracedData]:
    """Read the records of a TracedData file one by one, in file order, and verify their chains.

    Raises
    ------
    InputError
        The file can't be read, or a line does not verify; the message names file, line and key.
    """
    try:
        # Read as bytes: texts may contain characters that Python treats as line ends, but only \n separates records.
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    raise InputError(
                        f"{path}, line {number}: it has no line end; expected a complete file. Create it again."
                    )
                try:
                    record = decode(line)
                except ChainError as error:
                    raise InputError(f"{path}, line {number}: {error}. Restore the file or create it again.") from None
                except UnicodeDecodeError:
                    raise InputError(
                        f"{path}, line {number}: it is not UTF-8 text; expected UTF-8. Create the file again."
                    ) from None
                yield record
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected a TracedData file. Check the file."
        ) from None
