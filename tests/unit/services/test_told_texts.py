"""What services say of a refusal: no token, address, number or e-mail address of it reaches a log."""

import pytest

from engagement.services.told_texts import hide_identities

SPELLINGS = [
    "0712345678",
    "0712 345 678",
    "+254-712-345-678",
    "(0712) 345678",
    "0712.345.678",
    "0712/345/678",
    "0712\u00a0345\u2011678",
    "\u0660\u0667\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    "7000000000012",
]


@pytest.mark.parametrize("number", SPELLINGS)
def test_no_number_is_left(number: str):
    said = hide_identities(f"no such user: {number}!", "aToken")
    assert said.startswith("no such user: ")
    assert sum(sign.isdecimal() for sign in said) == 0


def test_no_token_address_or_email_is_left():
    said = hide_identities("Token aToken of <amina@example.org> at https://a.example/x?access_token=aToken", "aToken")
    assert said == "Token … of <…> at https://a.example/x?…"


def test_what_tells_the_cause_stays():
    assert hide_identities("Unsupported get request. (code 100, version v23.0)", "aToken").endswith("v23.0)")
