"""One table says what control codes mean: whoever speaks of them says the same."""

import numpy
import pytest

from engagement.analysis.tables.coded_table import Codes
from engagement.configuration import CodeScheme, ControlCode
from engagement.configuration.control_codes import CONTROL_CODES
from engagement.configuration.parsing import parse_model
from engagement.desk.explanations.wording import say_code
from engagement.labelling.code_books.dictionary import used_control_codes
from example_project import make_scheme
from manual_pages import TEXTS

SCHEME, _ = parse_model(CodeScheme, make_scheme("answer", ["yes"], [str(code) for code in ControlCode]))


def test_every_control_code_is_in_the_table_in_order_of_precedence():
    assert list(CONTROL_CODES) == list(ControlCode)


@pytest.mark.parametrize("code", ControlCode)
def test_explain_code_book_and_manual_say_the_same(code: ControlCode):
    entry = CONTROL_CODES[code]
    assert entry.wording in say_code(SCHEME.control(code)) + SCHEME.control(code).string_value.casefold()
    assert (str(code), entry.meaning) in used_control_codes([SCHEME])
    assert f"| {code} | {entry.wording} | {entry.meaning} |" in TEXTS["docs/outputs.md"]


def test_nic_is_not_internally_consistent():
    assert say_code(SCHEME.control(ControlCode.NIC)) == "'NIC' (not internally consistent)"


@pytest.mark.parametrize("code", ControlCode)
def test_the_analysis_counts_who_responded_by_the_table(code: ControlCode):
    codes = Codes(SCHEME, [[SCHEME.control(code).code_id]], numpy.zeros(1, dtype=int))
    assert bool(codes.responded[0]) is CONTROL_CODES[code].has_responded
    assert not codes.relevant_individual[0]
    assert not codes.relevant_message[0]
