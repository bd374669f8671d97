"""Which URNs identify somebody, and as whom."""

import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.sources import urns
from engagement.sources.urns import Urn, first_scheme, first_urn, identities_of, operator_raw, parse_urn


@pytest.mark.parametrize(
    ("urn", "identity", "operator", "reason"),
    [
        ("tel:+252615000001", "252615000001", "25261", "the plain case"),
        ("tel:+252 61 500-0001", "252615000001", "25261", "people and servers write numbers in groups"),
        ("tel:+252.61.(500)0001", "252615000001", "25261", "with dots and brackets, too"),
        ("tel:00252615000001", "252615000001", "25261", "00 is how some networks write +"),
        ("tel:0615000001", "615000001", "61500", "a national number of nobody knows which country"),
        ("tel:+252615000001?channel=7#Amina", "252615000001", "25261", "query and display name are cut off first"),
        ("tel:+252615000001#61 9", "252615000001", "25261", "digits of a display name are no part of the number"),
        ("tel:1331", "1331", "1331", "a short code"),
        ("TEL:+252615000001", "252615000001", "25261", "schemes have no case"),
        ("whatsapp:252615000001", "252615000001", "whatsapp", "its path is a number: the same person as by tel"),
        ("whatsapp:KE.A1b2c", "whatsapp:KE.A1b2c", "whatsapp", "an id of WhatsApp's own is no number, and has a case"),
        ("whatsapp:KE.252615000001", "whatsapp:KE.252615000001", "whatsapp", "though it may look like one"),
        ("bsuid:KE.A1b2c", "bsuid:KE.A1b2c", "bsuid", "the same id on a channel of its own is another participant"),
        ("tel:mtn4u", "tel:mtn4u", "tel", "a sender's name is no number, with whatever digits in it"),
        ("tel:252615000001x", "tel:252615000001x", "tel", "nor is what has a letter behind it"),
        ("telegram:252615000001#amina", "telegram:252615000001", "telegram", "an id that only looks like a number"),
        ("facebook:ref:0077", "facebook:ref:0077", "facebook", "paths may hold colons"),
        ("mailto:Amina@example.org", "mailto:Amina@example.org", "mailto", "a path keeps its case"),
        ("whatsapp:000", "whatsapp:000", "whatsapp", "nothing is left without the leading zeros"),
        ("tel:٠٦١٥", "tel:٠٦١٥", "tel", "digits of other scripts are not what RapidPro writes numbers with"),
    ],
)
def test_a_urn_is_looked_up_and_coded_by(urn, identity, operator, reason):
    parsed = parse_urn(urn)
    assert identities_of(parsed) == (identity,), reason
    assert operator_raw(parsed, identities_of(parsed)[-1]) == operator, reason


@pytest.mark.parametrize(
    "urn",
    [
        "",
        "tel:",
        "tel: ",
        "tel:#amina",
        "whatsapp:",
        ":252615000001",
        "tel:********",
        "tel:2526*****01",
        "telegram:********",
    ]
    + ["+252615000001", "252615000001", "+252615000001:", "25 2:1", "Ⅷ:252615000001", "?tel:+252615000001"],
)
def test_what_has_no_scheme_or_an_empty_or_masked_path_is_nobody(urn):
    assert parse_urn(urn) is None
    assert first_urn([urn]) is None


def test_the_next_urn_counts_where_the_first_is_nobody():
    assert first_urn(["+252615000001", "tel:", "telegram:1", "tel:+252615000002"]) == Urn("telegram", "1")
    assert first_urn([]) is None


def test_a_masked_urn_tells_its_channel():
    assert first_scheme(["tel:********"]) == "tel"
    assert first_scheme(["+252615000001", "252615000001", "telegram:********"]) == "telegram"
    assert first_scheme(["+252615000001", "252615:1"]) is None


