"""Exports of a Telegram group, from the desktop client's files to Raw Data."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import telegram_exports
from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError, InputError, ServiceError
from engagement.services.storage.embedded import EmbeddedStorage
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.telegram_group import export_files
from engagement.sources.urns import identities_of, parse_urn
from fetch_project import FetchProject
from telegram_exports import GROUP, joined, message, write_export

FLOW = "listeners_telegram"
AUTHORS = [str(7_000_000_000 + n) for n in range(5)]
MESSAGES = [message(n, f"haa {n}") for n in range(1, 31)]
# Runs the stage, and dies as kill -9 does behind so many pages that were kept.
DYING = """
import os, signal, sys
from engagement.sources.telegram_group import fetch
from engagement.sources.submissions.store import SubmissionStore
fetch._MESSAGES_A_PAGE = 7
kept, most = [], int(sys.argv.pop(1))
def put(self, *arguments, put=SubmissionStore.put, **named):
    kept.append(1)
    if len(kept) > most:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(self, *arguments, **named)
SubmissionStore.put = put
from engagement.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def exports(tmp_path):
    return tmp_path / "exports"


@pytest.fixture
def project(tmp_path, exports, caplog):
    caplog.set_level(logging.INFO)
    (tmp_path / "my project").mkdir()
    project = FetchProject(tmp_path / "my project", "")
    project.sources = [
        {
            "SourceType": "TelegramGroup",
            "FlowName": FLOW,
            "GroupID": GROUP,
            "ExportURLs": [exports.as_uri()],
        }
    ]
    write_export(exports / "ChatExport_2026-03-02" / "result.json", joined(0), *MESSAGES)
    yield project
    for secret in ("Zzyzx", "Invented listeners", *AUTHORS):
        assert secret not in caplog.text


@pytest.fixture
def source(project):
    return project.sources[0]


def later(exports, *messages, **settings):
    return write_export(exports / "ChatExport_2026-04-02" / "result.json", *messages, **settings)


def texts(project):
    return [record.values[f"Message (Text) - {FLOW}"] for record in project.read(FLOW)]


def assert_no_identity(data_root):
    for path in data_root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in ("Zzyzx", "Invented listeners", *AUTHORS) if one.encode() in content], path


def test_messages_become_runs_in_order_of_time(project):
    project.fetch()
    assert texts(project) == [f"haa {n}" for n in range(1, 31)]
    values = project.read(FLOW)[2].values
    assert (values["urn_type"], values["operator_raw"]) == ("telegram", "telegram")
    assert values[f"run_id - {FLOW}"] == f"{GROUP}:3"
    assert values[f"Message (Time) - {FLOW}"] == "2026-03-02T07:03:00+00:00"
    assert len({record.values["avf_phone_id"] for record in project.read(FLOW)}) == 5
    assert_no_identity(project.data_root)


def test_somebody_who_also_writes_to_the_bot_is_one_participant(project, tmp_path):

    # As RapidPro's contact has it.
    urn = parse_urn(f"telegram:{AUTHORS[1]}#invented")
    table = EmbeddedUuidTable(project.folder / "embedded", "PROJECT", lambda: "avf-phone-uuid-of-the-bot")
    (uuid,) = table.uuids_for(identities_of(urn)).values()
    table.close()
    project.fetch()
    assert project.read(FLOW)[0].values["avf_phone_id"] == uuid


def test_exports_that_did_not_change_are_not_read_again(project, exports, caplog):
    project.fetch()
    before = project.file(FLOW).read_bytes(), project.file(FLOW).stat().st_mtime_ns
    caplog.clear()
    project.fetch(user="somebody-else@example.org")
    assert (project.file(FLOW).read_bytes(), project.file(FLOW).stat().st_mtime_ns) == before
    assert "1 export, taken in before" in caplog.text


