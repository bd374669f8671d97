"""What the demo writes back to its RapidPro: keys that only its own copy of the configuration has.

The configuration in the clone has none of them: projects begin as copies of it, and writing to contacts is theirs to ask for.
"""

from collections.abc import Mapping
from typing import Any

from engagement.sandbox.asked_again import answered_field

_CODED_FIELDS = {
    "gender": "gender_coded",
    "age": "age_coded",
    "location": "region_coded",
    "household_language": "household_language_coded",
    "recently_displaced": "recently_displaced_coded",
}
_ADVERT = "next_week_advert"
WRITTEN_BACK: Mapping[str, Any] = {
    "Contacts": [{"Name": _ADVERT, "TookPartIn": ["any"], "To": {"Group": "next week's advert"}}],
    "WriteBack": {
        "Withdrawn": {"Group": "stopped", "Field": "consent_withdrawn"},
        "Demographics": [
            {"CodedField": coded_field, "Field": answered_field(question)}
            for question, coded_field in _CODED_FIELDS.items()
        ],
        "Contacts": [_ADVERT],
    },
}