@pytest.mark.parametrize(
    ("path", "country", "identities", "reason"),
    [
        ("0615000001", "SO", ("615000001", "252615000001"), "as dialled at home"),
        ("061 500 0001", "SO", ("615000001", "252615000001"), "in groups"),
        ("615000001", "SO", ("615000001", "252615000001"), "without the 0"),
        ("0711000001", "KE", ("711000001", "254711000001"), "of another country"),
        ("0615000001", "so", ("615000001", "252615000001"), "the country in lower case"),
        ("+252615000001", "SO", ("252615000001",), "international already"),
        ("00252615000001", "SO", ("252615000001",), "so is this"),
        ("252615000001", "SO", ("252615000001",), "with its country's code, without the plus"),
        ("254711000001", "SO", ("254711000001",), "another country's, without the plus"),
        ("1331", "SO", ("1331",), "a short code stays one"),
        ("0615000001", None, ("615000001",), "of no country that is known"),
        ("0615000001", "ZZ", ("615000001",), "of no country at all"),
    ],
)
def test_a_national_number_is_known_by_both_forms(path, country, identities, reason):
    assert identities_of(Urn("tel", path), country) == identities, reason
    assert operator_raw(Urn("tel", path), identities[-1]) == identities[-1][:5], reason


def test_numbers_of_whatsapp_are_international():
    assert identities_of(Urn("whatsapp", "615000001"), "SO") == ("615000001",)


@given(st.text(), st.text())
def test_display_name_and_query_never_change_who_it_is(path, decoration):
    for scheme in ("tel", "telegram"):
        assert parse_urn(f"{scheme}:{path}") == parse_urn(f"{scheme}:{path}#{decoration}")
        assert parse_urn(f"{scheme}:{path}") == parse_urn(f"{scheme}:{path}?{decoration}")


@given(st.text(alphabet="+0123456789abcXYZ.-*() ", min_size=1))
def test_other_paths_are_taken_exactly_as_they_are(path):
    urn = parse_urn(f"telegram:{path}")
    if urn is not None:
        assert identities_of(urn, "SO") == (f"telegram:{path.strip()}",)


def test_the_library_of_phone_numbers_is_not_loaded_for_international_ones():
    program = (
        "import sys; from engagement.sources.urns import *; "
        "[identities_of(parse_urn(urn), 'SO') for urn in ('tel:+252615000001', 'telegram:1', 'whatsapp:252615000001')]; "
        "sys.exit('phonenumbers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


@pytest.mark.parametrize("country", ["KE", "SO", "ET", "UG", "MX", "AR", "US", "RU"])
def test_numbers_with_their_countrys_code_are_read_as_the_library_reads_them(
    country: str, monkeypatch: pytest.MonkeyPatch
):
    code = str(phonenumbers.country_code_for_region(country))
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    national = str(example.national_number)
    paths = [code + between + national[:-1] + last for between in ("", "0", "1", code) for last in "0123456789"]
    paths += [code + national[:-1], code + national + "0", national, national + code]
    read = [identities_of(Urn("tel", path), country) for path in paths]
    monkeypatch.setattr(urns, "_plain_mobile_numbers", lambda country: None)
    assert read == [identities_of(Urn("tel", path), country) for path in paths]


@pytest.mark.parametrize(
    "country", ["KE", "SO", "ET", "UG", "TZ", "NG", "IT", "GB", "MX", "AR", "BR", "US", "RU", "FI"]
)
def test_numbers_with_a_zero_in_front_are_read_as_the_library_reads_them(country: str, monkeypatch: pytest.MonkeyPatch):
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    national = str(example.national_number)
    paths = [f"0{between}{national[:-1]}{last}" for between in ("", "0", "1", "7") for last in "0123456789"]
    paths += [f"0{first}{national[1:]}" for first in "0123456789"]
    paths += [f"0{national[:-1]}", f"0{national[:-2]}", f"0{national}0", f"0{national}\n", f"0 {national}"]
    read = [identities_of(Urn("tel", path), country) for path in paths]
    monkeypatch.setattr(urns, "_national_mobile_numbers", lambda country: None)
    assert read == [identities_of(Urn("tel", path), country) for path in paths]


def test_usual_numbers_do_without_the_library(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(phonenumbers, "parse", lambda *_: pytest.fail("asked the library"))
    assert identities_of(Urn("tel", "254712000001"), "KE") == ("254712000001",)
    assert identities_of(Urn("tel", "0712000001"), "KE") == ("712000001", "254712000001")
