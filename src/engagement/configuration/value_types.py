"""Kinds of values in configuration files, each with its expected form in words."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from engagement.configuration.drive_links import DRIVE_LINK
from engagement.configuration.iso_times import NoOffsetError, read_iso_time
from engagement.configuration.nearest import nearest
from engagement.configuration.participant_ids import holds_number

# The type of errors whose text only lacks the value, which comes before it.
REFUSED = "refused"
_BUCKET = r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?"
_CREDENTIALS_URL = re.compile(rf"gs://{_BUCKET}/.+|file://(localhost)?/.+")
_PREFIX_URL = re.compile(rf"gs://{_BUCKET}(/.*)?|file://(localhost)?/.+")
_BUCKET_ALONE = re.compile(rf"gs://{_BUCKET}")
_BUCKET_URL = re.compile(rf"gs://{_BUCKET}(/.*)?|file://(localhost)?/.+")
_EMAIL_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PARTICIPANT_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]*-([A-Za-z0-9]+-)*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]")

_FIRST_YEAR, _LAST_YEAR = 1900, 9000
# File systems take names of 255 bytes; endings like ".jsonl.partial" come behind.
_LONGEST_NAME_BYTES = 200


def refuse(text: str) -> PydanticCustomError:
    """Make a validator's error from the text that follows the value."""
    return PydanticCustomError(REFUSED, "{text}", {"text": text})


def _text(check: Callable[[str], str], **schema: Any) -> Any:
    """Make a type of non-empty text that passes a check; `schema` describes it to editors."""
    return Annotated[
        str,
        StringConstraints(min_length=1),
        AfterValidator(check),
        WithJsonSchema({"type": "string", "minLength": 1, **schema}),
    ]


