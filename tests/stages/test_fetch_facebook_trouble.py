"""A fetch of comments through foul weather, refusals, bad rows and kill -9."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fake_facebook
from engagement.foundation.errors import ServiceError
from facebook_project import AUTHORS, FLOW, POSTS, assert_no_identity, make_page, serve_project, texts
from fake_facebook import TOKEN, comment, once
from fetch_project import FetchProject

# Runs the stage, and dies as kill -9 does behind so many requests.
DYING = """
import os, signal, sys
from engagement.services import http
asked, most = [], int(sys.argv.pop(1))
def ask(self, *arguments, ask=http.HttpSession.get, **named):
    asked.append(1)
    if len(asked) > most:
        os.kill(os.getpid(), signal.SIGKILL)
    return ask(self, *arguments, **named)
http.HttpSession.get = ask
from engagement.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def page():
    return make_page()


@pytest.fixture
def project(page, tmp_path, caplog):
    with serve_project(page, tmp_path, caplog) as project:
        yield project


@pytest.fixture
def source(project):
    return project.sources[0]


def test_a_post_that_was_emptied_is_refused_until_somebody_accepts_it(project, page):
    project.fetch()
    before = project.file(FLOW).read_bytes()
    for number in range(0, 30, 2):
        page.delete(f"5001_{number}")
    with pytest.raises(ServiceError, match="15 submissions, 30 before; expected at least 90 %.*--accept-shrinkage"):
        project.fetch()
    assert project.file(FLOW).read_bytes() == before
    project.fetch("--accept-shrinkage")
    assert len(texts(project)) == 15


@pytest.mark.parametrize(
    "trouble",
    [
        lambda request: request.break_off(),
        lambda request: request.refuse(1, status=500),
        lambda request: request.refuse(9, is_transient=True),
    ],
)
def test_trouble_that_passes_is_not_noticed(project, page, monkeypatch, trouble):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    page.trouble.append(once("comments", trouble, skip=2))
    project.fetch()
    assert texts(project) == [f"haa {n}" for n in range(30)]


def test_an_expired_token_is_told_and_nothing_changes(project, page):
    project.fetch()
    before = project.file(FLOW).read_bytes()
    page.trouble.append(once("comments", lambda request: request.refuse(190, 463, 401, message=TOKEN), skip=3))
    with pytest.raises(ServiceError, match="it has expired; expected a page token") as refused:
        project.fetch()
    assert TOKEN not in str(refused.value)
    assert project.file(FLOW).read_bytes() == before


def test_a_row_that_cannot_be_read_is_set_aside_and_what_is_held_stays(project, page, source):
    page.comments += [comment(n, f"haa {n}", of=AUTHORS[n % 7]) for n in range(100, 350)]
    page.page_size = 100
    project.fetch()
    page.find("5001_4")["created_time"] = "Zzyzx"
    page.comments.append({**page.find("5001_100"), "id": "5001_900", "message": 7})
    project.fetch()
    assert "5001_4" in project.run_ids(FLOW)
    assert "5001_900" not in project.run_ids(FLOW)
    (listed,) = project.data_root.rglob("*.set_aside.jsonl")
    places = [json.loads(line)["place"] for line in listed.read_text().splitlines()]
    assert places == [f"post {POSTS[0]}, comment 5001_{number}" for number in (4, 900)]
    # A reason that showed what came could show a number.
    assert "Zzyzx" not in listed.read_text()
    page.delete("5001_900")
    page.find("5001_4")["created_time"] = "2026-03-02T07:00:04+0000"
    project.fetch()
    assert not list(project.data_root.rglob("*.set_aside.jsonl"))


@pytest.mark.parametrize("requests", [4, 6, 9])
def test_a_killed_fetch_goes_on_and_ends_the_same(project, page, tmp_path, requests):
    page.find("5001_4").pop("from")
    arguments = ["fetch-raw-data", *project.arguments()]
    source_root = str(Path(fake_facebook.__file__).resolve().parents[1] / "src")
    environment = {**os.environ, "PYTHONPATH": source_root}
    killed = subprocess.run([sys.executable, "-c", DYING, str(requests), *arguments], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not project.file(FLOW).exists()
    project.fetch()
    assert texts(project) == [f"haa {n}" for n in range(30)]
    undisturbed = FetchProject(tmp_path / "other", "")
    undisturbed.sources = project.sources
    (undisturbed.keys / "token.txt").write_text(TOKEN)
    undisturbed.fetch()
    assert project.run_ids(FLOW) == undisturbed.run_ids(FLOW)
    assert_no_identity(project.data_root)


def test_a_damaged_state_is_fetched_again_with_the_same_bytes(project):
    project.fetch()
    before = project.file(FLOW).read_bytes()
    (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
    state.write_bytes(b"damaged" * 1000)
    project.fetch(user="somebody-else@example.org")
    assert project.file(FLOW).read_bytes() == before
