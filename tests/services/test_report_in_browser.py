"""The report in a real browser: nothing leaves the page, no text of a participant runs, tables sort, a phone can show it."""

import html
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from browser import find_chromium
from engagement.analysis import report as report_room
from engagement.analysis.charts.charts import draw_charts
from engagement.analysis.maps.maps import draw_maps
from engagement.analysis.report.report import write_report
from picture_season import ATTACKER, TEXT_WITH_NUMBER, make_season, region_map

# The browser's own errands, which the page has no part in.
OWN_HOSTS = (".google.com", ".googleapis.com", ".gvt1.com", ".gstatic.com")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--virtual-time-budget=20000",
    # Loopback too goes through the proxy, which is the test's own server and notes whatever is asked for.
    "--proxy-bypass-list=<-loopback>",
)  # fmt: skip
# Looks at the report in a frame as wide as a phone or a desk, clicks, and writes down what it saw.
DRIVER = """<!doctype html><meta charset="utf-8"><iframe id="frame" src="/report.html" width="WIDTH" height="800"></iframe>
<pre id="seen"></pre><script>
function useEpisode(page, view) {
  const change = (select, value) => { select.value = value; select.dispatchEvent(new view.Event("change")); };
  const article = page.querySelector("article[data-episode]");
  const [by, theme] = article.querySelectorAll(".chooser select");
  const seen = { groupings: Array.from(by.options, (one) => one.value) };
  change(by, "gender");
  seen.isWholeShown = article.querySelector(".whole").checkVisibility();
  const table = article.querySelector(".by table");
  seen.rows = Array.from(table.tBodies[0].rows, (row) => Array.from(row.cells, (cell) => cell.textContent));
  const button = Array.from(table.querySelectorAll("button.open")).find((one) => one.getAttribute("aria-label").endsWith(", man"));
  button.focus();
  button.click();
  const box = article.querySelector(".messages");
  const texts = () => Array.from(box.querySelectorAll(".text"), (one) => one.textContent);
  seen.heading = page.activeElement.textContent;
  seen.texts = texts();
  seen.link = view.location.hash;
  const search = box.querySelector("input");
  search.value = "TXET";
  search.dispatchEvent(new view.Event("input"));
  seen.found = texts();
  seen.elements = Array.from(box.querySelectorAll("ol *"), (one) => one.localName);
  Array.from(box.querySelectorAll("button")).at(-1).click();
  seen.isBack = page.activeElement === button;
  // Everything that a pointer can use, a key can.
  const clickable = Array.from(page.querySelectorAll("main button, main select, main input, main summary, main a"));
  seen.unreachable = clickable.filter((one) => one.tabIndex < 0).map((one) => one.outerHTML);
  change(by, "");
  seen.isWholeBack = article.querySelector(".whole").checkVisibility();
  return seen;
}
const frame = document.getElementById("frame");
frame.onload = () => {
  const page = frame.contentDocument;
  const table = Array.from(page.querySelectorAll("table.sortable")).find((t) => t.caption.textContent.includes("each theme"));
  const column = 1, button = table.tHead.rows[0].cells[column].querySelector("button");
  const values = () => Array.from(table.tBodies[0].rows, (row) => row.cells[column].dataset.value);
  const seen = { title: page.title, before: values() };
  button.click();
  seen.descending = values();
  seen.state = table.tHead.rows[0].cells[column].getAttribute("aria-sort");
  button.click();
  seen.ascending = values();
  for (const details of page.querySelectorAll("details")) details.open = true;
  seen.chosen = useEpisode(page, frame.contentWindow);
  seen.pageWidth = page.documentElement.scrollWidth;
  seen.frameWidth = page.documentElement.clientWidth;
  seen.drawings = Array.from(page.querySelectorAll("svg[role=img]"), (one) => one.getBoundingClientRect().width > 100);
  seen.scripts = page.scripts.length;
  seen.fontSize = frame.contentWindow.getComputedStyle(page.querySelector("caption")).fontWeight;
  document.getElementById("seen").textContent = JSON.stringify(seen);
};
</script>
"""


