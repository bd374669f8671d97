"""How a stage's container is started: what it sees, which network it has, and what is said when Docker is not there."""

import os

import pytest

FETCH = "2_fetch_raw_data.sh"


def mounts_of(call):
    return {call[place + 1] for place, argument in enumerate(call) if argument == "--mount"}


def bind(path, access=""):
    return f"type=bind,source={path},target={path}{access}"


def test_the_container_is_removed_and_runs_as_the_caller(clone):
    assert clone.run(FETCH, *clone.arguments_of(FETCH)).returncode == 0
    for call in clone.container_calls:
        assert call[:3] == ["run", "--rm", "--init"]
        assert call[call.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
        assert "-v" not in call
        assert "--volume" not in call


def test_inputs_are_mounted_read_only_at_their_own_paths(clone):
    clone.run(FETCH, *clone.arguments_of(FETCH))
    *_, call = clone.container_calls
    assert mounts_of(call) == {
        bind(clone.credentials, ",readonly"),
        bind(clone.configuration.parent, ",readonly"),
        bind(clone.data_root),
    }
    stage = call.index("fetch-raw-data")
    assert call[stage - 1].startswith("engagement-pipeline:")
    assert call[stage:] == [
        *["fetch-raw-data", "--user", "me", "--credentials", str(clone.credentials)],
        *["--pipeline-configuration", str(clone.configuration), "--data-root", str(clone.data_root)],
    ]


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
    assert call[call.index("--env") + 1] == "STORAGE_EMULATOR_HOST"
    assert call.count("--env") == 1
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


def test_a_profile_is_written_where_the_command_line_says(clone):
    profiles = clone.work / "profiles"
    profiles.mkdir()
    script = "3_generate_outputs.sh"
    clone.run(script, "--profile-memory", "profiles/memory", *clone.arguments_of(script))
    *_, call = clone.container_calls
    assert bind(profiles) in mounts_of(call)
    assert call[-2:] == ["--profile-memory", f"{profiles}/memory"]


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


def test_an_image_that_can_not_be_built_exits_14_and_shows_why(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_BUILD_EXIT="1")
    assert result.returncode == 14
    assert "what the build printed" in result.stderr
    assert "the Docker image could not be built" in result.stderr
    assert clone.container_calls == []


def tag_of_build(clone):
    (build,) = [call for call in clone.docker_calls if call[0] == "build"]
    clone.docker_log.unlink()
    assert build[-1] == str(clone.root)
    assert build[build.index("--label") + 1] == "org.opencontainers.image.revision=unknown"
    return build[build.index("--tag") + 1]


def test_the_image_is_named_after_all_that_goes_into_it(clone):
    tags = []
    source = clone.root / "src" / "engagement" / "file"
    for change in (
        lambda: None,
        lambda: (clone.root / "README.md").write_text("not in the image"),
        lambda: source.with_name("file.pyc").write_text("not in the image"),
        lambda: source.write_text("changed"),
        lambda: source.rename(source.with_name("moved")),
    ):
        change()
        clone.run(FETCH, *clone.arguments_of(FETCH))
        tags.append(tag_of_build(clone))
    assert tags[0] == tags[1] == tags[2]
    assert len(set(tags)) == 3


def test_an_image_that_is_there_is_not_built_again(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_IMAGES="0123456789ab")
    assert (result.returncode, result.stderr) == (0, "")
    assert not any(call[0] == "build" for call in clone.docker_calls)
