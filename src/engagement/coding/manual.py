"""Labels of a message, from what coders said and from what there is to code."""

import unicodedata
from collections.abc import Mapping, Sequence

from engagement.coding.coded_datasets import CodedDataset, message_id_of
from engagement.coding.labels import Label, make_pipeline_label
from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan, ControlCode
from engagement.messages.message import Message

_ORIGIN = "engagement.coding.manual"


def is_noise(text: str, minimum_length: int | None) -> bool:
    """Whether there is nothing to code in a text: white space only, or shorter than a configured length.

    >>> is_noise(" \\u3000", None), is_noise("ha", 3), is_noise("ha", None)
    (True, True, False)
    """
    stripped = unicodedata.normalize("NFKC", text).strip()
    return not stripped or (minimum_length is not None and len(stripped) < minimum_length)


class ManualCoder:
    """Gives every message a label, or several, in each coded field of every plan."""

    def __init__(
        self,
        plans: tuple[CodingPlan, ...],
        datasets: Mapping[str, CodedDataset],
        noise_minimum_length: int | None,
    ) -> None:
        self._plans = plans
        self._datasets = datasets
        self._noise_minimum_length = noise_minimum_length

    def label(self, message: Message) -> dict[str, str]:
        """Set the labels of a message; returns, by field name, the ids of the texts that were coded.

        No answer is NA, an empty one NC, one that coders did not look at NR; noise is NC unless a coder labelled it.
        """
        values = message.record.values
        message_time = values.get(message.plan.time_field) if message.plan and message.plan.time_field else None
        ids: dict[str, str] = {}
        for plan in self._plans:
            text = values.get(plan.raw_field)
            time = values.get(plan.time_field, message_time) if plan.time_field else message_time
            if text is not None and plan.coda_filename is not None:
                ids[plan.id_field] = message_id_of(text)
            for configuration, labels in zip(
                plan.coding_configurations, self._labels(plan, text, values, time), strict=True
            ):
                message.labels[configuration.coded_field] = labels
        return ids

    def _labels(
        self, plan: CodingPlan, text: str | None, values: Mapping[str, object], time: str | None
    ) -> list[tuple[Label, ...]]:
        configurations = plan.coding_configurations
        if text is None:
            return [(_control(c, ControlCode.NA, time),) for c in configurations]
        if plan.coda_filename is None:
            return [(_coded_at_fetch(c, values, time),) for c in configurations]
        if text == "":
            return [(_control(c, ControlCode.NC, time),) for c in configurations]
        reading = self._datasets[plan.raw_field].reading(text)
        if not reading.is_labelled and is_noise(text, self._noise_minimum_length):
            return [(_control(c, ControlCode.NC, time),) for c in configurations]
        return [
            labels or (_control(configuration, ControlCode.NR, time),)
            for configuration, labels in zip(configurations, reading.labels, strict=True)
        ]


def _control(configuration: CodingConfiguration, control_code: ControlCode, time: str | None) -> Label:
    scheme = configuration.code_scheme
    return make_pipeline_label(scheme, scheme.control(control_code), _ORIGIN, time)


def _coded_at_fetch(configuration: CodingConfiguration, values: Mapping[str, object], time: str | None) -> Label:
    """The label that came with the run, as the operator's does; NC where the scheme does not know its code."""
    given = values.get(configuration.coded_field)
    if isinstance(given, dict):
        code = configuration.code_scheme.codes_by_id.get(given.get("CodeID", ""))
        if code is not None:
            return Label(code, given)
    return _control(configuration, ControlCode.NC, time)


def documents_of(labels: Mapping[str, Sequence[Label]], plans: Sequence[CodingPlan]) -> dict[str, object]:
    """Labels by coded field as JSON values: one label (SINGLE) or a list of them (MULTIPLE)."""
    documents: dict[str, object] = {}
    for plan in plans:
        for configuration in plan.coding_configurations:
            given = labels[configuration.coded_field]
            if configuration.coding_mode is CodingMode.SINGLE:
                documents[configuration.coded_field] = given[0].document
            else:
                documents[configuration.coded_field] = [label.document for label in given]
    return documents
