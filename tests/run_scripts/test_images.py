"""How the image is built, what a failed build leaves, and which old images are removed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

FETCH = "2_fetch_raw_data.sh"
BUILD = "\\n".join(
    [
        "Step 1/3 : FROM python:3.12-slim-bookworm AS packages",
        " ---> 111111111111",
        "Step 2/3 : WORKDIR /app",
        " ---> Using cache",
        " ---> 222222222222",
        "Step 3/3 : COPY Pipfile ./",
        " ---> 333333333333",
        "Step 4/3 : RUN python -m venv",
        " ---> Running in 444444444444",
        "Removing intermediate container 444444444444",
        " ---> 555555555555",
    ]
)


def calls_of(clone, *beginning):
    return [call for call in clone.docker_calls if call[: len(beginning)] == list(beginning)]


def list_images(clone, *images):
    """Let the engine have images, the newest first: name, id and the clone that built it."""
    log = clone.docker_log
    log.with_name("docker.log.list").write_text("".join(f"{name}\t{number}\n" for name, number, _ in images))
    log.with_name("docker.log.clones").write_text("".join(f"{number} {built}\n" for _, number, built in images))


def current_image(clone):
    assert clone.run(FETCH, *clone.arguments_of(FETCH)).returncode == 0
    (build,) = calls_of(clone, "build")
    return build[build.index("--tag") + 1]


def test_a_build_removes_its_containers_and_writes_a_log_of_its_own(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH))
    (build,) = calls_of(clone, "build")
    assert "--force-rm" in build
    assert f"engagement.clone={clone.root}" in build
    assert (clone.root / ".tools" / "image.log").read_text() == "what the build printed\n"
    assert "what the build printed" not in result.stderr
    assert f"What the engine prints is in {clone.root}/.tools/image.log." in result.stderr


def test_another_base_makes_another_image(clone):
    usual = current_image(clone)
    base = "python:3.12-slim-bookworm@sha256:" + 64 * "1"
    assert clone.run(FETCH, *clone.arguments_of(FETCH), PIPELINE_BASE_IMAGE=base).returncode == 0
    first, second = calls_of(clone, "build")
    assert "BASE_IMAGE" not in " ".join(first)
    assert second[second.index(f"BASE_IMAGE={base}") - 1] == "--build-arg"
    assert second[second.index("--tag") + 1] != usual


def test_a_failed_build_leaves_nothing_that_it_made(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_BUILD_EXIT="1", FAKE_DOCKER_BUILD_OUTPUT=BUILD)
    assert result.returncode == 14
    # The newest goes first. The base, and what was there before, stay.
    assert calls_of(clone, "rmi") == [["rmi", "555555555555", "333333333333"]]


def test_a_full_disk_of_the_engine_is_one_line_at_the_end(clone):
    output = BUILD + "\\n" + "\\n".join(f"a line with {number:064x}" for number in range(790))
    output += "\\nwrite /app/x.so: no space left on device"
    full = {"FAKE_DOCKER_BUILD_EXIT": "1", "FAKE_DOCKER_BUILD_OUTPUT": output, "FAKE_DOCKER_INFO": "/"}
    result = clone.run(FETCH, *clone.arguments_of(FETCH), **full)
    assert result.returncode == 14
    lines = result.stderr.splitlines()
    assert len(lines) < 16
    assert lines[-1].startswith("ERROR: no space left on the engine's disk: ")
    assert "B free in /; 'docker system df' shows what takes it; run_scripts/prune_images.sh removes" in lines[-1]


def test_two_first_builds_at_once_are_one(clone):
    arguments = clone.arguments_of(FETCH)
    other = [*arguments[:-1], clone.work / "other data root"]
    # The build goes on as soon as the other one waits for it.
    go_on = clone.work / "go on"
    processes = [clone.start(FETCH, *which, FAKE_DOCKER_BUILD_WAITS=str(go_on)) for which in (arguments, other)]
    waiting = "Another run is building the Docker image: waiting for it.\n"

    def read_errors(process):
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.endswith(waiting):
                go_on.touch()
        return lines

    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(read_errors, processes))
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert len(calls_of(clone, "build")) == 1
    assert sum(line.endswith(waiting) for lines in errors for line in lines) == 1


def test_only_old_images_of_this_clone_are_removed(clone):
    current = current_image(clone)
    digest = current.rpartition("-")[2]
    gone = clone.work / "a clone that is gone"
    list_images(
        clone,
        (current, "1", clone.root),
        (f"engagement-pipeline:plain-{digest}", "2", clone.root),
        ("engagement-pipeline:maps-before", "3", clone.root),
        ("engagement-pipeline:plain-before", "4", clone.root),
        ("engagement-pipeline:maps-other", "5", clone.work),
        ("engagement-pipeline:maps-old", "6", clone.root),
        ("engagement-pipeline:maps-unlabelled", "7", ""),
        ("engagement-pipeline:maps-gone", "8", gone),
    )
    result = clone.run("prune_images.sh")
    assert result.returncode == 0, result.stderr
    assert calls_of(clone, "rmi") == [
        ["rmi", "engagement-pipeline:maps-old"],
        ["rmi", "engagement-pipeline:maps-gone"],
    ]
    assert "Removed the old Docker image engagement-pipeline:maps-old." in result.stderr
    assert calls_of(clone, "image", "prune")[-1] == [
        *["image", "prune", "--force", "--filter", "label=engagement.image=pipeline", "--filter", "until=1h"]
    ]
    assert clone.run("prune_images.sh", "--all").returncode == 0
    removed = {call[1].rpartition("-")[2] for call in calls_of(clone, "rmi")}
    assert removed == {"old", "gone", "other", "unlabelled"}


def test_a_build_removes_what_is_older_than_the_version_before(clone):
    names = [f"engagement-pipeline:maps-{name}" for name in ("before", "old")]
    list_images(clone, *((name, str(number), clone.root) for number, name in enumerate(names)))
    current_image(clone)
    assert calls_of(clone, "rmi") == [["rmi", "engagement-pipeline:maps-old"]]


@pytest.mark.parametrize("arguments", [["--everything"], ["engagement-pipeline:maps-old"]])
def test_nothing_is_removed_on_a_wrong_command_line(clone, arguments):
    result = clone.run("prune_images.sh", *arguments)
    assert result.returncode == 2
    assert clone.docker_calls == []