def test_edits_deletions_and_new_messages_come_with_the_next_export(project, exports, caplog):
    project.fetch()
    before = project.lines(FLOW)
    later(
        exports,
        *(message(n, f"haa {n}") for n in range(15, 36) if n not in (17, 20)),
        message(20, "maya", edited=60),
    )
    project.fetch(user="somebody-else@example.org")
    after = project.lines(FLOW)
    expected = {n: f"haa {n}" for n in range(1, 36) if n != 17} | {20: "maya"}
    assert project.run_ids(FLOW) == [f"{GROUP}:{n}" for n in expected if n != 17]
    assert dict(zip(project.run_ids(FLOW), texts(project), strict=True)) == {
        f"{GROUP}:{n}": text for n, text in expected.items()
    }
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} == {f"{GROUP}:20"}
    assert "6 new or edited, 1 gone; left out: service messages: 1" in caplog.text


def test_messages_stay_when_the_export_of_their_stretch_is_removed(project, exports):
    project.fetch()
    shutil.rmtree(exports)
    later(exports, *(message(n, f"haa {n}") for n in range(25, 33)))
    project.fetch()
    assert texts(project) == [f"haa {n}" for n in range(1, 33)]


@pytest.mark.parametrize("scheme", [["hormud", "golis"], None])
def test_messages_whose_export_was_removed_outlive_another_operator_scheme(project, exports, caplog, scheme):
    project.fetch()
    before = project.read(FLOW)
    assert {record.values["operator_coded"]["CodeID"] for record in before} == {"operator-telegram"}
    shutil.rmtree(exports)
    later(exports, *(message(n, f"haa {n}") for n in range(25, 33)))
    if scheme is None:
        del project.coding_plans["OperatorScheme"]
    else:
        project.write_operators(*scheme)
    project.fetch(user="somebody-else@example.org")
    records = project.read(FLOW)
    assert texts(project) == [f"haa {n}" for n in range(1, 33)]
    codes = {record.values["operator_coded"]["CodeID"] for record in records if "operator_coded" in record.values}
    assert codes == ({"operator-NC"} if scheme else set())
    assert "Flow 'listeners_telegram': the operator scheme changed; 30 lines labelled again" in caplog.text
    at = project.file(FLOW).stat().st_mtime_ns
    project.fetch()
    assert project.file(FLOW).stat().st_mtime_ns == at


def test_an_export_that_lacks_much_is_refused_until_somebody_accepts_it(project, exports):
    project.fetch()
    before = project.file(FLOW).read_bytes()
    shutil.rmtree(exports)
    later(exports, MESSAGES[0], MESSAGES[-1])
    with pytest.raises(ServiceError, match="2 submissions, 30 before; expected at least 90 %"):
        project.fetch()
    assert project.file(FLOW).read_bytes() == before
    project.fetch("--accept-shrinkage")
    assert texts(project) == ["haa 1", "haa 30"]


@pytest.mark.parametrize("place", ["", "Raw Data", "State/fetch", "of mine/deep"])
def test_an_export_in_the_data_root_is_refused(project, source, place):
    path = write_export(project.data_root / place / "result.json", *MESSAGES)
    source["ExportURLs"] = [path.as_uri()]
    with pytest.raises(ConfigurationError, match="lies in the data root, although it holds people's names.*Move it"):
        project.fetch()
    source["ExportURLs"] = [path.parent.as_uri()]
    with pytest.raises(ConfigurationError, match="lies in the data root"):
        project.fetch()


def test_a_link_into_the_data_root_is_refused(project, source, exports):
    path = write_export(project.data_root / "result.json", *MESSAGES)
    (exports / "link.json").symlink_to(path)
    with pytest.raises(ConfigurationError, match=r"exports/link\.json: lies in the data root"):
        project.fetch()


class FarStorage(EmbeddedStorage):
    """Buckets that have no path on this machine, as those of Cloud Storage."""

    def local_path(self, url):
        return None

    def download(self, url, path):
        shutil.copy(super().local_path(url), path)


