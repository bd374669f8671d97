"""Rows that RapidPro should not send, and archives that are gone: everything else is fetched, and they are asked for again."""

import gzip
import json
import logging

import pytest

import fake_rapidpro
from engagement.foundation.errors import ServiceError
from fake_rapidpro import Workspace, at, contact, once, run

FOUL = "5b0e0f5a-2b5e-4d6e-8f3a-3f6a6d0c9a41"
LATER = 5000  # minutes: the watermark is days past the foul row then


@pytest.fixture
def workspace():
    """300 runs of one flow, so that three rows are 1 %; the first has a uuid, and is made foul by the tests."""
    contacts = [contact(number) for number in range(1, 10)]
    runs = [run(number, "s01e01", of=number % 9 + 1, answer=f"haa {number}") for number in range(300)]
    runs[0] |= {"uuid": FOUL}
    runs[299] |= {"modified_on": at(LATER)}
    return Workspace(["s01e01", "s01e02", "demog", "other"], contacts, runs, page_size=100)


@pytest.fixture
def counts(tmp_path, monkeypatch):
    """What the last fetch tells for the run's summary."""
    path = tmp_path / "counts.json"
    monkeypatch.setenv("ENGAGEMENT_COUNTS_FILE", str(path))
    return lambda: json.loads(path.read_text())


def warnings_of(caplog, word):
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and word in record.getMessage()
    ]


def listed(project):
    path = project.data_root / "State" / "fetch" / "project_contacts.set_aside.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def answer(**parts):
    return {"answer": {"value": "haa", "category": "Has Text", "time": at(0), "name": "Answer", **parts}}


KINDS = {
    "a number for a text": ({"values": answer(value=5)}, "values[...].value", "Expected `str | null`, got `int`"),
    "a time that is none": ({"created_on": "yesterday"}, "created_on", "Invalid RFC3339 encoded datetime"),
    "a time without an offset": ({"created_on": "2026-03-01T09:00:00"}, "created_on", "with a timezone"),
    "the year 1": ({"values": answer(time="0001-01-01T00:00:00+03:00")}, "values[...]", "A time in the year 1"),
    "the year 1 of the run": ({"created_on": "0001-01-01T00:00:00+03:00"}, "the row", "before 1970"),
    "an id past 64 bits": ({"id": 2**63}, "id", "Expected `int` <= "),
    "an id far past 64 bits": ({"id": 10**30}, "id", "Expected `int`"),
    "no contact": ({"contact": None}, "contact", "Expected `object`, got `null`"),
    "values of another kind": ({"values": 7}, "values", "got `int`"),
}


