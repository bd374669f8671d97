"""Comments of a Facebook page, from the Graph API to Raw Data: nothing lost, nothing doubled, nobody recognised."""

import datetime

import pytest

from engagement.foundation.errors import ServiceError
from engagement.stages import fetch_raw_data
from facebook_project import AUTHORS, FLOW, POSTS, assert_no_identity, make_page, serve_project, texts
from fake_facebook import PAGE, comment


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


class InAHundredYears(datetime.datetime):
    """A clock that lost its time."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2126, 1, 1, tzinfo=tz)


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
