"""How a stage's container is started: what it sees, which network it has, and what is said when Docker is not there."""

import os
import pty
import subprocess

import pytest

FETCH = "2_fetch_raw_data.sh"


def mounts_of(call):
    return {call[place + 1] for place, argument in enumerate(call) if argument == "--mount"}


def value_of(call, option):
    return call[call.index(option) + 1]


def bind(path, access=""):
    return f"type=bind,source={path},target={path}{access}"


def test_the_container_is_removed_and_runs_as_the_caller(clone):
    assert clone.run(FETCH, *clone.arguments_of(FETCH)).returncode == 0
    for call in clone.container_calls:
        assert call[:3] == ["run", "--rm", "--init"]
        assert value_of(call, "--user") == f"{os.getuid()}:{os.getgid()}"
        assert "-v" not in call
        assert "--volume" not in call


def test_the_container_has_no_rights_but_on_its_mounts(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH))
    for call in clone.container_calls:
        assert "--read-only" in call
        assert value_of(call, "--cap-drop") == "ALL"
        assert value_of(call, "--security-opt") == "no-new-privileges"
        assert value_of(call, "--tmpfs") == "/tmp:size=256m"
        # An image that is missing is never taken from elsewhere, and nothing that the stage says is kept by Docker.
        assert value_of(call, "--pull") == "never"
        assert value_of(call, "--log-driver") == "none"


def test_scratch_space_never_hides_a_mount(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_PLAN="mount rw /tmp")
    *_, call = clone.container_calls
    assert bind("/tmp") in mounts_of(call)
    assert value_of(call, "--tmpfs") == "/var/tmp:size=256m"
    assert {"HOME=/var/tmp", "TMPDIR=/var/tmp"} <= set(call)


def test_memory_is_limited_where_that_is_asked_for(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH))
    assert not any("--memory" in call for call in clone.container_calls)
    clone.run(FETCH, *clone.arguments_of(FETCH), PIPELINE_MEMORY="1500m")
    call = clone.container_calls[-1]
    assert (value_of(call, "--memory"), value_of(call, "--memory-swap")) == ("1500m", "1500m")
    for amount in ("much", "0", "1.5g", "2 g"):
        result = clone.run(FETCH, *clone.arguments_of(FETCH), PIPELINE_MEMORY=amount)
        assert result.returncode == 2
        assert f"PIPELINE_MEMORY is '{amount}'" in result.stderr


def test_a_terminal_is_passed_on_only_when_both_outputs_are_one(clone):
    assert clone.run(FETCH, *clone.arguments_of(FETCH)).returncode == 0
    assert "--tty" not in clone.container_calls[-1]
    terminal, end = pty.openpty()
    with os.fdopen(terminal), os.fdopen(end):
        for output in (None, end):
            script = [clone.root / "run_scripts" / FETCH, *clone.arguments_of(FETCH)]
            subprocess.run(script, env=clone.environment(), stdout=output or subprocess.DEVNULL, stderr=end, check=True)
            plan, stage = clone.container_calls[-2:]
            assert ("--tty" in stage) == (output == end)
            assert "--tty" not in plan


def test_inputs_are_mounted_read_only_at_their_own_paths(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH))
    *_, call = clone.container_calls
    assert mounts_of(call) == {
        bind(clone.credentials, ",readonly"),
        bind(clone.configuration.parent, ",readonly"),
        bind(clone.data_root),
    }
    stage = call.index("fetch-raw-data")
    assert call[stage - 1].startswith("engagement-pipeline:maps-")
    assert call[stage:] == [
        *["fetch-raw-data", "--user", "me", "--credentials", str(clone.credentials)],
        *["--pipeline-configuration", str(clone.configuration), "--data-root", str(clone.data_root)],
    ]


