"""What is held back from Drive."""

import enum

from engagement.configuration.model import Model, key
from engagement.configuration.value_types import Text


class PhoneNumberPolicy(enum.StrEnum):
    """Treatment of phone numbers that participants typed, at the gate."""

    MASK = "mask"
    STOP = "stop"
    ALLOW = "allow"


class Disclosure(Model):
    """Limits of what the gate lets through to Drive."""

    phone_numbers: PhoneNumberPolicy = key(
        "PhoneNumbers",
        "'mask' them in the uploaded copy, 'stop' the upload, or 'allow' them",
        "mask",
        PhoneNumberPolicy.MASK,
    )
    k_anonymity: int | None = key(
        "KAnonymity", "fewest participants that may share a combination of Columns; off without it", 5, None, ge=2
    )
    columns: tuple[Text, ...] = key("Columns", "columns whose combinations are counted", ["age", "district"], ())
