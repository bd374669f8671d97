"""Comments of a Facebook page, from the Graph API to Raw Data: nothing lost, nothing doubled, nobody recognised."""

import datetime
import json
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fake_facebook
from engagement.__main__ import main
from engagement.foundation.errors import ServiceError
from engagement.stages import fetch_raw_data
from fake_facebook import PAGE, TOKEN, Page, comment, once, post
from fetch_project import FetchProject

FLOW = "s01e01_facebook"
POSTS = [f"{PAGE}_5001", f"{PAGE}_5002"]
AUTHORS = [f"2400000000{n:04}" for n in range(7)]
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
    comments = [comment(n, f"haa {n}", of=AUTHORS[n % 7], post=1 + n % 2) for n in range(30)]
    # The posts were published shortly before the comments; a test's clock is later by far, so they are kept open.
    return Page([post(1), post(2), post(3, "2026-04-01T06:00:00+0000")], comments, page_size=4)


@pytest.fixture
def project(page, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    with fake_facebook.serve(page) as address:
        project = FetchProject(tmp_path, "")
        (project.keys / "token.txt").write_text(f"{TOKEN}\n")
        project.sources = [
            {
                "SourceType": "FacebookComments",
                "TokenFileURL": "gs://keys/token.txt",
                "Posts": [{"FlowName": FLOW, "PostIDs": POSTS}],
                "OpenDays": 3000,
                "Server": address,
            }
        ]
        yield project
    assert not any(TOKEN in request for request in page.requests)
    for secret in (TOKEN, "Zzyzx", *AUTHORS):
        assert secret not in caplog.text


@pytest.fixture
def source(project):
    return project.sources[0]


class InAHundredYears(datetime.datetime):
    """A clock that lost its time."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2126, 1, 1, tzinfo=tz)


def texts(project, flow=FLOW):
    return [record.values[f"Comment (Text) - {flow}"] for record in project.read(flow)]


def assert_no_identity(data_root):
    for path in data_root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in (TOKEN, "Zzyzx", *AUTHORS) if one.encode() in content], path


def test_comments_become_runs_in_order_of_time(project, page):
    project.fetch()
    assert texts(project) == [f"haa {n}" for n in range(30)]
    values = project.read(FLOW)[3].values
    assert values["urn_type"] == "facebook"
    assert values["operator_raw"] == "facebook"
    assert values[f"run_id - {FLOW}"] == values[f"Comment (Run ID) - {FLOW}"] == "5002_3"
    assert values[f"Comment (Time) - {FLOW}"] == "2026-03-02T07:00:03+00:00"
    assert len({record.values["avf_phone_id"] for record in project.read(FLOW)}) == 7
    assert_no_identity(project.data_root)


def test_posts_can_be_flows_of_their_own(project, source):
    source["Posts"] = [{"FlowName": f"e{n}", "PostIDs": [post_id]} for n, post_id in enumerate(POSTS)]
    project.fetch()
    assert texts(project, "e0") == [f"haa {n}" for n in range(0, 30, 2)]
    assert texts(project, "e1") == [f"haa {n}" for n in range(1, 30, 2)]


def test_a_night_without_changes_changes_no_byte(project, page):
    project.fetch()
    before = project.file(FLOW).read_bytes(), project.file(FLOW).stat().st_mtime_ns
    page.requests.clear()
    project.fetch(user="somebody-else@example.org")
    assert (project.file(FLOW).read_bytes(), project.file(FLOW).stat().st_mtime_ns) == before
    # The page, two posts, and four pages of comments of each.
    assert len(page.requests) == 1 + 2 + 2 * 4


def test_edits_deletions_and_new_comments_are_followed(project, page):
    project.fetch()
    before = project.lines(FLOW)
    page.find("5001_4")["message"] = "maya"
    page.delete("5002_7")
    page.comments.append(comment(99, "jawaab", of=AUTHORS[0], parent={"id": "5001_4"}))
    project.fetch(user="somebody-else@example.org")
    after = project.lines(FLOW)
    assert texts(project) == [*("maya" if n == 4 else f"haa {n}" for n in range(30) if n != 7), "jawaab"]
    # Whatever stayed the same keeps its bytes.
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} == {"5001_4"}


def test_deleting_a_comment_deletes_its_replies(project, page):
    page.comments.append(comment(98, "jawaab", of=AUTHORS[0], parent={"id": "5001_4"}))
    project.fetch()
    page.delete("5001_4")
    project.fetch()
    assert not {"5001_4", "5001_98"} & set(project.run_ids(FLOW))


@pytest.mark.parametrize(
    ("change", "gone", "told"),
    [
        ({"is_hidden": True}, True, "1 hidden by the page"),
        ({"message": ""}, True, "1 without a text"),
        ({"from": {"id": PAGE, "name": "Page"}}, True, "1 the page's own"),
    ],
)
def test_what_does_not_count_is_left_out_and_counted(project, page, caplog, change, gone, told):
    project.fetch()
    page.find("5001_4").update(change)
    project.fetch()
    assert ("5001_4" not in project.run_ids(FLOW)) is gone
    assert told in caplog.text


def test_hidden_comments_are_taken_if_asked_for(project, page, source):
    page.find("5001_4")["is_hidden"] = True
    project.fetch()
    assert "5001_4" not in project.run_ids(FLOW)
    source["HiddenComments"] = True
    project.fetch()
    assert "5001_4" in project.run_ids(FLOW)


def test_a_comment_without_an_author_is_a_participant_of_its_own(project, page, caplog):
    for number in (2, 4):
        del page.find(f"5001_{number}")["from"]
    project.fetch()
    people = [record.values["avf_phone_id"] for record in project.read(FLOW)]
    assert (people.count(people[2]), people.count(people[4])) == (1, 1)
    assert "2 comments without an author" in caplog.text


def test_seen_and_counted_comments_are_told_and_never_refused(project, page, caplog):
    page.unseen = 500
    project.fetch()
    assert f"Post {POSTS[0]}: seen 15 of 515 comments" in caplog.text


def test_changes_between_pages_lose_and_double_nothing(project, page):
    project.fetch()
    page.after_page += [
        lambda: page.delete("5001_0"),
        lambda: page.find("5001_2").update(message="maya"),
        lambda: page.comments.append(comment(500, "cusub", of=AUTHORS[1])),
    ]
    project.fetch()
    # What changed behind the reader's back comes with the next fetch.
    project.fetch()
    rows = sorted(page.comments, key=lambda row: (row["created_time"], row["id"]))
    assert texts(project) == [row["message"] for row in rows]
    assert project.run_ids(FLOW) == [row["id"] for row in rows]


def test_a_comment_that_the_listing_skips_stays_as_long_as_it_is_there(project, page):
    project.fetch()
    page.withheld = {"5001_4", "5001_6"}
    page.find("5001_6")["message"] = "maya"
    project.fetch()
    assert len(project.run_ids(FLOW)) == 30
    assert "maya" in texts(project)


def test_a_comment_that_comes_twice_counts_once(project, page):
    page.comments.append(dict(page.find("5001_4")))
    project.fetch()
    assert project.run_ids(FLOW).count("5001_4") == 1


def test_a_closed_post_stays_as_it_is_and_is_not_asked_for(project, page, source):
    source["OpenDays"] = 30
    project.fetch()
    page.find("5001_4")["message"] = "maya"
    page.posts.pop(0)
    page.requests.clear()
    project.fetch()
    assert len(page.requests) == 1
    assert "haa 4" in texts(project)
    # Another post joins: the closed ones stay.
    source["Posts"][0]["PostIDs"] = [*POSTS, f"{PAGE}_5003"]
    page.comments.append(comment(1, "cusub", of=AUTHORS[1], post=3))
    project.fetch()
    assert len(texts(project)) == 31


def test_a_night_with_a_wrong_clock_closes_no_post_for_good(project, page, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(fetch_raw_data, "datetime", InAHundredYears)
        project.fetch()
    page.comments.append(comment(99, "cusub", of=AUTHORS[1], post=1))
    project.fetch()
    assert "cusub" in texts(project)


def test_a_post_that_is_not_there_is_told_with_the_newest_ones(project, page, source):
    project.fetch()
    before = project.file(FLOW).read_bytes()
    source["Posts"][0]["PostIDs"] = [*POSTS, f"{PAGE}_77", f"{PAGE}_78"]
    with pytest.raises(ServiceError) as refused:
        project.fetch()
    assert f"2 problem(s):\n  {PAGE}_77\n  {PAGE}_78" in str(refused.value)
    assert f"The newest posts of the page: {PAGE}_5003 of 2026-04-01, " in str(refused.value)
    assert project.file(FLOW).read_bytes() == before


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


def plan(project, capsys):
    arguments = ["--pipeline-configuration", project.folder / "pipeline_configuration.json"]
    for name in ("--credentials", "--coda-pull-credentials", "--coda-push-credentials"):
        arguments += [name, project.folder / "credentials.json"]
    arguments += ["--data-root", project.data_root]
    arguments += ["--backups-dir", project.folder / "backups", "--performance-logs-dir", project.folder / "logs"]
    assert main(["plan-run", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_a_plan_says_what_a_fetch_would_do_and_writes_nothing(project, page, capsys):
    project.arguments()
    told = plan(project, capsys)
    assert f"flow '{FLOW}': 0 comments held" in told
    assert f"post {POSTS[0]}: about 15 comments, all fetched" in told
    assert not project.data_root.exists()


def test_an_online_check_asks_for_each_post(project, page, source, capsys):
    source["Posts"][0]["PostIDs"] = [*POSTS, f"{PAGE}_77"]
    project.arguments()
    credentials = str(project.folder / "credentials.json")
    configuration = str(project.folder / "pipeline_configuration.json")
    assert main(["check", configuration, "--online", "--credentials", credentials]) == 10
    told = capsys.readouterr().out
    assert f"$.RawDataSources[0].Posts[0].PostIDs[2]: post '{PAGE}_77' does not exist" in told
    assert f"The newest posts of the page: {PAGE}_5003 of 2026-04-01" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Posts": [{"FlowName": FLOW, "PostIDs": ["5001"]}]}, "is no post's id"),
        ({"Posts": [{"FlowName": FLOW, "PostIDs": [POSTS[0], POSTS[0]]}]}, "the post's id .* is already at"),
        ({"Posts": [{"FlowName": FLOW, "PostIDs": [POSTS[0], "1_2"]}]}, "posts of 2 pages; expected those of one"),
        ({"Server": "http://graph.example.org/v26.0"}, "is no server's address"),
        ({"GraphVersion": "26"}, "is no version of the Graph API"),
        ({"Server": "http://graph.example.org"}, "WARNING.*http:// sends the token"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(project, source, capsys, change, told):
    source.update(change)
    project.arguments()
    main(["check", str(project.folder / "pipeline_configuration.json")])
    output = capsys.readouterr()
    assert re.search(told, output.out + output.err)
