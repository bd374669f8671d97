"""Fetch messages that were recovered outside RapidPro, as CSV files: Sender, Message, ReceivedOn.

Senders are ids of participants, never phone numbers: a file with a number is refused before anything of it is kept.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.foundation.errors import count_of
from engagement.provenance import Metadata, encode_fresh_chain, text_value
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow, count_lines
from engagement.sources.manifest import RawDataWriter
from engagement.sources.recovery_csv.messages import FileReader
from engagement.sources.recovery_csv.model import RecoveryCSVSource
from engagement.sources.recovery_csv.run_ids import RunIds

_SHA_TAIL = len('"' + "0" * 64 + '"}]\n')

_logger = logging.getLogger(__name__)


def fetch_flows(source: RecoveryCSVSource, context: FetchContext) -> list[FetchedFlow]:
    """Read the files again; messages that are in Raw Data already keep their lines.

    Raises
    ------
    InputError
        A file has senders that are not ids, dates of another form or broken rows; the error names each row and column.
    """
    configuration = context.project.configuration
    reader = FileReader(
        source,
        configuration.time_zone,
        configuration.participant_prefix,
        datetime.fromisoformat(context.timestamp),
        configuration.project_start_date,
    )
    run_ids = RunIds(_files_alike(source.recovered_keys, context), source.recovered_keys)
    return [_fetch_file(url, reader, run_ids, context) for url in source.flow_urls]


def _files_alike(raw_keys: RecoveredKeyNames, context: FetchContext) -> Iterator[Path]:
    """List the files of all sources whose messages stage 3 compares: those with the same raw keys."""
    for source in context.project.configuration.raw_data_sources:
        if source.recovered_keys == raw_keys:
            yield from map(context.raw_data_file, source.flow_names)


def _fetch_file(url: str, reader: FileReader, run_ids: RunIds, context: FetchContext) -> FetchedFlow:
    name = flow_name_of_url(url)
    path = context.raw_data_file(name)
    messages = _read_messages(url, name, reader, run_ids, context)
    before = path.read_bytes() if path.exists() else None
    known = {line[-_SHA_TAIL:]: line for line in (before or b"").splitlines(keepends=True)}
    lines = []
    for data in messages:
        line = _encode(data, context.metadata("recovery_csv"))
        lines.append(known.get(line[-_SHA_TAIL:], line))
    content = b"".join(lines)

    def write(writer: RawDataWriter) -> None:
        if content == before:
            _logger.info("Flow %r: unchanged", name)
            return
        writer.write(path, [content])
        _logger.info("Flow %r: %s written", name, count_of(len(lines), "message"))

    return FetchedFlow(name, path, len(lines), count_lines(path), write)


def _encode(data: Mapping[str, object], metadata: Metadata) -> bytes:
    return encode_fresh_chain([(data, metadata)]).encode("ascii") + b"\n"


def _read_messages(
    url: str, name: str, reader: FileReader, run_ids: RunIds, context: FetchContext
) -> list[dict[str, object]]:
    """Sort the messages by time, then run id."""
    text_key, time_key, run_id_key = reader.source.recovered_keys
    messages = [
        message
        for message in reader.read(context.storage.read_bytes(url), url, name)
        if not context.held_back.holds_back(message.sender, message.time, [text_value(message.text)])
    ]
    texts = [text_value(message.text) for message in messages]
    in_order: list[tuple[datetime, str, dict[str, object]]] = []
    alike = ((message.sender, message.time, text) for message, text in zip(messages, texts, strict=True))
    for message, text, run_id in zip(messages, texts, run_ids.number(alike), strict=True):
        data: dict[str, object] = {
            "avf_phone_id": message.sender,
            text_key: text,
            time_key: message.time.isoformat(),
            run_id_key: run_id,
        }
        in_order.append((message.time, run_id, data))
    repeated = len(messages) - len(
        {(message.sender, message.time, text) for message, text in zip(messages, texts, strict=True)}
    )
    if repeated:
        _logger.warning(
            "Flow %r: %s with the sender, the time and the text of another; each is a message of its own",
            name,
            count_of(repeated, "row"),
        )
    in_order.sort(key=lambda entry: entry[:2])
    return [data for _, _, data in in_order]
