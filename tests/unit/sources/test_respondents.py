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