class TestRuns:
    @pytest.mark.parametrize(("change", "key", "reason"), KINDS.values(), ids=KINDS)
    def test_a_run_that_cant_be_used_is_set_aside_and_comes_when_it_can(
        self, project, workspace, caplog, counts, change, key, reason
    ):
        whole = dict(workspace.runs[0])
        workspace.runs[0] |= change
        project.fetch()
        assert len(project.run_ids("s01e01")) == 299
        (warning,) = warnings_of(caplog, "set aside")
        assert warning.startswith("Flow 's01e01': 1 run can't be read, and is set aside until it can")
        assert FOUL in warning
        assert f"{key}: " in warning
        assert reason in warning
        (row,) = listed(project)
        assert (row["flow"], row["uuid"], row["key"]) == ("s01e01", FOUL, key if key != "the row" else "")
        assert counts()["set_aside_rows"] == 1
        workspace.requests.clear()
        caplog.clear()
        project.fetch()
        assert len(warnings_of(caplog, "set aside")) == 1
        assert [request for request in workspace.requests if f"uuid={FOUL}" in request]
        workspace.runs[0] = whole  # its time is days before the newest that came
        project.fetch()
        assert 9000 in project.run_ids("s01e01")
        assert not listed(project)
        workspace.requests.clear()
        project.fetch()
        assert not [request for request in workspace.requests if f"uuid={FOUL}" in request]

    def test_a_run_that_is_gone_leaves_the_list(self, project, workspace):
        workspace.runs[0] |= {"id": "none"}
        project.fetch()
        del workspace.runs[0]
        project.fetch()
        assert not listed(project)

    def test_a_run_without_a_readable_uuid_is_asked_for_by_its_time(self, project, workspace, caplog):
        workspace.runs[0] |= {"uuid": "00-no-uuid", "id": "none"}
        project.fetch()
        (row,) = listed(project)
        assert (row["uuid"], row["modified_from"], row["modified_to"]) == (None, *[at(0).replace("Z", "+00:00")] * 2)
        assert "one without a readable uuid modified by 2026-03-01" in warnings_of(caplog, "set aside")[0]
        workspace.runs[0]["id"] = 9000
        project.fetch()
        assert 9000 in project.run_ids("s01e01")
        assert not listed(project)

    def test_bytes_that_are_no_text_and_brackets_without_end_stop_no_other_run(self, project, workspace):
        def spoil(request):
            body = json.dumps(request.page()).encode()
            deep = b'"start": ' + b"[" * 9999 + b"]" * 9999
            body = body.replace(b'"haa 3"', b'"\xff\xfe"').replace(b'"start": null', deep, 1)
            return request.reply(200, body)

        workspace.trouble.append(once("runs.json", spoil))
        project.fetch()
        assert len(project.run_ids("s01e01")) == 298
        assert {row["reason"] for row in listed(project)} == {"Text that is not UTF-8", "Nested too deeply"}
        assert {row["key"] for row in listed(project)} == {"values", "start"}

    def test_half_a_character_is_replaced_and_counted(self, project, workspace, counts):
        workspace.runs[0]["values"] = answer(value="haa \ud83d ok \\ud83d \U0001f600")
        project.fetch()
        assert project.read("s01e01")[0].values["Answer (Value) - s01e01"] == "haa \ufffd ok \\ud83d \U0001f600"
        assert counts()["replaced_characters"] == 1
        assert "set_aside_rows" not in counts()

    def test_a_page_with_rows_of_another_flow_is_no_reason_to_look_into_them(self, project, workspace):
        def mix(request):
            page = request.page()
            page["results"].append({**run(900, "other", of=1), "id": "none", "uuid": FOUL})
            page["results"].append(run(901, "other", of=1))
            return request.reply(200, json.dumps(page).encode())

        workspace.trouble.append(once("runs.json", mix))
        project.fetch()
        assert len(project.run_ids("s01e01")) == 300
        assert not listed(project)

    def test_nothing_that_a_row_says_is_in_the_list_or_the_log(self, project, workspace, caplog):
        secrets = ["Zzyzx", "252611234567", "sir culus"]
        workspace.runs[0] |= {
            "values": {"sir culus": {"value": ["252611234567"], "time": "sir culus"}},
            "contact": {"uuid": 5, "urn": "tel:+252611234567", "name": "Zzyzx"},
            "Zzyzx": [],
        }
        workspace.runs[1] |= {"uuid": "tel:+252611234567", "id": "252611234567"}
        with caplog.at_level(logging.DEBUG):
            project.fetch()
        assert len(listed(project)) == 2
        files = b"".join(path.read_bytes() for path in (project.data_root / "State").rglob("*") if path.is_file())
        assert not [secret for secret in secrets if secret.encode() in files or secret in caplog.text]


