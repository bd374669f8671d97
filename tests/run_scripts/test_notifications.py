"""A run's end is told elsewhere: pings, a webhook and a command, to a real server on this machine."""

import http.server
import json
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

PIPELINE = "run_pipeline.sh"
PROJECT_ROOT = Path(__file__).resolve().parents[2]
PHONE_NUMBER = "0615000001"


class Received(http.server.ThreadingHTTPServer):
    """A server that keeps what it is sent, and that can take its time."""

    def __init__(self):
        self.requests = []
        self.silent = threading.Event()
        self.status = 200
        received = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if received.silent.is_set():
                    time.sleep(30)
                received.requests.append((self.path, body))
                self.send_response(received.status)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        self.block_on_close = False
        self.address = f"http://127.0.0.1:{self.server_port}"

    def bodies_of(self, path):
        return [body for asked, body in self.requests if asked == path]


@pytest.fixture
def server():
    with Received() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def short_clone(clone):
    """A clone whose run has one stage, which can fail."""
    clone.add_fake_script("6_backup_data_root.sh")
    return clone


def fail_with(clone, text, status=11):
    clone.write_program(
        clone.root / "run_scripts" / "6_backup_data_root.sh",
        f"#!/usr/bin/env bash\ncat >&2 <<'END'\n{text}\nEND\nexit {status}\n",
    )


def run(clone, *options, **variables):
    return clone.run_on_host(PIPELINE, "--only", "6", *options, *clone.pipeline_arguments, **variables)


def configure(clone, **notify):
    clone.configuration.write_text(json.dumps({"PipelineName": "invented show", "Notify": notify}))


def test_a_good_run_pings_its_start_and_its_end_and_tells_the_webhook_and_the_command(short_clone, server):
    told = short_clone.work / "told.json"
    configure(short_clone, PingURL=f"{server.address}/ping/a?create=1", WebhookURL=f"{server.address}/hook")
    result = run(short_clone, PIPELINE_NOTIFY_COMMAND=f"cat >'{told}'")
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    run_id = short_clone.read_summary()["run_id"]
    assert server.requests[0] == ("/ping/a/start?create=1", f"Run {run_id} started.\n")
    text = f"invented show: run {run_id} succeeded"
    assert server.bodies_of("/ping/a?create=1") == [f"{text}\n"]
    (body,) = server.bodies_of("/hook")
    assert (
        json.loads(body)
        == json.loads(told.read_text())
        == {
            "text": text,
            "project": "invented show",
            "data_root": str(short_clone.data_root),
            "run_id": run_id,
            "status": 0,
            "failed_stage": "",
            "error": "",
            "log": str(short_clone.work / "performance logs" / f"{run_id}.log"),
        }
    )


def test_a_failure_tells_its_stage_and_errors_and_keeps_the_tables_status(short_clone, server):
    fail_with(short_clone, 'one\nERROR: a "first" \\ place; expected another.\nERROR: the last.\nERROR: the last.\n')
    result = run(short_clone, PIPELINE_PING_URL=f"{server.address}/p", PIPELINE_WEBHOOK_URL=f"{server.address}/hook")
    assert result.returncode == 11
    (body,) = server.bodies_of("/p/fail")
    text, *errors = body.rstrip("\n").split("\n")
    assert errors == ['ERROR: a "first" \\ place; expected another.', "ERROR: the last."]
    (body,) = server.bodies_of("/hook")
    told = json.loads(body)
    assert (told["status"], told["failed_stage"], told["error"]) == (11, "6 backup data root", errors[0])
    assert text.endswith("failed with status 11 in stage 6 backup data root")
    assert told["text"] == f"{text}. {errors[0]}"


def test_a_restore_drill_that_fails_is_told_of_though_every_stage_succeeded(short_clone, server):
    said = "ERROR: data-a.tar.gz: damaged: its files do not match its checksums."
    short_clone.write_program(
        short_clone.root / "run_scripts" / "6_backup_data_root.sh",
        f"#!/usr/bin/env bash\nif [[ $1 == --drill ]]; then echo '{said}' >&2; exit 11; fi\n",
    )
    document = {"Backup": {"DrillEveryNights": 1}, "Notify": {"WebhookURL": f"{server.address}/hook"}}
    short_clone.configuration.write_text(json.dumps(document))
    assert run(short_clone, PIPELINE_PING_URL=f"{server.address}/p").returncode == 11
    told = json.loads(server.bodies_of("/hook")[0])
    assert (told["status"], told["failed_stage"], told["error"]) == (11, "6 restore drill", said)
    assert server.bodies_of("/p/fail")[0].endswith(f"{said}\n")


