"""Read phone numbers as spreadsheets and telecoms write them. A number that lost digits is none."""

import re

from engagement.sources.submissions.respondents import number_respondent, plain_number
from engagement.sources.submissions.submission import Respondent

# Spreadsheets put an apostrophe before text, RapidPro the scheme before a number.
_BEFORE = re.compile(r"'?(?:tel:)?", re.IGNORECASE)
_INTERNATIONAL = re.compile(r"[ (]*(?:\+|0[ ().-]*0)")
# The shortest that people have with their country's code.
_LEAST_DIGITS = 10


def read_number_cell(cell: str, country: str | None = None) -> Respondent | None:
    """Read a phone number; None if the cell has none, or one that could be another person's.

    A number in national form is one only if `country` says whose: without its country's code it would be another id than the
    one that its SMS have.

    >>> read_number_cell("'+252 61 5000001"), read_number_cell("252615000001.0").identities
    (Respondent(tel), ('252615000001',))
    >>> read_number_cell("0615000001"), read_number_cell("0615000001", "SO").identities[-1], read_number_cell("2.52615E+11")
    (None, '252615000001', None)
    """
    text = plain_number(_BEFORE.sub("", cell.strip(), count=1))
    found = number_respondent(text, country)
    if found is None or _INTERNATIONAL.match(text):
        return found
    digits = found.identities[-1]
    is_whole = len(digits) >= _LEAST_DIGITS and not (text.lstrip(" (").startswith("0") and len(found.identities) == 1)
    return found if is_whole else None
