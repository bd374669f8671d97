"""The fetch from KoboToolbox: every submission once, edits and deletions followed, and nobody's number on the disk."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

import fake_kobo
from engagement.foundation.errors import ServiceError
from fake_kobo import ASSET, TOKEN, submission
from kobo_project import EPISODE, SURVEY, make_kobo, people, raw_data, serve_project, source_of, texts


@pytest.fixture
def kobo():
    return make_kobo()


@pytest.fixture
def project(kobo, tmp_path):
    with serve_project(kobo, tmp_path) as project:
        yield project


def test_the_first_fetch_brings_each_question_to_its_flow(project):
    project.fetch()
    assert texts(project) == {number: f"maji safi {number}" for number in range(1, 13)}
    assert texts(project, "Heard")[1] == "radio friends"
    assert texts(project, "Age", SURVEY) == {number: str(20 + number) for number in range(1, 13)}
    first = project.read(EPISODE)[0].values
    assert first["urn_type"] == "tel" and first["operator_raw"] == "25471"
    assert first[f"S05 (Time) - {EPISODE}"] == "2026-03-02T07:09:00+00:00"
    assert first[f"S05 (Run ID) - {EPISODE}"] == first[f"run_id - {EPISODE}"]
    assert not any("Age" in key for key in first) and people(project) == people(project, SURVEY)


def test_a_fetch_with_nothing_new_asks_for_the_listing_alone_and_changes_no_byte(project, kobo):
    project.fetch()
    before = raw_data(project)
    kobo.requests.clear()
    project.fetch()
    assert raw_data(project) == before
    assert len(kobo.requests) == 2 and all('"_validation_status"' in path for path in kobo.requests)


def test_an_edited_submission_replaces_itself_and_the_others_keep_their_bytes(project, kobo):
    project.fetch()
    before = project.lines(EPISODE)
    kobo.edit(kobo.rows[4], {"show/s05": "maji machafu"})
    kobo.requests.clear()
    project.fetch()
    after = project.lines(EPISODE)
    assert texts(project)[5] == "maji machafu" and len(after) == 12
    assert [key for key in before if before[key] != after[key]] == [next(k for k in before if str(k) == "481005")]
    assert kobo.asked('"$in"') == 1


def test_a_review_alone_changes_nothing(project, kobo):
    project.fetch()
    before = raw_data(project)
    kobo.rows[4]["_validation_status"] = {"uid": "validation_status_not_approved"}
    project.fetch()
    assert raw_data(project) == before


def test_submissions_that_a_reviewer_rejects_can_be_left_out_and_come_back(project, kobo):
    source_of(project)["ExcludeRejected"] = True
    kobo.rows[4]["_validation_status"] = {"uid": "validation_status_not_approved"}
    kobo.rows[5]["_validation_status"] = {"uid": "validation_status_on_hold"}
    project.fetch()
    assert sorted(texts(project)) == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]
    kobo.rows[4]["_validation_status"] = {"uid": "validation_status_approved"}
    kobo.rows[8]["_validation_status"] = {"uid": "validation_status_not_approved"}
    project.fetch()
    assert sorted(texts(project)) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]


def test_deletions_and_additions_between_pages_lose_and_double_nothing(project, kobo):
    kobo.most_rows = 5
    kobo.between += [lambda: kobo.rows.pop(0), lambda: kobo.rows.append(submission(13))]
    project.fetch()
    assert sorted(texts(project)) == list(range(2, 14))
    kobo.between += [lambda: kobo.rows.append(submission(14)), lambda: kobo.rows.pop(2)]
    project.fetch()
    project.fetch()
    assert sorted(texts(project)) == [2, 3, *range(5, 15)]
    assert sorted(texts(project, "Age", SURVEY)) == [2, 3, *range(5, 15)]


def test_a_submission_that_arrives_late_with_an_earlier_id_is_fetched(project, kobo):
    late = kobo.rows.pop(3)
    project.fetch()
    kobo.rows.insert(3, late)
    project.fetch()
    assert sorted(texts(project)) == list(range(1, 13))


def test_an_older_server_brings_the_same(project, kobo):
    project.fetch()
    before = raw_data(project)
    kobo.era = 2025
    kobo.forms[ASSET] = [submission(number, {"meta/rootUuid": None, "formhub/uuid": None}) for number in range(1, 13)]
    project.fetch()
    assert raw_data(project) == before
    for row in kobo.rows:
        kobo.edit(row, {})
    project.fetch()
    assert raw_data(project) == before


def bad_row(kobo, number):
    kobo.rows[number - 1]["_submission_time"] = "yesterday, 0712000099"


def test_a_submission_that_cannot_be_read_is_set_aside_and_counted(project, kobo, caplog):
    kobo.rows.extend(submission(number) for number in range(13, 151))
    bad_row(kobo, 5)
    project.fetch()
    assert sorted(texts(project)) == [*range(1, 5), *range(6, 151)]
    assert "481005" in "".join(path.read_text() for path in project.data_root.rglob("*.set_aside.jsonl"))
    assert "1 submission" in caplog.text and "0712000099" not in caplog.text
    kobo.edit(kobo.rows[4], {"_submission_time": fake_kobo.write_time(50)})
    project.fetch()
    assert sorted(texts(project)) == list(range(1, 151))
    assert not list(project.data_root.rglob("*.set_aside.jsonl"))


def test_too_many_that_cannot_be_read_are_refused(project, kobo):
    project.fetch()
    before = raw_data(project)
    for number in (2, 3, 4):
        kobo.edit(kobo.rows[number - 1], {"show/s05": "mpya"})
        bad_row(kobo, number)
    with pytest.raises(ServiceError, match="can't be read; expected at most 1 %"):
        project.fetch()
    assert raw_data(project) == before


@pytest.mark.parametrize("left", [0, 8])
def test_a_form_that_was_emptied_replaces_nothing_until_it_is_accepted(project, kobo, left):
    project.fetch()
    before = raw_data(project)
    rows = kobo.rows[:]
    del kobo.rows[left:]
    with pytest.raises(ServiceError, match=rf"{EPISODE}.*{left} submission"):
        project.fetch()
    assert raw_data(project) == before
    kobo.rows[:] = rows
    kobo.requests.clear()
    project.fetch()
    assert raw_data(project) == before and kobo.asked('"show/s05"') == 0
    del kobo.rows[left:]
    project.fetch("--accept-shrinkage")
    assert len(texts(project)) == left


def test_weather_between_pages_delays_and_changes_nothing(project, kobo):
    kobo.most_rows = 4
    kobo.trouble += [
        once(1, lambda request: request.reply(502, b"<html>Bad Gateway</html>", {"Retry-After": "0"}, "text/html")),
        once(3, lambda request: request.reply(429, b"{}", {"Retry-After": "0"})),
        once(6, lambda request: request.break_off()),
    ]
    project.fetch()
    assert sorted(texts(project)) == list(range(1, 13))
    assert not kobo.trouble


def once(skip, answer):
    """Trouble for one request, after letting `skip` pass."""
    left = skip

    def trouble(request):
        nonlocal left
        left -= 1
        return left < 0 and answer(request)

    return trouble


def test_a_fetch_that_is_killed_goes_on_and_ends_with_the_same_bytes(project, kobo, tmp_path):
    kobo.forms[ASSET] = [submission(number) for number in range(1, 91)]
    kobo.most_rows = 10
    command = [sys.executable, "-m", "engagement", "fetch-raw-data", *project.arguments()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        # The listing has ten pages, the last of them empty.
        kobo.trouble = [once(14, lambda request: process.kill() or True)]
        assert process.wait() == -signal.SIGKILL
    assert kobo.asked('"$in"') == 5
    project.fetch()
    killed = {name: strip_metadata(content) for name, content in raw_data(project).items() if name != "manifest.json"}
    assert kobo.asked('"$in"') <= 6
    shutil.rmtree(project.data_root)
    project.fetch()
    assert killed == {
        name: strip_metadata(content) for name, content in raw_data(project).items() if name != "manifest.json"
    }


def strip_metadata(content):
    """Raw data without the time of the fetch, and what is computed from it."""
    return [[update["Data"] for update in json.loads(line)] for line in content.splitlines()]


def test_no_identity_reaches_the_disk_or_the_log(project, kobo, caplog):
    caplog.set_level("DEBUG")
    kobo.rows.append(submission(13, {"about/phone": "none"}))
    project.fetch()
    kobo.edit(kobo.rows[2], {"show/s05": "mpya"})
    project.fetch()
    secrets = [f"7120{number:05}" for number in range(1, 14)]
    secrets += ["Zzyzx", "enumerator_zz", "799999999", "kobo.invalid", ".m4a", TOKEN, f"kobo:{ASSET}"]
    content = {path: path.read_bytes() for path in project.data_root.rglob("*") if path.is_file()}
    assert len(content) > 3
    assert not [(path.name, secret) for path, data in content.items() for secret in secrets if secret.encode() in data]
    assert not [secret for secret in secrets if secret in caplog.text]
    # Not even asked for.
    assert not [path for path in kobo.requests if "about/name" in path or '"voice"' in path]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda project, kobo: (project.keys / "kobo.txt").write_text("wrong\n"), "the token was refused (status 401"),
        (lambda project, kobo: kobo.forms.clear(), "not found (status 404"),
    ],
)
def test_what_the_server_refuses_is_told_in_one_line(project, kobo, change, found):
    change(project, kobo)
    with pytest.raises(ServiceError, match=re.escape(found)) as refused:
        project.fetch()
    assert "\n" not in str(refused.value)
    assert not (project.data_root / "Raw Data").exists()


def test_several_forms_share_the_questions_about_participants(project, kobo):
    other = "aInventedListenerGrp02"
    kobo.forms[other] = [submission(100 + number, {"about/phone": f"07120{number:05}"}) for number in range(1, 6)]
    source_of(project)["Forms"].append(
        {"FlowName": "leap_s06", "Asset": other, "EpisodeQuestions": [{"Field": "S06", "Keys": ["show/s05"]}]}
    )
    project.fetch()
    assert texts(project, "S06", "leap_s06") == {100 + n: f"maji safi {100 + n}" for n in range(1, 6)}
    assert len(project.read(SURVEY)) == 17
    assert people(project, "leap_s06")[101] == people(project)[1]
