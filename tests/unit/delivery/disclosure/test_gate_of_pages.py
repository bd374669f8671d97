"""Phone numbers in the analysis's page and tables; everything is invented."""

import json
import re

import pytest

from engagement.delivery.disclosure.analysis_files import pass_analysis_file
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.pages import mask_page
from engagement.pipeline.coding.cleaning.phone_numbers import MASK, mask_phone_numbers

NUMBER = "0615000001"


def mask(page: str) -> str:
    return mask_page(page, mask_phone_numbers)


@pytest.mark.parametrize(
    "template",
    [
        "<p>wac {}</p>",
        "<td>a &amp; b {} &lt;c&gt;</td>",
        "<img src='x' alt='wac {}'>",
        '<tr data-sort="{}">',
        '<td title="{}" class="x">',
        '<script type="application/json">{{"a": ["wac {}"]}}</script>',
        '<script type="application/json" id="x">["\\u003c/script\\u003e {}"]</script>',
    ],
)
def test_numbers_go_from_text_attributes_and_data(template):
    page = f"<!doctype html><html><body>{template}</body></html>"
    assert mask(page.format(NUMBER)) == page.format(MASK)


@pytest.mark.parametrize(
    "page",
    [
        f'<img src="data:image/png;base64,AAAA{NUMBER}BBBB">',
        f"<script>const n = {NUMBER[1:]};</script>",
        f"<style>.a {{ width: {NUMBER[1:]}px }}</style>",
        f'<path d="M {NUMBER[1:]} 0">',
        "<td>&#x27;quoted&#39; &nbsp; 25 1998 2026-03-01</td>",
        '<script type="application/json">{"a":[1,  2.123456789012]}</script>',
        "<td>" + "0123456789abcdef" * 4 + "</td>",
    ],
)
def test_what_is_no_text_or_no_number_stays_byte_for_byte(page):
    assert mask(page) == page


def test_hostile_text_stays_escaped():
    page = f"<p>&lt;script&gt;alert(1)&lt;/script&gt; {NUMBER}</p>"
    assert mask(page) == f"<p>&lt;script&gt;alert(1)&lt;/script&gt; {MASK}</p>"
    data = json.dumps([f"</script><img> & {NUMBER}"]).replace("<", "\\u003c")
    masked = mask(f'<script type="application/json">{data}</script>')
    (document,) = re.findall(r'<script type="application/json">(.*)</script>', masked)
    assert "<" not in document
    assert json.loads(document) == [f"</script><img> & {MASK}"]


def test_messages_in_tables_are_masked_and_noted(tmp_path):
    source, copies = tmp_path / "sample_messages.csv", tmp_path / "copies"
    source.write_text(f"Code,Message\nwater,wac {NUMBER}\nwater,'+252615000001\nwater,biyo\n")
    findings = DisclosureFindings()
    copy = pass_analysis_file(source, "sample_messages.csv", copies, findings, lets_pass=False)
    assert copy.read_text() == f"Code,Message\nwater,wac {MASK}\nwater,{MASK}\nwater,biyo\n"
    assert {dataset for dataset, _ in findings.texts} == {"sample_messages.csv"}
    assert len(findings.texts) == 2


@pytest.mark.parametrize("name", ["engagement_counts.csv", "chart.png", "chart.svg"])
def test_files_without_messages_are_uploaded_as_they_are(tmp_path, name):
    source = tmp_path / name
    source.write_text("Dataset,Total Messages\ns01e01,5612345\n")
    assert pass_analysis_file(source, name, tmp_path / "copies", DisclosureFindings(), lets_pass=False) == source


def test_the_report_is_masked_unless_numbers_may_pass(tmp_path):
    source = tmp_path / "report.html"
    source.write_text(f"<p>{NUMBER}</p>")
    for lets_pass, expected in ((False, MASK), (True, NUMBER)):
        copy = pass_analysis_file(source, "a/report.html", tmp_path / "copies", DisclosureFindings(), lets_pass)
        assert copy.read_text() == f"<p>{expected}</p>"


@pytest.mark.parametrize(
    "figure", ["0.0546286339790734", "2.13981221395093e-08", "-0.8766912585458123", "61.5123456789012"]
)
def test_a_figure_with_all_its_digits_is_no_phone_number(tmp_path, figure: str):
    source, findings = tmp_path / "tests.csv", DisclosureFindings()
    source.write_text(f"dataset,p\ns01e01,{figure}\n")
    copy = pass_analysis_file(source, "statistics/tests.csv", tmp_path / "copies", findings, lets_pass=False)
    assert (copy, findings.texts) == (source, set())


@pytest.mark.parametrize("number", ["0615123456", "+252615123456", "0615.123.456", "00252615123456"])
def test_a_phone_number_is_no_figure(tmp_path, number: str):
    source, findings = tmp_path / "tests.csv", DisclosureFindings()
    source.write_text(f"dataset,p\ns01e01,{number}\n")
    copy = pass_analysis_file(source, "statistics/tests.csv", tmp_path / "copies", findings, lets_pass=False)
    assert number not in copy.read_text()
