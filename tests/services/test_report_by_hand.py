"""A researcher's ten questions, each answered from the report alone with real clicks and keys; downloads, and print.

QUESTIONS counts the clicks that each answer takes: choosing from a list is one, and so is a key.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from browser import Tab, browsing
from engagement.analysis.charts.charts import Chart, describe_charts
from engagement.analysis.comparison.page import write_comparison
from engagement.analysis.comparison.seasons import compare_seasons
from engagement.analysis.report.last_run import FIGURES
from engagement.analysis.report.report import write_report
from engagement.analysis.tables.label_origins import count_label_origins, write_label_origins
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run

FIRST, ALL = 40, 80
EPISODE = "document.getElementById('rqa_s01e01')"
QUESTIONS = {
    "What did women in Bay say?": 3,
    "Who is new?": 1,
    "How sure are we of the labels?": 0,
    "What changed since the last run?": 0,
    "Which theme is named most, and how sure is its share?": 0,
    "Which theme moved by more than chance?": 0,
    "How many withdrew?": 0,
    "Who wrote of a broken pump?": 2,
    "How far do coders agree on water?": 0,
    "Which region is silent?": 1,
}
HEADER = "level,code,coefficient,messages,estimate,low_bootstrap,high_bootstrap,dataset\n"


def write_runs(root: DataRoot, people: int) -> None:
    """Of the first half every tenth writes of roads, of those who join later nine of ten; one withdraws."""
    texts = {n: f"waddo {n}" if (n % 10 == 0) == (n < FIRST) else f"biyo {n}" for n in range(people)}
    texts[3] = "bamka wuu jabay"
    runs = [episode_run(f"p{n}", text, 1, f"2026-04-05T12:{n % 60:02}:00+03:00", n) for n, text in texts.items()]
    runs += [episode_run(f"p{n}", "rajo", 2, "2026-04-12T12:00:00+03:00", 300 + n) for n in range(5)]
    runs += [episode_run("late", "rajo", 2, "2026-04-12T13:00:00+03:00", 400)]
    runs += [episode_run("gone", "jooji", 1, "2026-04-12T13:00:00+03:00", 401)]
    runs += [survey_run(f"p{n}", 500 + n, gender="naag" if n % 2 else "nin") for n in texts]
    runs += [survey_run(f"p{n}", 700 + n, location="baidoa" if n % 3 else "xamar") for n in texts]
    root.write_runs(*runs)
    codes = {text: "roads" if text.startswith("waddo") else "water" for text in texts.values()}
    labels = [coda_message(text, label("episode1", code)) for text, code in codes.items()]
    root.write_coded("s01e01", *labels, coda_message("jooji", label("episode1", "STOP")))
    root.write_coded("s01e02", coda_message("rajo", label("episode2", "hope")))
    root.write_coded("gender", *(coda_message(t, label("gender", c)) for t, c in (("nin", "man"), ("naag", "woman"))))
    places = (("xamar", "mogadishu"), ("baidoa", "baidoa"))
    root.write_coded("location", *(coda_message(text, label("district", code)) for text, code in places))
    root.generate()


@pytest.fixture(scope="module")
def comparison(report: Path) -> Path:
    """The page of what differs between the first participants and all of them."""
    folder = report.parents[1]
    project = load_project(folder / "configuration" / "pipeline_configuration.json")
    before, after = load_season(project, folder / "before"), load_season(project, folder / "data root")
    write_comparison(before, after, compare_seasons(before, after, {}), folder / "comparison")
    return folder / "comparison" / "comparison.html"


def charts_of(season: Season, folder: Path) -> list[Chart]:
    """The charts without their pictures, which the page does not need."""
    return [
        Chart(folder / f"{one.name}.png", one.chart.title, one.chart.subtitle, one.section, one.chart, one.question)
        for one in describe_charts(season)
    ]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by_hand")
    root = DataRoot(folder)
    for people in (FIRST, ALL):
        write_runs(root, people)
        season = load_season(load_project(root.configuration), root.path)
        made = folder / str(people)
        (made / "statistics").mkdir(parents=True)
        (made / "statistics" / "agreement.csv").write_text(
            HEADER
            + "all codes,,krippendorff_alpha,40,0.81,0.7,0.9,rqa_s01e01\nall codes,,gwet_ac1,40,0.88,0.8,0.93,rqa_s01e01\n"
            "code,water,krippendorff_alpha,40,0.71,0.5,0.9,rqa_s01e01\ncode,water,gwet_ac1,40,0.95,0.9,1.0,rqa_s01e01\n"
        )
        write_label_origins(count_label_origins(season, root.path), made)
        write_report(
            season,
            charts_of(season, folder),
            [],
            made / "report.html",
            folder / str(FIRST) / FIGURES if people == ALL else None,
        )
        if people == FIRST:
            shutil.copytree(root.path, folder / "before")
    return folder / str(ALL) / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, report: Path) -> Tab:
    browser.open(report.as_uri())
    browser.clicks = 0
    return browser


def text_of(tab: Tab, element: str) -> str:
    return re.sub(r"\s+", " ", tab.ask(f"{element}.innerText"))


def messages_of(tab: Tab) -> list[str]:
    return tab.ask(f"Array.from({EPISODE}.querySelectorAll('.messages .text'), (one) => one.textContent)")


def what_women_in_bay_say(tab: Tab) -> None:
    tab.choose(f"{EPISODE}.querySelector('.chooser select')", "gender")
    tab.click(f"{EPISODE}.querySelector('.by rect[aria-label=\"Messages of water, woman\"]')")
    assert tab.ask("document.activeElement.textContent").startswith("Messages: water")
    tab.choose(f"{EPISODE}.querySelector('select[id$=only-region]')", "bay")
    found = messages_of(tab)
    assert found
    assert all(int(text.split()[1]) % 2 and int(text.split()[1]) % 3 for text in found)


def who_is_new(tab: Tab) -> None:
    second = "document.getElementById('rqa_s01e02')"
    tab.choose(f"{second}.querySelector('.chooser select')", "new")
    rows = tab.ask(
        f"Array.from({second}.querySelectorAll('.by tbody tr'), (row) => row.innerText.split(/\\s*\\t\\s*/))"
    )
    assert [row[1:3] for row in rows] == [["new in this episode", "1*"], ["wrote to an earlier one", "5*"]]


def how_sure_of_the_labels(tab: Tab) -> None:
    assert re.search(r"How sure we are: labels 100\.0 % by coders, 0\.0 % not labelled; of \d+ texts",
                     text_of(tab, "document.querySelector('.facts')"))  # fmt: skip


def what_changed(tab: Tab) -> None:
    assert f"{ALL - FIRST} new messages, {ALL - FIRST} new participants" in text_of(
        tab, "document.getElementById('summary')"
    )


def which_theme_is_named_most(tab: Tab) -> None:
    drawn = tab.ask(f"Array.from({EPISODE}.querySelectorAll('.whole svg text'), (one) => one.textContent)")
    assert drawn[:2] == ["water", "40 (50.0 %, 39.3–60.7)"]


def which_theme_moved(tab: Tab) -> None:
    moved = tab.ask("Array.from(document.querySelectorAll('table'), (one) => one).find((one) => "
                    "one.caption.textContent.startsWith('Shares that moved')).innerText")  # fmt: skip
    assert "roads" in moved
    assert "10.0 % of 40" in moved
    assert "90.0 % of 40" in moved


def how_many_withdrew(tab: Tab) -> None:
    assert "Withdrew, in no number here 1 participant" in text_of(tab, "document.querySelector('.facts')")


def who_wrote_of_a_pump(tab: Tab) -> None:
    tab.click(f"{EPISODE}.querySelector('.whole rect[data-row=water]')")
    tab.click(f"{EPISODE}.querySelector('.messages input[type=search]')")
    tab.write("BAMKA")
    tab.wait(f"{EPISODE}.querySelectorAll('.messages .text').length === 1")
    assert messages_of(tab) == ["bamka wuu jabay"]


def how_far_coders_agree(tab: Tab) -> None:
    row = tab.ask(f"Array.from({EPISODE}.querySelectorAll('.whole tbody tr')).find((one) => "
                  "one.cells[0].textContent === 'water').innerText").split()  # fmt: skip
    assert row[-3:] == ["0.71", "0.95", "40"]


def which_region_is_silent(tab: Tab) -> None:
    question = "document.getElementById('question-region')"
    tab.click(f"{question}.querySelector('summary')")
    rows = tab.ask(f"Array.from({question}.querySelectorAll('tbody tr'), (row) => row.innerText.split(/\\s+/))")
    assert [row[0] for row in rows if row[1] == "0"] == ["lower_shabelle"]


ANSWERS = (
    what_women_in_bay_say, who_is_new, how_sure_of_the_labels, what_changed, which_theme_is_named_most, which_theme_moved,
    how_many_withdrew, who_wrote_of_a_pump, how_far_coders_agree, which_region_is_silent,
)  # fmt: skip


@pytest.mark.parametrize(("question", "answer"), list(zip(QUESTIONS, ANSWERS, strict=True)), ids=list(QUESTIONS))
def test_a_question_is_answered_from_the_page_alone(tab: Tab, question: str, answer):
    answer(tab)
    assert tab.clicks == QUESTIONS[question]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_keys_alone_go_from_a_chart_to_its_messages_and_back(tab: Tab, key: str):
    tab.ask(f"{EPISODE}.querySelector('.chooser select').focus()")
    for _ in range(3):
        tab.press("Tab")
        if tab.ask("document.activeElement.dataset.row || ''") == "roads":
            break
    assert tab.ask("document.activeElement.getAttribute('aria-label')") == "Messages of roads"
    assert tab.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press(key)
    assert tab.ask("document.activeElement.textContent").startswith("Messages: roads")
    assert all(text.startswith("waddo") for text in messages_of(tab))
    assert tab.ask("location.hash") == "#rqa_s01e01//roads"
    # Backwards from the heading would leave the box: its last button closes it.
    tab.ask(f"Array.from({EPISODE}.querySelectorAll('.messages button')).at(-1).focus()")
    tab.press(key)
    assert tab.ask("document.activeElement.dataset.row") == "roads"


def test_a_table_and_a_drawing_are_downloaded_by_click(tab: Tab, tmp_path: Path):
    tab.download_to(tmp_path)
    for tool in ("csv", "svg"):
        tab.click(f"{EPISODE}.querySelector('.whole [data-tool={tool}]')")
        tab.wait("document.getElementById('status').textContent.includes('Downloaded')")
    names = {"themes_rqa_s01e01.csv", "themes_rqa_s01e01.svg"}
    # The last file has its name only when it is whole.
    tab.wait_for_files(tmp_path, names)
    rows = list(csv.reader(io.StringIO((tmp_path / "themes_rqa_s01e01.csv").read_text())))
    assert rows[0][:3] == ["Theme", "Participants", "Base"]
    assert rows[1][:4] == ["water", "40", "80", "50"]
    root = ElementTree.parse(tmp_path / "themes_rqa_s01e01.svg").getroot()
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "roads" in texts
    # What the page alone needs is not in it.
    assert not [element for element in root.iter() if element.get("role") == "button" or element.get("data-row")]


def test_the_report_prints_on_few_pages(tab: Tab):
    pages = re.findall(rb"/Type\s*/Page[^s]", tab.print())
    assert 1 <= len(pages) <= 10


AXE = "axe-core@4.10.3"
AXE_DIGEST = "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe() -> str:
    """The checker of accessibility, fetched once into .tools/, which git ignores."""
    folder = Path(__file__).resolve().parents[2] / ".tools"
    package = folder / f"{AXE.replace('@', '-')}.tgz"
    if not package.exists():
        folder.mkdir(exist_ok=True)
        npm = shutil.which("npm")
        command = [npm or "npm", "pack", AXE, "--pack-destination", str(folder), "--silent"]
        if npm is None or subprocess.run(command, capture_output=True, check=False).returncode:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{AXE} could not be fetched; expected npm and its registry where CI is true")
            pytest.skip(f"{AXE} could not be fetched: it needs npm and its registry")
    content = package.read_bytes()
    assert hashlib.sha256(content).hexdigest() == AXE_DIGEST, f"{package} is not the {AXE} that was looked at"
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


WIDTHS_AND_COLOURS = [(width, is_dark) for width in (390, 1400) for is_dark in (False, True)]


def find_violations(tab: Tab, axe: str) -> list[list[str]]:
    tab.ask(f"{axe}; 0")
    asked = {"runOnly": RULES}
    found = tab.ask(f"axe.run(document, {json.dumps(asked)}).then((result) => ({{ passed: result.passes.length, "
                    "found: result.violations.map((one) => [one.id, ...one.nodes.map((node) => node.html)]) }))")  # fmt: skip
    assert found["passed"] > 15
    return found["found"]


@pytest.mark.parametrize(("width", "is_dark"), WIDTHS_AND_COLOURS)
def test_nothing_stands_in_the_way_of_people_with_disabilities(
    browser: Tab, report: Path, comparison: Path, axe: str, width: int, is_dark: bool
):
    browser.open(report.as_uri(), width, is_dark)
    assert find_violations(browser, axe) == []
    # The chooser, its chart with buttons, and the messages of a row.
    browser.open(f"{report.as_uri()}#rqa_s01e01/gender/water", width, is_dark)
    browser.ask("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.wait(f"{EPISODE}.querySelectorAll('.messages .text').length > 0")
    assert find_violations(browser, axe) == []
    assert browser.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    browser.open(comparison.as_uri(), width, is_dark)
    assert find_violations(browser, axe) == []
    assert browser.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    # On a phone nothing is pushed sideways inside the page either.
    pushed = "Array.from(document.querySelectorAll('.scroll'), (one) => one.scrollWidth > one.clientWidth)"
    assert not any(browser.ask(pushed))


def test_the_comparison_prints_black_on_white_and_with_tables(browser: Tab, comparison: Path):
    browser.open(comparison.as_uri(), 1400, is_dark=True)
    assert browser.ask("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert len(re.findall(rb"/Type\s*/Page[^s]", browser.print())) <= 4
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    # Paper is as narrow as a phone.
    browser.call("Emulation.setDeviceMetricsOverride", width=700, height=900, deviceScaleFactor=1, mobile=False)
    assert browser.ask("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
