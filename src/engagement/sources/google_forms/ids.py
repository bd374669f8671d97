"""Ids of forms and of their questions, as the configuration has them."""

import re

from engagement.configuration.value_types import matching

# The id in the address where people answer begins so; the API does not know it.
FormId = matching(
    re.compile(r"(?!1FAIpQL)[A-Za-z0-9_-]{10,100}"),
    "is no form's id; expected the part behind '/forms/d/' in the address of the page where the form is edited "
    "(https://docs.google.com/forms/d/<FormId>/edit), not the id of the page where people answer, which begins with '1FAIpQL'. "
    "Change it.",
)
QuestionId = matching(
    re.compile("[0-9a-f]{1,16}"),
    "is no question's id; expected digits and the letters a to f, like '5a1b0002'. Change it.",
)
