"""Pages of HTML: a text stays a text, and the layout of a template stays out of the page."""

import html
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from engagement.foundation.pages import render_page
from engagement.foundation.shown_text import clean

CELL = '<td title="{{ content }}">{{ content }}</td>'


class Found(HTMLParser):
    """The tags, attributes and texts that a browser would find."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    (folder / "cell.html.jinja").write_text(CELL)
    return folder


@given(content=st.text())
def test_any_text_comes_back_as_text(folder: Path, content: str):
    page = render_page(folder / "cell.html.jinja", content=content)
    assert page == f'<td title="{html.escape(clean(content))}">{html.escape(clean(content))}</td>'
    found = Found(page)
    assert found.tags == [("td", {"title": clean(content)})]
    assert found.text == clean(content)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("biyo\n\tiyo caano", "biyo\n\tiyo caano"),
        ("\u202egnorw", "\ufffdgnorw"),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
        ("x" * 1201, "x" * 1200 + "…"),
    ],
)
def test_what_cannot_be_seen_or_has_no_end_is_not_shown(text: str, shown: str):
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("template", "page"),
    [
        (
            "<ul>\n  {% for one in (1, 2) %}\n    <li>{{ one }}</li>\n  {% endfor %}\n</ul>\n",
            "<ul><li>1</li><li>2</li></ul>\n",
        ),
        ("{# why #}\n<p>one\n two</p>\n  {{ 3 }}\n  <p>", "<p>one\n two</p>3<p>"),
        ("<style>\np { color: red }\n@media print { p { margin: 0 } }\n</style>", None),
        ("{% macro one(text) %}\n  <b>{{ text }}</b>\n{% endmacro %}\n<p>{{ one('<') }}</p>", "<p><b>&lt;</b></p>"),
    ],
)
def test_line_breaks_between_tags_are_layout(tmp_path: Path, template: str, page: str | None):
    (tmp_path / "page.html.jinja").write_text(template)
    assert render_page(tmp_path / "page.html.jinja") == (page or template)


def test_only_what_a_template_calls_safe_is_not_escaped(tmp_path: Path):
    (tmp_path / "page.html.jinja").write_text("{{ content | safe }} {{ content }} {{ content ~ content }}")
    assert render_page(tmp_path / "page.html.jinja", content="<i>") == "<i> &lt;i&gt; &lt;i&gt;&lt;i&gt;"


def test_a_value_that_a_template_lacks_is_an_error(folder: Path):
    with pytest.raises(UndefinedError):
        render_page(folder / "cell.html.jinja")


@pytest.mark.parametrize("module", ["stages.generate_analysis_graphs", "stages.automated_analysis", "desk.scheme"])
def test_nothing_loads_jinja_before_there_is_a_page_to_make(module: str):
    script = f"import sys, engagement.{module}; sys.exit('jinja2' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0