class TestTooMany:
    def spoil(self, workspace, count):
        for number in range(count):
            workspace.runs[number] |= {"id": "none", "uuid": f"00000000-0000-4000-8000-{number:012}"}

    def test_more_than_one_in_a_hundred_is_refused_and_nothing_is_written(self, project, workspace, counts):
        self.spoil(workspace, 10)
        with pytest.raises(ServiceError, match=r"10 of 309 rows of this fetch can't be read; expected at most 1 %"):
            project.fetch()
        assert not project.file("s01e01").exists()
        assert counts()["set_aside_rows"] == 10

    def test_it_is_refused_again_until_they_can_be_read(self, project, workspace):
        self.spoil(workspace, 10)
        for _ in range(2):
            with pytest.raises(ServiceError, match="10 of 3.. rows"):
                project.fetch()
        for number in range(10):
            workspace.runs[number]["id"] = 9000 + number
        project.fetch()
        assert len(project.run_ids("s01e01")) == 300

    def test_who_accepts_it_gets_the_rest(self, project, workspace):
        self.spoil(workspace, 10)
        project.fetch("--accept-shrinkage")
        assert len(project.run_ids("s01e01")) == 290

    def test_many_among_the_new_rows_of_a_night_are_refused(self, project, workspace):
        project.fetch()
        workspace.runs += [
            {**run(number, "s01e01", of=1, modified=LATER + number), "id": "none", "uuid": FOUL[:-3] + str(number)}
            for number in range(400, 403)
        ]
        with pytest.raises(ServiceError, match="3 of [0-9]+ rows of this fetch"):
            project.fetch()

    def test_a_single_row_of_a_quiet_night_is_no_sign_of_anything(self, project, workspace):
        workspace.runs = workspace.runs[:5]
        self.spoil(workspace, 1)
        project.fetch()
        assert len(project.run_ids("s01e01")) == 4


class TestContacts:
    def test_a_contact_that_cant_be_used_lets_its_runs_wait(self, project, workspace, caplog):
        whole = workspace.contacts[0] = {**workspace.contacts[0], "uuid": FOUL}
        for row in workspace.runs:
            if row["contact"]["uuid"] == "contact-1":
                row["contact"]["uuid"] = FOUL
        workspace.contacts[0] = {**whole, "urns": "tel:+252611234567"}
        project.fetch()
        (warning,) = warnings_of(caplog, "set aside")
        assert "1 contact can't be read, and is set aside until it can" in warning
        assert "urns: Expected `array`, got `str`" in warning
        assert "252611234567" not in caplog.text
        waiting = 300 - len(project.run_ids("s01e01"))
        assert waiting == 34
        workspace.contacts[0] = whole
        project.fetch()
        assert len(project.run_ids("s01e01")) == 300
        assert not listed(project)


class TestArchivedRuns:
    def archive(self, workspace, *rows):
        workspace.archives = {
            "2017-05-01": [*rows, *(run(number, "demog", of=1, age="3") for number in range(400, 600))]
        }

    def reads(self, workspace):
        return len([request for request in workspace.requests if request.startswith("/archives/")])

    def test_a_line_that_cant_be_used_is_set_aside_and_the_archive_is_read_again(self, project, workspace, caplog):
        self.archive(workspace, {**run(700, "demog", of=1), "uuid": FOUL, "created_on": "0001-01-01T00:00:00+03:00"})
        project.fetch()
        assert len(project.run_ids("demog")) == 200
        assert warnings_of(caplog, "set aside")[0].startswith("Flow 'demog': 1 run")
        assert [row["uuid"] for row in listed(project)] == [FOUL]
        assert listed(project)[0]["archive_md5"]
        project.fetch()
        assert self.reads(workspace) == 2
        self.archive(workspace, {**run(700, "demog", of=1), "uuid": FOUL})  # another file, so another hash
        project.fetch()
        assert 9700 in project.run_ids("demog")
        assert not listed(project)
        project.fetch()
        assert self.reads(workspace) == 3

    def test_a_line_of_another_flow_is_never_looked_into(self, project, workspace):
        foul = run(700, "other", of=1)
        self.archive(
            workspace, {**foul, "id": "none", "contact": {"uuid": 7}, "values": 9, "created_on": "0001-01-01T00:00:00Z"}
        )
        project.fetch()
        project.fetch()
        assert len(project.run_ids("demog")) == 200
        assert not listed(project)
        assert self.reads(workspace) == 1

    def test_results_as_a_list_are_read(self, project, workspace):
        results = [
            {"age": {"value": "32", "input": "32 jir", "category": "Has Number", "time": at(5), "name": "Age"}},
            {"gender": {"value": "nin", "category": "Man", "time": at(5), "name": "Gender"}},
        ]
        self.archive(
            workspace, {**run(700, "demog", of=1), "values": results}, {**run(701, "demog", of=1), "values": []}
        )
        project.fetch()
        record = next(record for record in project.read("demog") if record.values["run_id - demog"] == 9700)
        assert record.values["Age (Text) - demog"] == "32 jir"
        assert record.values["Gender (Text) - demog"] == "nin"
        assert 9701 in project.run_ids("demog")

    @pytest.mark.parametrize("line", [b"{", b"[]", b"\xff", b"null", b'{"flow": 5}', b'{"flow": {"uuid": "uuid of dem'])
    def test_a_line_of_no_flow_that_can_be_told_is_set_aside(self, project, workspace, caplog, monkeypatch, line):
        self.archive(workspace)
        pack = fake_rapidpro.pack
        monkeypatch.setattr(
            fake_rapidpro,
            "pack",
            lambda runs: pack(runs) + gzip.compress(line + b"\n", mtime=0),
        )
        project.fetch()
        assert len(project.run_ids("demog")) == 200
        assert [row["flow"] for row in listed(project)] == ["archives"]
        assert "1 run can't be read, and is set aside until it can" in warnings_of(caplog, "set aside")[0]


