"""Nobody who was forgotten comes back, by whatever source they came."""

import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from engagement.__main__ import main
from every_source_project import BUCKET, COMMENTS, LISTENERS, TALKATIVE, EverySourceProject, serve_project, uid


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EverySourceProject]:
    """The project behind a fetch, with links between the ids of who wrote on several channels."""
    with (
        pytest.MonkeyPatch.context() as patch,
        serve_project(tmp_path_factory.mktemp("a") / "project", patch) as project,
    ):
        fetch(project)
        authors = zip(TALKATIVE, project.uids_of(COMMENTS), [None, *project.uids_of(LISTENERS)], strict=True)
        project.link(*(tuple(filter(None, (uid(person), *others))) for person, *others in authors))
        project.keep("fetched")
        yield project


def fetch(project: EverySourceProject) -> None:
    assert main(project.arguments(2)) == 0


def lines_by_flow(project: EverySourceProject, but_for: tuple[str, ...] = ()) -> Counter[str]:
    files = (project.data_root / "Raw Data").glob("*.jsonl")
    lines = [(path.stem, line) for path in files for line in path.read_text().splitlines()]
    return Counter(flow for flow, line in lines if not any(one in line for one in but_for))


@pytest.mark.parametrize(
    ("until", "is_emptied", "they_come"),
    [
        (None, False, False),
        (None, True, False),
        ("2099-01-01T00:00:00+00:00", True, False),
        # All that they sent was sent after it.
        ("2026-01-01T00:00:00+00:00", True, True),
    ],
)
def test_they_come_back_by_no_source_but_with_what_they_send_later(
    project: EverySourceProject, until: str | None, is_emptied: bool, they_come: bool
):
    project.put_back("fetched")
    linked = project.configuration.with_name("linked.csv").read_text().splitlines()
    theirs = next(tuple(row.split(",")) for row in linked if uid(1) in row)
    everybody, others = lines_by_flow(project), lines_by_flow(project, theirs)
    # They are in every flow of an episode, and in those of surveys.
    assert len(everybody - others) == len(everybody) == 12
    places = (project.configuration, project.data_root, project.credentials)
    options = ("--until", until) if until else ()
    assert main([*map(str, ("forget", *places, "--uid", uid(1), *options))]) == 0
    assert lines_by_flow(project) == others
    if is_emptied:
        for folder in ("State/fetch", "Raw Data"):
            shutil.rmtree(project.data_root / folder)
    fetch(project)
    # What another pipeline fetched was sent before, whatever time it tells.
    expected = Counter({**everybody, BUCKET: others[BUCKET]}) if they_come else others
    assert lines_by_flow(project) == expected
