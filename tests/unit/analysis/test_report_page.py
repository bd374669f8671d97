"""The report: nothing that a participant writes becomes part of the page, and every number has its reason."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from engagement.analysis.charts.charts import draw_charts
from engagement.analysis.maps.maps import draw_maps
from engagement.analysis.report.report import make_page, write_report
from engagement.analysis.report.tables import make_table
from engagement.analysis.tables.season import Season
from picture_season import ATTACKER, HOSTILE_TEXTS, TEXT_WITH_NUMBER, make_season, region_map

# They draw the pictures of a whole season first.
pytestmark = pytest.mark.slow

TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "h1", "h2", "h3", "h4", "p", "ol", "li",
    "a", "div", "article", "figure", "figcaption", "strong", "dl", "dt", "dd", "ul", "table", "caption", "thead", "tbody", "tr", "th", "td", "button", "bdi", "span", "meter",
    "details", "summary", "blockquote", "script", "svg", "defs", "path", "use", "rect", "line", "text",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would find: tags, attributes, and the text of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open][-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    return make_season(tmp_path_factory.mktemp("report"), [region_map()])


@pytest.fixture(scope="module")
def text(season: Season, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    charts = draw_charts(season, folder / "graphs", 1)
    write_report(season, charts, draw_maps(season, folder / "maps"), folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_only_the_projects_own_elements_are_in_the_page(page: Page):
    assert {tag for tag, _ in page.tags} <= TAGS
    assert len(page.attributes("style")) == 1
    assert [script.get("type") for script in page.attributes("script")] == ["application/json", None]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]


def test_nothing_is_loaded_from_outside(page: Page, text: str):
    assert not {name for _, attributes in page.tags for name in attributes} & {"src", "srcset", "xlink:href", "data"}
    assert all(str(link["href"]).startswith("#") for tag in ("a", "use") for link in page.attributes(tag))
    # What participants wrote is there to be read, and nowhere else.
    assert ATTACKER in text
    assert ATTACKER not in page.texts["script"][1] + page.texts["style"][0]


def test_the_policy_lets_run_what_is_in_the_page_and_nothing_else(page: Page):
    policy = next(meta["content"] for meta in page.attributes("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src ")
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.texts[tag][-1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_messages_are_shown_as_they_were_written(page: Page):
    quoted = page.texts["blockquote"]
    assert sum(quote in HOSTILE_TEXTS or "\ufffd" in quote for quote in quoted) == 3
    assert not any(TEXT_WITH_NUMBER in quote for quote in quoted)
    assert not any(character in quote for quote in quoted for character in "\u202e\x00")


def test_everything_that_was_dropped_has_a_count_and_a_reason(page: Page, season: Season):
    cells = page.texts["bdi"]
    assert all(reason in cells for reason in season.funnel.dropped)
    assert any("withdrew consent" in cell for cell in cells)


def test_small_counts_are_marked_and_nobody_is_not(text: str):
    table = make_table("caption", ["code", "count"], [("a", 3), ("b", 10), ("c", 0), ("d", "-")], 10, ["count"])
    assert [row[1].mark is not None for row in table.rows] == [True, False, False, False]
    assert [row[1].sort_key for row in table.rows] == ["3", "10", "0", ""]
    assert re.search(
        r'data-value="(\d+)">\1<span class="small" title="fewer than \d+ participants">\*</span></td>', text
    )


def test_a_long_table_is_cut_and_says_so():
    table = make_table("caption", ["code"], [["water"]] * 501, notes=["a note"])
    assert (len(table.rows), table.notes) == (500, ("… and 1 rows more.", "a note"))


def test_days_and_weeks_stay_in_one_piece_and_messages_do_not(text: str):
    cells = ["2026-08-03", "2026-W32", "2026-08-03T00:00:00+03:00", "2026-08-03 waan helay", "biyo"]
    table = make_table("caption", ["text"], [[cell] for cell in cells])
    assert [row[0].is_date for row in table.rows] == [True, True, True, False, False]
    assert 'class="date"><bdi>2026-' in text


def test_every_drawing_says_in_words_what_it_shows(page: Page):
    drawings = [drawing for drawing in page.attributes("svg") if drawing.get("role") == "img"]
    assert len(drawings) > 5
    assert all("n = " in str(drawing["aria-label"]) for drawing in drawings)


def test_the_page_is_the_same_from_run_to_run(season: Season):
    assert make_page(season, [], []) == make_page(season, [], [])