def matching(pattern: re.Pattern[str], text: str, complete: Callable[[str], str] | None = None, **schema: Any) -> Any:
    """Make a type of text that matches a pattern, completed if needed; `text` is the error otherwise."""

    def check(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise refuse(text)
        return value if complete is None else complete(value)

    return _text(check, pattern=f"^({pattern.pattern})$", **schema)


def _parse_iso_time(value: object) -> datetime:
    if not isinstance(value, str):
        raise refuse("is no time; expected ISO 8601 text with an offset, like '2026-08-26T00:00:00+03:00'. Change it.")
    try:
        time = read_iso_time(value)
    except NoOffsetError:
        raise refuse("has no offset; expected one behind the time, like '2026-08-26T00:00:00+03:00'. Add it.") from None
    except ValueError:
        raise refuse(
            "is no time; expected ISO 8601 with an offset, like '2026-08-26T00:00:00+03:00'. Change it."
        ) from None
    # The calendar ends near the years 1 and 9999: there is no time zone's offset to add or take away.
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise refuse(f"is too far away; expected a year from {_FIRST_YEAR} to {_LAST_YEAR}. Change it.")
    return time


IsoTime = Annotated[
    datetime,
    BeforeValidator(_parse_iso_time),
    PlainSerializer(lambda time: time.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Text = Annotated[str, StringConstraints(min_length=1)]


def _check_length(name: str) -> None:
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        raise refuse(f"is too long for the name of a file; expected {_LONGEST_NAME_BYTES} bytes at most. Shorten it.")


def _check_flow_name(name: str) -> str:
    _check_length(name)
    if "/" in name or "\0" in name:
        raise refuse("can't be the name of a file; expected a flow's name without '/'. Rename the flow.")
    if name != name.strip():
        raise refuse("begins or ends with white space; expected the flow's name as in RapidPro. Remove it.")
    return name


def _check_file_name(name: str) -> str:
    _check_length(name)
    if PurePath(name).name != name:
        raise refuse("holds a folder; expected a file's name alone. Remove the folder.")
    return name


def _check_dataset_file(name: str) -> str:
    _check_file_name(name)
    if not name.endswith(".json") or name == ".json":
        raise refuse("is no dataset's file; expected the dataset's name in Coda with .json behind it. Change it.")
    return name


def _check_domain(domain: str) -> str:
    parts = urlsplit(domain if "://" in domain else f"https://{domain}")
    try:
        is_address = parts.port is None or parts.port > 0
    except ValueError:
        is_address = False
    host = parts.netloc.rpartition(":")[0] if re.search(r":\d+$", parts.netloc) else parts.netloc
    is_host = _HOST.fullmatch(host) is not None
    # Browsers show the page within the site behind the sign of a fragment: whoever copies the address copies it, too.
    has_more = parts.path not in ("", "/") or "#" in domain or "?" in domain
    if parts.scheme not in ("http", "https") or not is_address or not is_host or has_more:
        raise refuse(
            "is no host; expected the server's host name, like 'textit.in', with http:// and a port where they differ, and "
            "without a path. Change it."
        )
    return domain


def _check_table_name(name: str) -> str:
    if "/" in name or name in (".", ".."):
        raise refuse("can't be the name of a document in Firestore; expected a name without '/'. Change it.")
    return name


def _check_bucket_folder(path: str) -> str:
    if any(name in (".", "..") for name in path.split("/")):
        raise refuse("holds '.' or '..'; expected a folder in the bucket, like '2026/PROJECT/'. Change it.")
    return path


def _check_participant_prefix(prefix: str) -> str:
    if _PARTICIPANT_PREFIX.fullmatch(prefix) is None or holds_number(prefix):
        raise refuse(
            "is no beginning of participants' ids; expected a word or more, each with a hyphen behind it, like "
            "'avf-participant-uuid-'. Change it."
        )
    return prefix


def _end_bucket(prefix: str) -> str:
    """Complete a bucket's bare name, so that objects lie in the bucket."""
    return f"{prefix}/" if _BUCKET_ALONE.fullmatch(prefix) else prefix


def _check_time_zone(name: str) -> str:
    zones = available_timezones()
    if name not in zones:
        raise refuse(
            f"is no IANA time zone; expected one like 'Africa/Nairobi'{nearest(name, sorted(zones))} Change it."
        )
    return name


def is_uuid(text: str) -> bool:
    """Check if a text is a uuid as RapidPro writes them.

    >>> is_uuid("3c5b7f0e-8d43-4c3e-9b6a-0d4f2a9c7e11"), is_uuid("+254700000000")
    (True, False)
    """
    return _UUID.fullmatch(text) is not None


def _check_uuid(text: str) -> str:
    if not is_uuid(text):
        raise refuse("is no uuid; expected RapidPro's uuid of the contact, as in the address of its page. Change it.")
    return text.lower()


FlowName = _text(_check_flow_name, pattern="^[^/]+$")
FileName = _text(_check_file_name, pattern="^[^/]+$")
DatasetFile = _text(_check_dataset_file, pattern=r"^[^/]+\.json$")
Domain = _text(_check_domain)
TableName = _text(_check_table_name, pattern="^[^/]+$")
TimeZone = _text(_check_time_zone)
Uuid = _text(_check_uuid, pattern=f"^{_UUID.pattern}$")
ParticipantPrefix = _text(_check_participant_prefix, pattern=f"^({_PARTICIPANT_PREFIX.pattern})$")
BucketFolder = Annotated[str, AfterValidator(_check_bucket_folder), WithJsonSchema({"type": "string"})]
StorageUrl = matching(
    _CREDENTIALS_URL,
    "is no address of a file; expected gs://<bucket>/<object>, the bucket in lower case, or file:///<path>. Change it.",
)
TableUrl = matching(
    re.compile(rf"gs://{_BUCKET}/.*|file://(localhost)?/.+|{DRIVE_LINK}"),
    "is no address of a table; expected gs://<bucket>/<object>, the bucket in lower case, file:///<path>, or the link to a file, Google "
    "Sheet or folder in Drive, as 'Copy link' gives it. Change it.",
)
UrlPrefix = matching(
    _PREFIX_URL,
    "is no beginning of an address; expected gs://<bucket>/<beginning of the name>, the bucket in lower case, or "
    "file:///<path>. Change it.",
    complete=_end_bucket,
)
BucketUrl = matching(
    _BUCKET_URL, "is no address of a bucket; expected gs://<bucket> in lower case, or file:///<folder>. Change it."
)
ColumnWord = matching(
    re.compile("[A-Za-z][A-Za-z0-9_]*"),
    "can't be part of a column's name; expected letters, digits and _ alone, a letter first. Change it.",
)
FieldKey = matching(
    re.compile("[a-z][a-z0-9_]{0,35}"),
    "can't be the key of a contact field; expected at most 36 of a to z, 0 to 9 and _, a letter first, as after @fields. in a "
    "flow. Change it.",
)
EmailAddress = matching(
    _EMAIL_ADDRESS, "is no e-mail address; expected one like 'coder@example.org'. Change it.", format="email"
)
CountryCode = matching(
    re.compile("[A-Z]{2}"), "is no country; expected its two capital letters of ISO 3166, like 'KE'. Change it."
)
ResultName = matching(
    re.compile("[A-Za-z][A-Za-z0-9_ ]*"),
    "can't be the name of a result in raw keys; expected letters, digits, blanks and _ alone, a letter first. Change it.",
)