@pytest.mark.parametrize("content", ["{", '{"a" 1, "Notify": {"PingURL": "ADDRESS"}', "\x00\xff", ""])
def test_a_broken_configuration_is_told_of_by_the_machines_variables_and_often_by_its_own(short_clone, server, content):
    short_clone.configuration.write_text(content.replace("ADDRESS", f"{server.address}/own"))
    fail_with(short_clone, "ERROR: the configuration is broken.", 10)
    assert run(short_clone, PIPELINE_WEBHOOK_URL=f"{server.address}/hook").returncode == 10
    assert json.loads(server.bodies_of("/hook")[0])["status"] == 10
    assert len(server.bodies_of("/own/fail")) == content.count("ADDRESS")


def test_what_keeps_a_run_from_starting_is_told_of(short_clone, server):
    short_clone.credentials.unlink()
    assert run(short_clone, PIPELINE_WEBHOOK_URL=f"{server.address}/hook").returncode == 2
    told = json.loads(server.bodies_of("/hook")[0])
    assert (told["status"], told["run_id"], told["log"]) == (2, "", "")
    assert told["error"].startswith("ERROR: no such file: ")
    # Nothing is told of a look.
    assert run(short_clone, "--help", PIPELINE_WEBHOOK_URL=f"{server.address}/hook").returncode == 0
    assert len(server.requests) == 1


def test_a_dead_engine_is_told_of(short_clone, server):
    result = short_clone.run(
        PIPELINE,
        *short_clone.pipeline_arguments,
        FAKE_DOCKER_INFO_EXIT="1",
        PIPELINE_WEBHOOK_URL=f"{server.address}/hook",
    )
    assert result.returncode == 14
    told = json.loads(server.bodies_of("/hook")[0])
    assert told["status"] == 14
    assert told["error"].startswith("ERROR: no Docker engine answers")


def test_a_signal_is_told_of(short_clone, server, wait_for):
    variables = {
        "PIPELINE_RUNTIME": "host",
        "FAKE_SLEEP": "fetch-raw-data",
        "PIPELINE_WEBHOOK_URL": f"{server.address}/h",
    }
    process = short_clone.start(PIPELINE, *short_clone.pipeline_arguments, **variables)
    wait_for(lambda: len(short_clone.stage_calls) == 2)
    process.terminate()
    process.communicate(timeout=20)
    told = json.loads(server.bodies_of("/h")[0])
    assert (told["status"], told["failed_stage"][:1]) == (143, "2")
    assert told["error"] == "ERROR: the run was ended by the signal TERM"


def test_the_next_run_tells_of_one_that_was_killed(short_clone, server, wait_for):
    killed = """{
  "ended": null,
  "exit_status": 0,
  "run_id": "2026-11-22T020511Z-unknown",
  "stages": [
  ],
  "started": "2026-11-22T02:05:11Z"
}
"""
    (short_clone.data_root / "Runs").mkdir(parents=True)
    (short_clone.data_root / "Runs" / "2026-11-22T020511Z-unknown.json").write_text(killed)
    assert run(short_clone, PIPELINE_WEBHOOK_URL=f"{server.address}/hook").returncode == 0
    first, second = map(json.loads, server.bodies_of("/hook"))
    assert (first["run_id"], first["status"]) == ("2026-11-22T020511Z-unknown", 137)
    assert "killed before its end" in first["error"]
    assert second["status"] == 0


@pytest.mark.parametrize("mask", ["digits", "phone number"])
def test_no_phone_number_traceback_or_address_is_told(short_clone, server, mask):
    if mask == "phone number":
        use_real_python(short_clone)
    lines = f"ERROR: it is {PHONE_NUMBER} there.\nTraceback (most recent call last):\nValueError: their text"
    fail_with(short_clone, lines, 1)
    result = run(short_clone, PIPELINE_WEBHOOK_URL=f"{server.address}/secret", PIPELINE_PING_URL=f"{server.address}/p")
    told = str(server.requests)
    assert f"ERROR: it is [{mask}] there." in told
    assert "the pipeline has a bug" in told
    assert not [word for word in (PHONE_NUMBER, "their text") if word in told]
    assert "secret" not in result.stderr


