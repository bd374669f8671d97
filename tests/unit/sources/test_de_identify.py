"""What a URN becomes at the door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.services.rapidpro import Contact
from engagement.services.uuid_tables import EmbeddedUuidTable
from engagement.sources.de_identify import de_identify_contacts, operator_raw, participant_id, split_urn


@pytest.mark.parametrize(
    ("urn", "identifier", "operator", "reason"),
    [
        ("tel:+252615000001", "252615000001", "25261", "the plain case"),
        ("tel:+252 61 500-0001", "252615000001", "25261", "people and servers write numbers in groups"),
        ("tel:00252615000001", "252615000001", "25261", "00 is how some networks write +"),
        ("tel:0615000001", "615000001", "61500", "a national number: nothing can be added"),
        ("tel:+252615000001?channel=7#Amina", "252615000001", "25261", "query and display name are cut off first"),
        ("tel:+252615000001#61 9", "252615000001", "25261", "digits of a display name are no part of the number"),
        ("tel:1331", "1331", "1331", "a short code"),
        ("TEL:+252615000001", "252615000001", "25261", "schemes have no case"),
        ("whatsapp:252615000001", "252615000001", "whatsapp", "its path is a number: the same person as by tel"),
        ("telegram:252615000001#amina", "telegram:252615000001", "telegram", "an id that only looks like a number"),
        ("facebook:ref:0077", "facebook:ref:0077", "facebook", "paths may hold colons"),
        ("tel:anonymous", "tel:anonymous", "tel", "a number without a digit is looked up by its path"),
        ("whatsapp:000", "whatsapp:000", "whatsapp", "nothing is left without the leading zeros"),
    ],
)
def test_a_urn_is_looked_up_and_coded_by(urn, identifier, operator, reason):
    assert participant_id(urn) == identifier, reason
    assert operator_raw(urn) == operator, reason


@given(st.text(), st.text())
def test_display_name_and_query_never_change_who_it_is(path, decoration):
    for scheme in ("tel", "telegram"):
        assert participant_id(f"{scheme}:{path}") == participant_id(f"{scheme}:{path}#{decoration}")
        assert participant_id(f"{scheme}:{path}") == participant_id(f"{scheme}:{path}?{decoration}")


@given(st.text())
def test_other_channels_never_share_an_id_with_a_number(path):
    assert not participant_id(f"telegram:{path}").isdigit()
    assert split_urn(f"telegram:{path}")[0] == "telegram"


def test_the_first_urn_counts_and_contacts_without_any_are_left_out(tmp_path):
    table = EmbeddedUuidTable(tmp_path, "PROJECT")
    contacts = [
        Contact("c1", None, ["tel:+252615000001", "telegram:1"]),
        Contact("c2", None, ["telegram:1", "tel:+252615000001"]),
        Contact("c3", None, []),
        Contact("c4", None, ["whatsapp:252615000001"]),
    ]
    met = de_identify_contacts(contacts, table)
    assert set(met) == {"c1", "c2", "c4"}
    assert met["c1"].uuid == met["c4"].uuid != met["c2"].uuid
    assert (met["c2"].urn_type, met["c4"].urn_type) == ("telegram", "whatsapp")
