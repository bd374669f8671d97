"""Respondents: one number is one participant, whichever way it is written, and however many come at once."""

import pytest

from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.submissions.respondents import Participants, channel_respondent, number_respondent


@pytest.fixture
def table(tmp_path):
    return EmbeddedUuidTable(tmp_path, "EXAMPLE")


def test_a_number_in_national_form_and_in_full_at_once_is_one_participant(table):
    told = ["0712000001", "+254 712 000 001", "254712000001", "712000001", "00254712000001"]
    respondents = [number_respondent(text, "KE") for text in told]
    assert len(set(Participants(table).uuids(respondents).values())) == 1
    assert table.find(["254712000001"]) and not table.find(["712000001"])


def test_respondents_without_a_number_are_participants_of_their_own(table):
    respondents = [channel_respondent("kobo", f"aForm:{number}") for number in (1, 2)]
    uuids = Participants(table).uuids([*respondents, number_respondent("0712000001", "KE")])
    assert len(set(uuids.values())) == 3


@pytest.mark.parametrize(
    "told",
    [
        "+254 (0) 712 000001",
        "00254 (0)712-000-001",
        "\u202a+254\u00a0712 000\u2011001\u202c",  # As copied from a phone's contacts.
        "\uff0b254712000001",
        "\u0660\u0667\u0661\u0662\u0660\u0660\u0660\u0660\u0660\u0661",
        "'0712000001",
        '="0712000001"',
        "tel:+254712000001",
        "(0712) 000 001",
    ],
)
def test_a_number_is_read_as_people_and_programs_write_it(told):
    respondent = number_respondent(told, "KE")
    assert respondent is not None
    assert respondent.identities[-1] == "254712000001"


@pytest.mark.parametrize(
    "told", ["", "'", "\u200b", "0712000001 / 0713000001", "2.54712E+11", "\u00b2\u00b3" * 6, "=1+1"]
)
def test_what_is_no_single_number_is_none(told):
    assert number_respondent(told, "KE") is None
