"""How the image is built, what a failed build leaves, and which old images are removed."""

import gzip
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


def test_an_image_that_can_not_be_built_exits_14_and_shows_why(clone):
    result = clone.run(FETCH, *clone.arguments_of(FETCH), FAKE_DOCKER_BUILD_EXIT="1")
    assert result.returncode == 14
    assert "what the build printed" in result.stderr
    assert "the Docker image could not be built" in result.stderr
    assert clone.container_calls == []


def tag_of_build(clone):
    (build,) = [call for call in clone.docker_calls if call[0] == "build"]
    for log in (clone.docker_log, clone.docker_log.with_name("docker.log.built")):
        log.unlink()
    assert build[-1] == str(clone.root)
    assert build[build.index("--target") + 1] == "maps"
    assert build[build.index("--label") + 1] == "org.opencontainers.image.revision=unknown"
    assert build[build.index("--build-arg") + 1] == "REVISION=unknown"
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


@pytest.mark.parametrize(("variables", "target"), [({}, "maps"), ({"PIPELINE_MAPS": "no"}, "plain")])
def test_the_image_has_boundaries_unless_they_are_not_wanted(clone, variables, target):
    clone.run(FETCH, *clone.arguments_of(FETCH), **variables)
    (build,) = [call for call in clone.docker_calls if call[0] == "build"]
    assert build[build.index("--target") + 1] == target
    assert build[build.index("--tag") + 1].startswith(f"engagement-pipeline:{target}-")
    assert build[build.index("--tag") + 1] in clone.container_calls[-1]


def test_a_given_image_is_used_and_never_built(clone):
    given = "engagement-pipeline:loaded"
    result = clone.run(FETCH, *clone.arguments_of(FETCH), PIPELINE_IMAGE=given)
    assert result.returncode == 14
    assert f"PIPELINE_IMAGE is '{given}', which is not there" in result.stderr
    clone.run(FETCH, *clone.arguments_of(FETCH), PIPELINE_IMAGE=given, FAKE_DOCKER_IMAGES="0123456789ab")
    assert given in clone.container_calls[-1]
    assert not any(call[0] == "build" for call in clone.docker_calls)


def test_the_image_is_saved_whole_or_not_at_all(clone):
    result = clone.run("save_image.sh", "my image.tar.gz")
    assert result.returncode == 0, result.stderr
    assert gzip.decompress((clone.work / "my image.tar.gz").read_bytes()) == b"an image"
    assert clone.docker_calls[-1] == ["save", tag_of_build(clone)]
    result = clone.run("save_image.sh", "other.tar.gz", FAKE_DOCKER_SAVE_EXIT="1")
    assert result.returncode == 14
    assert "the image could not be saved" in result.stderr
    assert not list(clone.work.glob("other*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected 1 arguments but got 0"),
        (["--maps"], "unknown option: --maps"),
        (["none/image"], "no such directory"),
        (["CodaV2"], "is a directory"),
    ],
)
def test_an_image_is_saved_only_where_that_is_possible(clone, arguments, words):
    (clone.work / "CodaV2").mkdir(exist_ok=True)
    result = clone.run("save_image.sh", *arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert clone.docker_calls == []
