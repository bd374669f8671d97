"""Names of files that people put into folders: they get into messages, logs and lists of State/."""

from collections.abc import Iterable

from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.foundation.errors import ConfigurationError, count_of


def refuse_numbers_in_file_names(folder: str, names: Iterable[str]) -> None:
    """Refuse files of a folder that are named after phone numbers.

    Raises
    ------
    ConfigurationError
        Says how many, and shows none.
    """
    found = sum(map(holds_phone_number, names))
    if found:
        raise ConfigurationError(
            f"{folder}: {count_of(found, 'file name')} with what looks like a phone number, not shown here; expected none, as names of "
            "files get into logs. Rename them."
        )
