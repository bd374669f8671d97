"""The script that checks a configuration: its command line, and what its container sees."""

import pytest

CHECK = "check_configuration.sh"


def mounts_of(call):
    return {call[place + 1] for place, argument in enumerate(call) if argument == "--mount"}


def bind(path, access=",readonly"):
    return f"type=bind,source={path},target={path}{access}"


def expect_usage_error(clone, result, words):
    assert result.returncode == 2
    assert words in result.stderr
    assert "Usage:" in result.stderr
    assert result.stdout == ""
    assert clone.docker_calls == clone.stage_calls == []


def test_help_goes_to_standard_output_and_exits_0(clone):
    result = clone.run(CHECK, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: {CHECK}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected 1 arguments but got 0"),
        (["CONFIGURATION", "one more"], "expected 1 arguments but got 2"),
        (["no such.json"], "no such file: 'no such.json'"),
        (["--no-such-option", "CONFIGURATION"], "unknown option: --no-such-option"),
        (["--data-root"], "option --data-root needs a value"),
        (["--data-root", "nowhere", "CONFIGURATION"], "no such directory: 'nowhere'"),
        (["--credentials", "no key.json", "CONFIGURATION"], "no such file: 'no key.json'"),
        (["--online", "CONFIGURATION"], "--online needs --credentials"),
    ],
)
def test_wrong_usage_exits_2_and_runs_nothing(clone, arguments, words):
    given = [clone.configuration if argument == "CONFIGURATION" else argument for argument in arguments]
    expect_usage_error(clone, clone.run(CHECK, *given), words)


def test_the_command_gets_absolute_paths_and_its_status_is_passed_on(clone):
    clone.data_root.mkdir()
    arguments = [
        "--data-root",
        "data root",
        "--online",
        "--credentials",
        "my key.json",
        "--coda-pull-credentials",
        "my key.json",
    ]
    result = clone.run_on_host(
        CHECK, *arguments, "configuration folder/pipeline configuration.json", FAKE_STATUS="check=10"
    )
    assert result.returncode == 10
    assert clone.stage_calls == [
        [
            *("check", "--data-root", str(clone.data_root), "--online", "--credentials", str(clone.credentials)),
            *("--coda-pull-credentials", str(clone.credentials), str(clone.configuration)),
        ]
    ]


def test_its_container_sees_the_files_read_only_and_nothing_else(clone):
    clone.data_root.mkdir()
    assert clone.run(CHECK, "--data-root", clone.data_root, clone.configuration).returncode == 0
    *_, call = clone.container_calls
    assert mounts_of(call) == {bind(clone.configuration.parent), bind(clone.data_root)}
    assert call[call.index("--network") + 1] == "none"


def test_nothing_is_made_or_locked(clone):
    before = set(clone.work.rglob("*"))
    assert clone.run_on_host(CHECK, clone.configuration).returncode == 0
    assert set(clone.work.rglob("*")) == before
