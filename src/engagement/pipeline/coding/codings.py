"""Codings: the labels of a plan, the codes of its fields, and the fields as TracedData stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan
from engagement.pipeline.coding.labels import Label
from engagement.provenance import Metadata, TracedData, encode_json

# A field's name, its value, and its JSON preceded by the name.
Field = tuple[str, Any, bytes]
name_of = itemgetter(0)


@dataclass(frozen=True, slots=True, eq=False)
class Coding:
    """The labels of one plan with their codes' ids: at least one for each coding configuration.

    `fields` are the coded fields as TracedData stores them; those without a label there are left out. `is_single` is true if every
    field has one label.
    """

    labels: tuple[tuple[Label, ...], ...]
    code_ids: tuple[tuple[str, ...], ...]
    fields: tuple[Field, ...]
    is_single: bool

    def guessed_from(self, position: int) -> str | None:
        """Return the source that a configuration's codes were guessed from; None if any comes from an answer."""
        sources = {label.guessed_from for label in self.labels[position] if label.code.is_normal}
        if None in sources:
            return None
        return min((source for source in sources if source is not None), default=None)


def make_coding(plan: CodingPlan, labels: tuple[tuple[Label, ...], ...]) -> Coding:
    """Make the coding of a plan from these labels."""
    fields = (make_label_field(c, several) for c, several in zip(plan.coding_configurations, labels, strict=True))
    code_ids = tuple(tuple(label.code.code_id for label in several) for several in labels)
    is_single = all(len(several) == 1 for several in labels)
    return Coding(labels, code_ids, tuple(field for field in fields if field[1] is not None), is_single)


def append_fields(record: TracedData, fields: list[Field], metadata: Metadata) -> None:
    """Add an update of these fields to a record, if there are any."""
    if not fields:
        return
    fields.sort(key=name_of)
    names, values, encoded = zip(*fields, strict=True)
    record.append(dict(zip(names, values, strict=True)), metadata, encoded_data=b"{%b}" % b", ".join(encoded))


def make_field(name: str, value: Any) -> Field:
    """Make a field with its JSON."""
    return name, value, f"{encode_json(name)}: {encode_json(value)}".encode()


def make_label_field(configuration: CodingConfiguration, labels: Sequence[Label]) -> Field:
    """Make JSON of a coded field's labels: one label (SINGLE) or a list (MULTIPLE); None without any."""
    written = [label for label in labels if label.document is not None]
    name = configuration.coded_field
    if not written:
        return make_field(name, None)
    if configuration.coding_mode is CodingMode.SINGLE:
        return name, written[0].document, f"{encode_json(name)}: {written[0].encoded}".encode()
    encoded = ", ".join([label.encoded for label in written])
    return name, [label.document for label in written], f"{encode_json(name)}: [{encoded}]".encode()
