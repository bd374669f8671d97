"""Phone numbers as people type them, and the numbers that are none. All are invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.pipeline.coding.cleaning.phone_numbers import MASK, find_phone_numbers, mask_phone_numbers

NUMBERS = [
    "0615000001",  # Somalia, as typed locally
    "615000001",  # without the 0
    "061 500 00 01",
    "61-500-0001",
    "061.500.0001",
    "061/500/0001",
    "061_500_0001",
    "06 15 00 00 01",
    "0 6 1 5 0 0 0 0 0 1",
    "(061) 5000001",
    "615 123 456",
    "+252 61 5000001",
    "+252615000001",
    "00252615000001",
    "00252 61 500 0001",
    "252615000001",  # the country's code without a +
    "252 61 5000001",
    "+252 61 500 000",  # a digit forgotten
    "+2526150000012",  # a digit too many
    "06150000012",
    "06150000010615000002",  # two that run together
    "0615000001" * 4,
    "0615-00-00-01",  # the first three groups could be a date
    "611500000",  # zeros do not make a sum of it
    "252615000000",
    "615 123 000",
    "615.123.000",
    "5612345",  # a landline
    "0712345678",  # Kenya
    "712345678",
    "0712 345 678",
    "0110123456",
    "+254 712 345678",
    "254712345678",
    "020 2012345",
    "0911234567",  # Ethiopia
    "911 23 45 67",
    "+251-91-123-4567",
    "+44 20 7946 0958",  # elsewhere
    "٠٦١٥٠٠٠٠٠١",  # Arabic-Indic digits
    "۰۶۱ ۵۰۰ ۰۰ ۰۱",  # extended ones
    "＋252615000001",  # a plus of full width
    "061\u00a0500\u00a00001",  # spaces that do not break
    "0615\u200b000\u2060001",  # invisible marks
    "0️⃣6️⃣1️⃣5️⃣0️⃣0️⃣0️⃣0️⃣0️⃣1️⃣",
]
NO_NUMBERS = [
    "25",  # ages
    "18 19 20 21 22 23",
    "20 30 40 50 60",
    "25, 30, 35, 40, 61",
    "1998",  # years
    "1990-2000",
    "2020 2021 2022",
    "15:30 16:45",  # times
    "0800 1700",
    "2026-03-01 10:30:00",  # dates
    "01/03/2026",
    "20260301",
    "01032026",
    "150000",  # sums of money
    "1500000",
    "25000000",
    "1,500,000",
    "1.500.000",
    "1 500 000",
    "100,000,000",
    "125,500,000",
    "100.000.000",
    "100 000 000",
    "1255000",
    "100 200 300",
    "$1234567",
    "ksh 7123456",
    "1234567 shillings",
    "1234567 birr",
    "5612345/=",
    "3c5b7f0e-8d43-4c3e-9b6a-0d4f2a9c7e11",  # ids
    "avf-phone-uuid-12345678-1234-4123-8123-123456789012",
    "0615000001" * 6 + "abcd",
    "412345",  # ids of runs
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("around", ["{}", "wac {} maanta", "tel{}waa", "25 jir, {}.", "{} 25", "ii soo dir: {}!"])
def test_numbers_are_masked_and_what_is_around_them_stays(number, around):
    assert mask_phone_numbers(around.format(number)) == around.format(MASK)


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("around", ["{}", "waa {} sidaas", "({})"])
def test_other_numbers_stay(text, around):
    assert mask_phone_numbers(around.format(text)) == around.format(text)


def test_every_number_of_a_text_is_found():
    assert mask_phone_numbers("0615000001, 0615000002 ama 0712345678") == f"{MASK}, {MASK} ama {MASK}"
    assert mask_phone_numbers("25 0615000001") == f"25 {MASK}"
    assert mask_phone_numbers("0615000001\n0615000002") == f"{MASK}\n{MASK}"


@pytest.mark.parametrize("number", ["0615000001", "+252615000001", "061 500 00 01"])
def test_brackets_around_a_number_stay(number):
    assert mask_phone_numbers(f"Asha ({number}) ama") == f"Asha ({MASK}) ama"


@pytest.mark.parametrize("name", ["bob", "Ksh", "usd"])
def test_a_word_for_money_before_a_whole_number_hides_nothing(name):
    assert mask_phone_numbers(f"{name} 0712345678") == f"{name} {MASK}"
    assert mask_phone_numbers(f"{name} 712345678") == f"{name} {MASK}"


@given(st.text(st.sampled_from("0123456789٠١٢+-() .,/$:abc\n\u200b"), max_size=60))
def test_whatever_is_typed_spans_are_in_order_and_masking_is_stable(text):
    spans = find_phone_numbers(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(first[1] <= second[0] for first, second in zip(spans, spans[1:], strict=False))
    if not spans:
        assert mask_phone_numbers(text) == text


@given(
    st.sampled_from(["061", "62", "+25261", "25263", "0025290", "07", "+2547", "2547", "091", "+25191"]),
    st.integers(0, 9_999_999),
    st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz "), max_size=20),
)
def test_a_mobile_number_never_passes(prefix, number, around):
    digits = f"{prefix}{number:07d}"
    # Kenyan and Ethiopian numbers have one digit more after these prefixes.
    digits += "1" if prefix.endswith(("7", "91")) else ""
    assert digits not in mask_phone_numbers(f"{around} {digits} {around}") or digits.endswith("00000")