@pytest.mark.parametrize("has_curl", [True, False])
def test_a_service_that_fails_or_never_answers_does_not_fail_the_run(short_clone, server, has_curl):
    if not has_curl:
        hide_programs(short_clone, "curl", "python3")
        (short_clone.programs / "python3").symlink_to(sys.executable)
    server.status = 500
    assert run(short_clone, PIPELINE_PING_URL=f"{server.address}/p").returncode == 0
    assert [path for path, _ in server.requests] == ["/p/start", "/p"]
    server.silent.set()
    started = time.monotonic()
    result = run(
        short_clone,
        PIPELINE_PING_URL=f"{server.address}/p",
        PIPELINE_WEBHOOK_URL=f"{server.address}/hook",
        PIPELINE_NOTIFY_COMMAND="sleep 30",
    )
    assert result.returncode == 0
    assert time.monotonic() - started < 20
    for what in ("the ping could not be sent", "the webhook could not be sent", "the command for notifications failed"):
        assert what in result.stderr
    assert server.address not in result.stderr


def test_a_machine_without_curl_and_python_says_so(short_clone):
    hide_programs(short_clone, "curl", "python3")
    (short_clone.root / ".venv" / "bin" / "python").write_text("#!/usr/bin/env bash\nexit 1\n")
    result = run(short_clone, PIPELINE_PING_URL="http://127.0.0.1:1/p")
    assert (
        "WARNING: the ping could not be sent: this machine has neither curl nor Python 3; install one" in result.stderr
    )


def test_a_command_of_the_configuration_needs_permission(short_clone):
    told = short_clone.work / "told"
    configure(short_clone, Command=f"cat >'{told}'")
    assert "Notify.Command of the configuration is not run" in run(short_clone).stderr
    assert not told.exists()
    run(short_clone, "--allow-project-code")
    assert json.loads(told.read_text())["project"] == "invented show"


def test_quiet_prints_only_problems_and_the_closing_table(short_clone):
    fail_with(short_clone, "a step\nWARNING: a thing\nERROR: c.json: 2 problem(s):\n  at $.A: 1\nanother step", 10)
    result = run(short_clone, "--quiet")
    run_id = short_clone.read_summary()["run_id"]
    problems, table = result.stderr.split("  6 backup")
    assert problems == "WARNING: a thing\nERROR: c.json: 2 problem(s):\n  at $.A: 1\n"
    assert table.endswith(f"\nRun {run_id} ended with status 10.\n")
    log = (short_clone.work / "performance logs" / f"{run_id}.log").read_text()
    assert "another step" in log


def test_the_status_page_is_renewed_at_the_end_and_shows_the_run_that_ends(short_clone):
    use_real_python(short_clone)
    page = short_clone.work / "status page.html"
    other = short_clone.work / "other" / "data root"
    (other / "Runs").mkdir(parents=True)
    for data_roots in ([], [str(short_clone.data_root), str(short_clone.work / "other")]):
        settings = {"PipelineName": "a show", "StatusPage": {"File": str(page), "DataRoots": data_roots}}
        short_clone.configuration.write_text(json.dumps(settings, indent=2))
        fail_with(short_clone, "ERROR: no.", 12)
        result = run(short_clone)
        assert result.returncode == 12
        assert "WARNING" not in result.stderr
        shown = page.read_text()
        assert short_clone.read_newest()["run_id"] in shown
        assert "failed 12: 6 backup data root" in shown
        assert (str(other) in shown) == bool(data_roots)
    page.unlink()
    page.mkdir()
    assert "the status page could not be renewed: " in run(short_clone).stderr


def use_real_python(clone):
    """Let the clone run the project's own code: its Python else only writes down how it was called."""
    shutil.rmtree(clone.root / "src")
    (clone.root / "src").symlink_to(PROJECT_ROOT / "src")
    python = clone.root / ".venv" / "bin" / "python"
    python.write_text(f'#!/usr/bin/env bash\nexec "{sys.executable}" "$@"\n')


def hide_programs(clone, *names):
    """Let the scripts find every program of this machine but these."""
    for folder in ("/usr/local/bin", "/usr/bin", "/bin"):
        for program in Path(folder).iterdir():
            link = clone.programs / program.name
            if program.name not in names and not link.exists():
                link.symlink_to(program)
    environment = clone.environment
    clone.environment = lambda **variables: {**environment(**variables), "PATH": str(clone.programs)}
