"""Formats of telecoms' exports: built in, from a file of formats, or from the command line."""

import argparse
import typing
from pathlib import Path
from zoneinfo import ZoneInfo

from engagement.configuration.model import Model, key
from engagement.configuration.nearest import nearest
from engagement.configuration.parsing import parse_model
from engagement.configuration.problems import Problem
from engagement.configuration.value_types import Text, TimeZone
from engagement.foundation.errors import ConfigurationError, UsageError
from engagement.foundation.files import read_json
from engagement.sources.tables.encodings import Encoding
from engagement.sources.tables.times import TimeFormat


class ExportFormat(Model):
    """Columns of a telecom's export, and how it writes times and numbers."""

    number: Text = key("NumberColumn", "column with the sender's phone number, or uid", "Mobile No")
    text: Text = key("TextColumn", "column with the text", "Message Content")
    time: Text = key("TimeColumn", "column with the time at which the telecom received it", "Received On")
    receiver: Text | None = key("ReceiverColumn", "column with the short code that it was sent to", "Receiver", None)
    time_formats: tuple[TimeFormat, ...] = key(
        "TimeFormats",
        "forms of the dates, the likeliest first: the first that a whole file has counts; without it the only one that fits",
        ["dd/mm/YYYY", "YYYY-mm-dd"],
        (),
    )
    time_zone: TimeZone | None = key(
        "TimeZone", "time zone of the times; without it the project's", "Africa/Nairobi", None
    )
    country: Text | None = key("Country", "country of numbers without its code", "SO", None, pattern="^[A-Z]{2}$")
    encoding: Encoding | None = key("Encoding", "encoding of a file that is not UTF-8", "cp1252", None)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that an export must have."""
        return tuple(dict.fromkeys(filter(None, (self.number, self.receiver, self.text, self.time))))

    def zone(self, project: ZoneInfo) -> ZoneInfo:
        """Return the zone of the times."""
        return project if self.time_zone is None else ZoneInfo(self.time_zone)


def _built_in(columns: tuple[str, str, str], forms: tuple[str, ...], **others: str) -> ExportFormat:
    number, text, time = columns
    document = {"NumberColumn": number, "TextColumn": text, "TimeColumn": time, "TimeFormats": list(forms), **others}
    found, problems = parse_model(ExportFormat, document)
    if found is None:
        raise ValueError(problems)
    return found


BUILT_IN = {
    # Over the years Hormuud wrote days first, then years first.
    "hormuud": _built_in(
        ("Sender", "Message", "ReceivedOn"), ("dd/mm/YYYY", "YYYY-mm-dd"), ReceiverColumn="Receiver", Country="SO"
    ),
    "golis": _built_in(
        ("Mobile No", "Message Content", "Received On"), ("mm/dd/YY", "mm/dd/YYYY"), Encoding="cp1252", Country="SO"
    ),
    "telesom": _built_in(("MSISDN", "Content", "Date"), ("YYYY-mm-dd",), Country="SO"),
    "safaricom": _built_in(("Phone number", "Text", "Time"), ("dd/mm/YYYY", "YYYY-mm-dd"), Country="KE"),
}
"""Exports as these operators have been seen to make them."""

_OPTIONS = {
    "number_column": "NumberColumn", "text_column": "TextColumn", "time_column": "TimeColumn",
    "receiver_column": "ReceiverColumn", "time_format": "TimeFormats", "country": "Country", "encoding": "Encoding",
}  # fmt: skip


def add_format_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say how the exports are written."""
    parser.add_argument(
        "--format", metavar="NAME", help=f"format of the exports: {', '.join(BUILT_IN)}, or one of --formats"
    )
    parser.add_argument("--formats", type=Path, metavar="FILE", help="formats of other operators (JSON)")
    for name, what in (
        ("number", "the sender's phone number"), ("text", "the text"), ("time", "the time"), ("receiver", "the short code"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}-column", metavar="NAME", help=f"column with {what}, instead of the format's")
    parser.add_argument(
        "--time-format", choices=typing.get_args(TimeFormat), help="form of the dates, instead of the format's"
    )
    parser.add_argument("--country", metavar="CODE", help="country of numbers without its code, such as SO or KE")
    parser.add_argument("--encoding", choices=typing.get_args(Encoding), help="encoding of a file that is not UTF-8")


def choose_format(given: argparse.Namespace) -> ExportFormat:
    """Choose the format that the command line says.

    Raises
    ------
    ConfigurationError
        A file of formats has something else.
    UsageError
        There is no such format, or columns are not named.
    """
    formats = {**BUILT_IN, **(_read_formats(given.formats) if given.formats else {})}
    document: dict[str, object] = {}
    if given.format is not None:
        if given.format not in formats:
            raise UsageError(
                f"--format {given.format!r}: no such format; expected one{nearest(given.format, formats)} Change it, or add it "
                "with --formats."
            )
        document = formats[given.format].model_dump(by_alias=True, mode="json", exclude_none=True)
    for option, name in _OPTIONS.items():
        value = getattr(given, option)
        if value is not None:
            document[name] = [value] if option == "time_format" else value.upper() if option == "country" else value
    missing = [option for option, name in list(_OPTIONS.items())[:3] if name not in document]
    if missing:
        named = ", ".join(f"--{option.replace('_', '-')}" for option in missing)
        raise UsageError(f"no column named by {named}; expected --format ({', '.join(formats)}), or these. Add it.")
    found, problems = parse_model(ExportFormat, document)
    if found is None:
        raise UsageError(f"{_list(problems)}; expected a format of an export. Change the options.")
    return found


def _read_formats(path: Path) -> dict[str, ExportFormat]:
    document = read_json(path, ConfigurationError, what="formats of exports")
    if not isinstance(document, dict):
        raise ConfigurationError(f'{path}: not an object; expected {{"<name>": {{"NumberColumn": …}}, …}}. Correct it.')
    formats: dict[str, ExportFormat] = {}
    faults: list[str] = []
    for name, content in document.items():
        found, problems = parse_model(ExportFormat, content)
        if found is None:
            faults.append(f"{path}, {name!r}: {_list(problems)}")
        else:
            formats[name] = found
    if faults:
        raise ConfigurationError("\n".join(faults))
    return formats


def _list(problems: list[Problem]) -> str:
    return "; ".join(str(problem) for problem in problems)
