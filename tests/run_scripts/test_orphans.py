"""Containers that nobody waits for: they are removed with a line that says so, and until then they block."""

import pytest

FETCH = "2_fetch_raw_data.sh"
ROW = "engagement-fetch-raw-data-7-7\\tfetch-raw-data\\t2026-11-01T020000Z-unknown\\n"


def labels_of(call):
    return {call[place + 1] for place, argument in enumerate(call) if argument == "--label"}


def removals(clone):
    return [call for call in clone.docker_calls if call[:2] == ["rm", "--force"]]


def test_a_container_says_which_data_root_stage_and_run_it_is_of(clone):
    assert clone.run("run_pipeline.sh", "--only", "2", *clone.pipeline_arguments).returncode == 0
    plan, stage = clone.container_calls
    assert labels_of(stage) == {
        f"engagement.data-root={clone.data_root}",
        "engagement.stage=fetch-raw-data",
        f"engagement.run={clone.read_summary()['run_id']}",
    }
    # It only reads, and other runs may make theirs at the same time.
    assert labels_of(plan) == set()


def test_an_orphan_of_the_data_root_is_removed_before_a_stage_starts(clone):
    orphan = {"FAKE_DOCKER_PS": f"engagement.data-root={clone.data_root}", "FAKE_DOCKER_PS_ROW": ROW}
    result = clone.run(FETCH, *clone.arguments_of(FETCH), **orphan)
    assert result.returncode == 0
    assert removals(clone) == [["rm", "--force", "engagement-fetch-raw-data-7-7"]]
    assert (
        "WARNING: removed the container engagement-fetch-raw-data-7-7 (stage fetch-raw-data, run "
        "2026-11-01T020000Z-unknown): nobody was waiting for it any more."
    ) in result.stderr
    names = [call[0] for call in clone.docker_calls]
    assert names.index("rm") < len(names) - 1 - names[::-1].index("run")


def test_containers_of_a_data_root_that_this_run_did_not_claim_stay(clone):
    other = clone.work / "other data root"
    other.mkdir()
    (other / ".lock").touch()
    orphan = {"FAKE_DOCKER_PS": f"engagement.data-root={other}", "FAKE_DOCKER_PS_ROW": ROW}
    for variables in ({}, {"PIPELINE_LOCK_DESCRIPTOR": "0"}):
        clone.run("check_configuration.sh", clone.configuration, PIPELINE_DATA_ROOT=str(other), **orphan, **variables)
    assert len(clone.container_calls) == 4
    assert removals(clone) == []


@pytest.mark.parametrize("status", [125, 137, 143])
def test_a_client_that_ends_oddly_takes_its_container_along(clone, status):
    left = {"FAKE_DOCKER_PS": "^/?engagement-fetch-raw-data-", "FAKE_DOCKER_PS_ROW": ROW}
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_EXIT=str(status), **left)
    assert result.returncode == (14 if status == 125 else status)
    assert ["ps", "--all", "--filter"] in [call[:3] for call in clone.docker_calls]


def test_an_engine_that_dies_under_a_stage_is_told_from_one_that_can_not_start_it(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_EXIT="125", FAKE_DOCKER_RAN="yes")
    assert result.returncode == 14
    assert "the Docker engine died while the stage was running" in result.stderr
    # What the last container has written does not count.
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_EXIT="125")
    assert result.returncode == 14
    assert "Docker could not start the container" in result.stderr


def test_an_engine_that_dies_before_the_stage_has_begun_did_not_fail_to_start_it(clone):
    docker = clone.programs / "docker"
    text = docker.read_text().replace('exit "${FAKE_DOCKER_EXIT:-0}"', 'touch "$FAKE_DOCKER_LOG.dead"; exit 125')
    text = text.replace('exit "${FAKE_DOCKER_INFO_EXIT:-0}"', "[[ ! -e $FAKE_DOCKER_LOG.dead ]]; exit")
    clone.write_program(docker, text)
    result = clone.run(FETCH, *clone.arguments_of(FETCH))
    assert result.returncode == 14
    assert "the Docker engine died while the stage was running" in result.stderr


@pytest.mark.parametrize(("variables", "words"), [({}, ""), ({"PIPELINE_MEMORY": "2g"}, "allows it 2g. ")])
def test_a_killed_stage_says_what_most_likely_killed_it(clone, variables, words):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_EXIT="137", **variables)
    assert result.returncode == 137
    assert "fetch-raw-data was killed, most likely because memory ran out. " in result.stderr
    assert f"{words}Give it more memory, and run this again" in result.stderr


def test_a_backup_which_only_reads_the_data_root_can_write_its_lock(clone):
    clone.data_root.mkdir()
    result = clone.run("6_backup_data_root.sh", clone.data_root, clone.work / "back ups")
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    assert f"type=bind,source={clone.data_root},target={clone.data_root},readonly" in call
    assert f"type=bind,source={clone.data_root}/.working,target={clone.data_root}/.working" in call