def test_an_export_in_a_bucket_is_removed_from_this_machine(project, exports, monkeypatch, tmp_path):
    bucket = project.folder / "embedded" / "storage" / "telegram"
    bucket.mkdir()
    shutil.move(next(exports.rglob("*.json")), bucket / "march.json")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(export_files.tempfile, "tempdir", str(tmp_path / "temporary"))
    storage = FarStorage(project.folder / "embedded")
    with export_files.open_exports(["gs://telegram/march.json"], storage, project.data_root) as (file,):
        assert file.path.is_relative_to(tmp_path / "temporary")
        assert file.path.parent.stat().st_mode & 0o077 == 0
        assert file.path.read_bytes() == (bucket / "march.json").read_bytes()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda path: path.unlink(), ConfigurationError, "no .json in the folder; expected an export"),
        (lambda path: path.write_text(path.read_text()[:900]), InputError, "breaks off, or is not JSON"),
        (lambda path: write_export(path, *MESSAGES, group=7), InputError, "an export of group 7; expected 1589865544"),
        (lambda path: write_export(path, *MESSAGES, kind="bot_chat"), InputError, "of the type 'bot_chat'"),
        (lambda path: write_export(path, *MESSAGES, kind="0712000001"), InputError, "of the type None"),
    ],
)
def test_what_is_no_export_of_the_group_is_told_and_nothing_changes(project, exports, change, error, told):
    project.fetch()
    before = project.file(FLOW).read_bytes()
    change(next(exports.rglob("*.json")))
    with pytest.raises(error, match=told):
        project.fetch()
    assert project.file(FLOW).read_bytes() == before


def test_messages_that_cannot_be_read_are_set_aside_and_what_is_held_stays(project, exports):
    many = [message(n, f"haa {n}") for n in range(1, 301)]
    write_export(exports / "ChatExport_2026-03-02" / "result.json", *many)
    project.fetch()
    broken = later(exports, *many[:9], message(10, 5), *many[10:], message(301, ["haa", 7]))
    project.fetch()
    assert len(texts(project)) == 300
    (listed,) = project.data_root.rglob("*.set_aside.jsonl")
    places = [json.loads(line)["place"] for line in listed.read_text().splitlines()]
    assert [place.rpartition(" ")[2] for place in places] == ["10", "301"]
    write_export(broken, *many, message(301, "haa 301"))
    project.fetch()
    assert len(texts(project)) == 301
    assert not list(project.data_root.rglob("*.set_aside.jsonl"))


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_killed_fetch_goes_on_and_ends_the_same(project, tmp_path, pages):
    arguments = ["fetch-raw-data", *project.arguments()]
    source_root = str(Path(telegram_exports.__file__).resolve().parents[1] / "src")
    environment = {**os.environ, "PYTHONPATH": source_root}
    killed = subprocess.run([sys.executable, "-c", DYING, str(pages), *arguments], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    project.fetch()
    assert texts(project) == [f"haa {n}" for n in range(1, 31)]
    assert_no_identity(project.data_root)


def test_an_export_that_changes_back_while_nothing_was_kept_keeps_its_bytes(project, exports):
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
    main(["plan-run", *map(str, arguments)])
    return capsys.readouterr().out


def test_a_plan_names_the_exports_and_writes_nothing(project, exports, capsys):
    project.arguments()
    told = plan(project, capsys)
    assert f"flow '{FLOW}': 0 messages held" in told
    assert f"export {exports.as_uri()}/ChatExport_2026-03-02/result.json: to be read if it changed" in told
    assert not project.data_root.exists()


def test_an_online_check_reads_the_exports(project, exports, capsys):
    later(exports, *MESSAGES, group=7)
    project.arguments()
    credentials = str(project.folder / "credentials.json")
    configuration = str(project.folder / "pipeline_configuration.json")
    assert main(["check", configuration, "--online", "--credentials", credentials]) == 10
    assert "at $.RawDataSources[0].ExportURLs: file://" in capsys.readouterr().out


def test_a_group_is_configured_once(project, source, capsys):
    project.sources.append({**source, "FlowName": "other", "GroupID": -int(f"100{GROUP}")})
    project.arguments()
    assert main(["check", str(project.folder / "pipeline_configuration.json")]) == 10
    assert f"the group's number '{GROUP}' is already at $.RawDataSources[0].GroupID" in capsys.readouterr().out