LOST = {
    "gone": lambda request: request.reply(404, b"<Error><Code>NoSuchKey</Code></Error>", kind="application/xml"),
    "not given out": lambda request: request.reply(403, b"<Error><Code>AccessDenied</Code></Error>"),
    "damaged": lambda request: request.reply(200, fake_rapidpro.pack([run(1, "demog", of=1)])),
    "refused for another reason": lambda request: request.reply(400, b""),
}


class TestMissingArchives:
    @pytest.mark.parametrize("lose", LOST.values(), ids=LOST)
    def test_it_holds_nothing_else_back_and_is_asked_for_every_night(self, project, workspace, caplog, counts, lose):
        workspace.archives = {
            "2026-01-01": [run(400, "demog", of=1, age="3")],
            "2026-02-01": [run(401, "demog", of=1, age="4")],
        }
        for _ in range(2):
            caplog.clear()
            workspace.trouble = [once("/archives/2026-01-01", lose) for _ in range(3)]
            project.fetch()
            assert len(project.run_ids("s01e01")) == 300
            assert project.run_ids("demog") == [9401]
            (warning,) = warnings_of(caplog, "asked for again in every fetch")
            assert "archive 2026-01-01 (monthly)" in warning
            assert counts()["missing_archives"] == 1
        workspace.trouble = []
        project.fetch()
        assert project.run_ids("demog") == [9400, 9401]

    def test_one_that_is_announced_without_an_address_is_missing(self, project, workspace, caplog):
        rows = workspace.archive_rows
        workspace.archives = {"2026-01-01": [run(400, "demog", of=1, age="3")]}
        workspace.archive_rows = lambda address: [{**row, "hash": None, "download_url": None} for row in rows(address)]
        project.fetch()
        assert (
            "archive 2026-01-01 (monthly): the listing lacks its hash or address"
            in warnings_of(caplog, "every fetch")[0]
        )

    def test_empty_ones_have_neither_hash_nor_address(self, project, workspace, caplog):
        rows = workspace.archive_rows
        workspace.archives = {"2026-01-01": []}
        workspace.archive_rows = lambda address: [
            {**row, "record_count": 0, "hash": None, "download_url": None} for row in rows(address)
        ]
        project.fetch()
        assert not warnings_of(caplog, "rchive")

    def test_archives_that_are_ignored_are_not_asked_for(self, project, workspace):
        workspace.archives = {"2026-01-01": [run(400, "demog", of=1, age="3")]}
        project.source["Archives"] = "ignore"
        project.fetch()
        assert project.run_ids("demog") == []
        assert not [request for request in workspace.requests if "archives" in request]
        project.source["Archives"] = "read"
        project.fetch()
        assert project.run_ids("demog") == [9400]