def test_the_clusters_certificates_are_mounted_read_only(clone):
    options = []
    for name in ("ca", "cert", "key"):
        (clone.work / f"{name}.pem").write_text("invented")
        options += [f"--tls-{name}", f"{name}.pem"]
    stage = "3_generate_outputs.sh"
    result = clone.run(stage, "--scheduler", "tls://10.0.0.5:8786", *options, *clone.arguments_of(stage))
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    for name in ("ca", "cert", "key"):
        path = clone.work / f"{name}.pem"
        assert bind(path, ",readonly") in mounts_of(call)
        assert value_of(call, f"--tls-{name}") == str(path)


def test_the_plan_is_made_without_network_and_without_the_data(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH))
    plan, _ = clone.container_calls
    assert plan[plan.index("--network") + 1] == "none"
    assert mounts_of(plan) == {bind(clone.credentials, ",readonly"), bind(clone.configuration.parent, ",readonly")}


def test_the_plan_says_what_else_is_mounted_and_which_network(clone):
    embedded = clone.work / 'embedded, and "quoted"'
    token = clone.work / "token.txt"
    token.write_text("invented")
    plan = [
        f"mount ro {token}",
        f"mount ro {clone.work}/not there",
        f"mount rw {embedded}",
        "network host",
        "environment STORAGE_EMULATOR_HOST",
    ]
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_PLAN="\n".join(plan))
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    assert call[call.index("--network") + 1] == "host"
    variables = [call[place + 1] for place, argument in enumerate(call) if argument == "--env"]
    expected = ["HOME=/tmp", "TMPDIR=/tmp", "STORAGE_EMULATOR_HOST", "ENGAGEMENT_LOCK_FILE", "ENGAGEMENT_LOCK_HOLDER"]
    assert variables == expected
    assert bind(token, ",readonly") in mounts_of(call)
    # A --mount option is a line of CSV.
    quoted = str(embedded).replace('"', '""')
    assert f'type=bind,"source={quoted}","target={quoted}"' in mounts_of(call)
    assert embedded.is_dir()
    assert not any("not there" in mount for mount in mounts_of(call))


def test_a_path_that_is_both_read_and_written_is_mounted_once(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_PLAN=f"mount rw {clone.configuration.parent}")
    *_, call = clone.container_calls
    assert bind(clone.configuration.parent) in mounts_of(call)
    assert call.count("--mount") == 3


def test_a_plan_that_lacks_a_file_is_made_again_with_it(clone):
    named = clone.work / "firebase.json"
    named.write_text("{}")
    clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_PLAN=f"look {named}\nnetwork bridge")
    first, second, stage = clone.container_calls
    assert bind(named, ",readonly") not in mounts_of(first)
    assert bind(named, ",readonly") in mounts_of(second)
    assert bind(named, ",readonly") not in mounts_of(stage)
    assert stage[stage.index("--network") + 1] == "bridge"


@pytest.mark.parametrize("script", [FETCH, "3_generate_outputs.sh"])
def test_a_profile_is_written_where_the_command_line_says(clone, script):
    profiles = clone.work / "profiles"
    profiles.mkdir()
    clone.run(script, "--profile-memory", "profiles/memory", *clone.arguments_of(script))
    *_, call = clone.container_calls
    assert bind(profiles) in mounts_of(call)
    assert call[-2:] == ["--profile-memory", f"{profiles}/memory"]


@pytest.mark.parametrize("script", [FETCH, "3_generate_outputs.sh"])
@pytest.mark.parametrize(("name", "words"), [("none/memory", "no such directory"), ("profiles", "is a directory")])
def test_a_profile_that_can_not_be_written_exits_2(clone, script, name, words):
    (clone.work / "profiles").mkdir()
    result = clone.run(script, "--profile-cpu", name, *clone.arguments_of(script))
    assert result.returncode == 2
    assert words in result.stderr
    assert clone.docker_calls == []


@pytest.mark.parametrize("status", [1, 10, 12, 137])
def test_the_stages_status_is_passed_on_from_docker(clone, status):
    assert clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_EXIT=str(status)).returncode == status


def test_a_plan_that_ends_in_an_error_is_the_stages_error(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_PLAN_EXIT="10")
    assert result.returncode == 10
    assert len(clone.container_calls) == 1


