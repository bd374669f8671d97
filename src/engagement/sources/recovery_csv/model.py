"""Configuration of CSV files of recovered messages."""

from collections.abc import Iterator, Sequence
from typing import Literal, Self

from engagement.configuration.model import Model, key
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import CONTACT_KEYS, DEFAULT_RECOVERED_KEYS, RecoveredKeyNames, flow_of_key
from engagement.configuration.source_model import PlacedSource
from engagement.configuration.value_types import Text
from engagement.sources.stored_files import StoredFilesSource
from engagement.sources.tables.encodings import Encoding
from engagement.sources.tables.times import TimeFormat


class RecoveredKeys(Model):
    """Names in the raw data for the parts of the messages of a source's recovery files."""

    text: Text = key("Text", "raw key of the text", "message_gender")
    time: Text = key("Time", "raw key of its time", "received_on_gender")
    run_id: Text = key("RunID", "raw key of its run id", "run_id_gender")


class RecoveryCSVSource(StoredFilesSource):
    """CSV files of messages that were recovered outside RapidPro."""

    source_type: Literal["RecoveryCSV"] = key("SourceType", "'RecoveryCSV'", "RecoveryCSV")
    keys: RecoveredKeys | None = key(
        "Keys", "raw keys of these files' messages; without them 'message', 'received_on' and 'run_id'", {}, None
    )
    time_format: Literal[TimeFormat, "auto"] = key(
        "TimeFormat",
        "order of the dates in these files: 'dd/mm/YYYY', 'mm/dd/YYYY', 'YYYY-mm-dd', 'dd/mm/YY' or 'mm/dd/YY'; 'auto' takes the one "
        "that all rows of a file fit, and refuses the file if there are two",
        "mm/dd/YYYY",
        "dd/mm/YYYY",
    )
    encoding: Encoding | None = key(
        "Encoding", "encoding of files that are neither UTF-8 nor marked as UTF-16", "cp1252", None
    )

    @property
    def recovered_keys(self) -> RecoveredKeyNames:
        """Raw keys of the text, the time and the run id of the files' messages."""
        return DEFAULT_RECOVERED_KEYS if self.keys is None else (self.keys.text, self.keys.time, self.keys.run_id)

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find keys that could be mistaken for others."""
        known = dict.fromkeys((DEFAULT_RECOVERED_KEYS, *(source.recovered_keys for _, source in sources)))
        for at, source in sources:
            if source.keys is None:
                continue
            names = source.recovered_keys
            for number, (key_of_part, name) in enumerate(zip(("Text", "Time", "RunID"), names, strict=True)):
                place = f"{at}.Keys.{key_of_part}"
                if name in names[:number]:
                    yield Problem(
                        place, f"{name!r} is another key of these files too; expected three different ones. Change one."
                    )
                elif name in CONTACT_KEYS or flow_of_key(name) is not None:
                    yield Problem(
                        place,
                        f"{name!r} is a key of RapidPro's runs; expected one that only these files have. Change it.",
                    )
                elif any(name in others for others in known if others != names):
                    yield Problem(
                        place,
                        f"{name!r} is a key of other recovery files too, whose other keys differ; expected files to share all "
                        "three keys or none. Change it.",
                    )