@pytest.fixture(scope="module")
def browser() -> str:
    return find_chromium()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("browser")
    season = make_season(folder, [region_map(GenerateThemeDistributionMaps=True)])
    charts = draw_charts(season, folder / "graphs", 1)
    write_report(season, charts, draw_maps(season, folder / "maps"), folder / "report.html")
    return (folder / "report.html").read_bytes()


@contextmanager
def serving(pages: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server, and a proxy for everything else that finds nothing; with the addresses that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = pages.get(urlsplit(self.path).path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content or b"")

        do_POST = do_HEAD = do_GET  # noqa: N815

        def do_CONNECT(self) -> None:
            asked.append(f"https://{self.path}")
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def look(browser: str, report: bytes, folder: Path, width: int) -> tuple[dict[str, Any], list[str]]:
    """What the driver page saw, and the addresses that were asked for but for the browser's own errands."""
    return look_at(
        browser, {"/report.html": report, "/driver.html": DRIVER.replace("WIDTH", str(width)).encode()}, folder
    )


def look_at(browser: str, pages: dict[str, bytes], folder: Path) -> tuple[dict[str, Any], list[str]]:
    """What /driver.html wrote down, and the addresses that were asked for."""
    with serving(pages) as (address, asked):
        command = [browser, *FLAGS, f"--proxy-server={address}", f"--user-data-dir={folder}", "--window-size=1280,900",
                   "--dump-dom", f"{address}/driver.html"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        found = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, re.DOTALL)
        assert found, f"the page was not looked at: status {done.returncode}; {done.stderr[-800:]}"
        hosts = [str(urlsplit(one).hostname) for one in asked]
        others = [one for one, host in zip(asked, hosts, strict=True) if not f".{host}".endswith(OWN_HOSTS)]
        return json.loads(html.unescape(found[1])), [one.removeprefix(address) for one in others]


@pytest.mark.parametrize("width", [390, 1200])
def test_the_report_works_and_nothing_leaves_it(browser: str, report: bytes, tmp_path: Path, width: int):
    assert ATTACKER.encode() in report
    seen, asked = look(browser, report, tmp_path, width)
    assert set(asked) <= {"/driver.html", "/report.html", "/favicon.ico"}
    assert seen["title"] == "EXAMPLE: what participants said"
    assert seen["scripts"] == 2
    # Both the script and the style are let in by the policy.
    assert seen["fontSize"] == "600"
    assert len(seen["drawings"]) > 5
    assert all(seen["drawings"])
    numbers = [float(value) for value in seen["before"]]
    assert numbers != sorted(numbers)
    assert [float(value) for value in seen["ascending"]] == sorted(numbers)
    assert [float(value) for value in seen["descending"]] == sorted(numbers, reverse=True)
    assert seen["state"] == "descending"
    # Wide tables and charts are pushed within themselves: the page itself is never wider than the screen.
    assert seen["pageWidth"] <= seen["frameWidth"]
    assert_episode_works(seen["chosen"])


def assert_episode_works(seen: dict[str, Any]) -> None:
    """Breaking down by gender, opening the men's messages, searching them and going back do what they say."""
    assert {"gender", "new_and_returning"} <= set(seen["groupings"])
    assert not seen["isWholeShown"]
    assert seen["isWholeBack"]
    # Nine men and five women: no percentage of either.
    assert all(row[4:] == ["–", "–"] for row in seen["rows"])
    assert {row[1] for row in seen["rows"]} == {"man", "woman"}
    assert seen["heading"].startswith("Messages: ")
    assert seen["link"].startswith("#rqa-s01e01/gender/") or "/gender/" in seen["link"]
    assert seen["texts"]
    assert TEXT_WITH_NUMBER not in seen["texts"]
    assert all("txet" in text for text in seen["found"])
    # What participants wrote is text, whatever it looks like.
    assert set(seen["elements"]) <= {"li", "span"}
    assert seen["isBack"]
    assert seen["unreachable"] == []


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_the_scripts_are_javascript():
    scripts = sorted((Path(report_room.__file__).parent / "data").glob("*.js"))
    assert len(scripts) == 4
    for script in scripts:
        assert subprocess.run(["node", "--check", script], check=False).returncode == 0
