"""An append-only record of who set what, where and when, and its JSON Lines files."""

from engagement.provenance.decoding import ChainError, decode
from engagement.provenance.reading import read_traced_data
from engagement.provenance.traced_data import (
    HIDDEN,
    Change,
    Metadata,
    Nested,
    TracedData,
    encode_fresh_chain,
    encode_json,
    text_value,
)

__all__ = [
    "HIDDEN",
    "ChainError",
    "Change",
    "Metadata",
    "Nested",
    "TracedData",
    "decode",
    "encode_fresh_chain",
    "encode_json",
    "read_traced_data",
    "text_value",
]
