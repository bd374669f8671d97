"""Columns that tell where messages came from: the type of the source, and the channel."""

import functools
import json
from collections.abc import Iterable, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.field_names import AMBIVALENT
from engagement.configuration.origin_plans import NOT_KNOWN, OriginColumn
from engagement.foundation.csv_cells import encode_cell, guard_cell
from engagement.pipeline.messages.message import Message
from engagement.pipeline.outputs.message_sources import MessageSources, SurveyKeys

Origins = tuple[str, ...]


class OriginColumns:
    """Finds the values of a project's OriginColumns, in their order."""

    def __init__(self, configuration: PipelineConfiguration) -> None:
        self.names = tuple(map(str, configuration.origin_columns))
        self._is_source = [column is OriginColumn.SOURCE for column in configuration.origin_columns]
        self._sources, self._surveys = MessageSources(configuration), SurveyKeys(configuration)

    def of_message(self, message: Message) -> Origins:
        """Find the values of a message."""
        return tuple(
            [self._find_source(message) if is_source else _find_channel(message) for is_source in self._is_source]
        )

    def _find_source(self, message: Message) -> str:
        return self._sources.tell(message.raw_key or self._surveys.find(message))[0] or NOT_KNOWN


def _find_channel(message: Message) -> str:
    return str(message.record.values.get("urn_type") or NOT_KNOWN)


def fold_origins(messages: Iterable[Origins]) -> Origins:
    """Fold the values of a participant's messages.

    Those that differ are ambivalent; one that is not known gives way.

    >>> fold_origins([("RapidPro", "tel"), ("NA", "tel"), ("KoboToolbox", "NA")])
    ('ambivalent', 'tel')
    """
    return tuple(_fold(set(values)) for values in zip(*messages, strict=True))


def _fold(values: set[str]) -> str:
    known = values - {NOT_KNOWN}
    if not known:
        return NOT_KNOWN
    return known.pop() if len(known) == 1 else AMBIVALENT


def encode_origins(origins: Origins) -> str:
    """Encode values as cells, each after a comma."""
    return "".join([f",{_encode_cell(value)}" for value in origins])


def encode_codes(origins: Origins) -> Sequence[bytes]:
    """Encode values as the tables for the analysis have code ids."""
    return [_encode_code(value) for value in origins]


@functools.lru_cache
def _encode_cell(value: str) -> str:
    return encode_cell(guard_cell(value))


@functools.lru_cache
def _encode_code(value: str) -> bytes:
    return json.dumps([value]).encode()