@pytest.mark.parametrize("variable", ["FAKE_DOCKER_EXIT", "FAKE_DOCKER_PLAN_EXIT"])
def test_a_container_that_docker_can_not_start_exits_14(clone, variable):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), **{variable: "125"})
    assert result.returncode == 14
    assert "Docker could not start the container" in result.stderr


def test_no_engine_exits_14_and_says_what_to_do(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_INFO_EXIT="1")
    assert result.returncode == 14
    assert "no Docker engine answers. Install or start Docker, or set PIPELINE_RUNTIME=host." in result.stderr
    assert clone.container_calls == []


def test_an_engine_that_this_user_may_not_use_exits_14_and_says_what_to_do(clone):
    refusal = "permission denied while trying to connect"
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_INFO=refusal, FAKE_DOCKER_INFO_EXIT="1")
    assert result.returncode == 14
    assert "add the user to the group 'docker'" in result.stderr
    assert clone.container_calls == []


@pytest.mark.parametrize("engine", ["tcp://192.0.2.1:2376", "ssh://me@example.org"])
def test_an_engine_of_another_machine_exits_14_and_is_asked_nothing(clone, engine):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_ENGINE=engine)
    assert result.returncode == 14
    assert f"the Docker engine '{engine}' is another machine's, and can't see the files of this one" in result.stderr
    assert [call[0] for call in clone.docker_calls] == ["context"]


def test_a_command_of_the_desk_sees_what_its_plan_names_and_the_current_folder(clone):
    plan = f"look {clone.configuration.parent}\nmount ro {clone.configuration.parent}\nmount rw {clone.work}/new\nnetwork none"
    result = clone.run("engagement.sh", "scheme", "codebook", "my file", "new", FAKE_DOCKER_PLAN=plan)
    assert result.returncode == 0, result.stderr
    first, second, call = clone.container_calls
    desk = ["container-plan", "desk", "scheme", "codebook", "my file", "new"]
    assert (first[-6:], second[-6:], call[-4:]) == (desk, desk, desk[2:])
    assert mounts_of(first) == set()
    assert mounts_of(second) == {bind(clone.configuration.parent, ",readonly")}
    assert mounts_of(call) == {bind(clone.configuration.parent, ",readonly"), bind(clone.work / "new")}
    assert {value_of(one, "--workdir") for one in (first, second, call)} == {str(clone.work)}
    assert value_of(call, "--network") == "none"


def test_a_preview_makes_its_outputs_on_a_disk_and_removes_them(clone):
    assert clone.run("engagement.sh", "diff", "a", "b", TMPDIR=str(clone.work / "CodaV2")).returncode == 0
    *_, call = clone.container_calls
    (scratch,) = [mount for mount in mounts_of(call) if mount.endswith("target=/scratch")]
    assert scratch.startswith(f"type=bind,source={clone.work}/CodaV2/")
    assert call[::-1].index("TMPDIR=/scratch") < call[::-1].index("TMPDIR=/tmp")
    assert list((clone.work / "CodaV2").iterdir()) == []


def test_a_commands_help_needs_no_plan_and_its_status_comes_out(clone):
    assert clone.run("engagement.sh", "icr", "--help").returncode == 0
    (call,) = clone.container_calls
    assert call[-2:] == ["icr", "--help"]
    assert clone.run("engagement.sh", "icr", "a", FAKE_DOCKER_PLAN_EXIT="2").returncode == 2
    assert clone.run("engagement.sh", "icr", "a", FAKE_DOCKER_EXIT="11").returncode == 11
    assert clone.run("engagement.sh").returncode == 2


def test_a_command_runs_on_this_machine_where_the_stages_do(clone):
    assert clone.run_on_host("engagement.sh", "icr", "a b", FAKE_STATUS="icr=11").returncode == 11
    assert clone.stage_calls == [["icr", "a b"]]
    assert clone.docker_calls == []
