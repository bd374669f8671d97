"""One project with a source of every type goes through the stages, and each command of the desk that reads a project works on it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.configuration.source_types import SOURCE_TYPES
from engagement.desk.desk_needs import COMMANDS
from every_source_project import COMMENTS, LISTENERS, PEOPLE, TALKATIVE, EverySourceProject, digits, serve_project, uid

# These read no project, or nothing of it but what people labelled.
OF_NO_SOURCE = {
    "adjudicate", "audit", "cluster-certificates", "de-identify", "evaluate-cleaners", "evaluate-suggestions", "icr",
    "import-project", "new-project", "reproduce", "suggest-labels",
}  # fmt: skip


def run_plan(project: EverySourceProject) -> list[object]:
    return [
        *("plan-run", "--pipeline-configuration", project.configuration, "--credentials", project.credentials),
        *("--coda-pull-credentials", project.credentials, "--coda-push-credentials", project.credentials),
        *("--data-root", project.data_root, "--backups-dir", project.backups, "--performance-logs-dir", project.logs),
    ]


def check(project: EverySourceProject) -> list[object]:
    return [
        *("check", project.configuration, "--data-root", project.data_root, "--online"),
        *("--credentials", project.credentials, "--coda-pull-credentials", project.credentials),
        *("--coda-push-credentials", project.credentials),
    ]


def ask_with_all(project: EverySourceProject) -> list[object]:
    return [project.configuration, project.data_root, project.credentials]


def contacts(*options: str) -> Callable[[EverySourceProject], list[object]]:
    return lambda project: ["contacts", *ask_with_all(project), "--for", "everybody", *options]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EverySourceProject]:
    """The project behind two nights, the second with links between the ids of who wrote on several channels."""
    with (
        pytest.MonkeyPatch.context() as patch,
        serve_project(tmp_path_factory.mktemp("a") / "project", patch) as project,
    ):
        assert run(check(project)[:2]) == run(run_plan(project)) == 0
        run_stages(project, 1, 2, 3, 4)
        # Both listings are in the order of their messages.
        authors = zip(TALKATIVE, project.uids_of(COMMENTS), [None, *project.uids_of(LISTENERS)], strict=True)
        project.link(*(tuple(filter(None, (uid(person), *others))) for person, *others in authors))
        run_stages(project, 1, 2, 3, 4, 5)
        (project.folder / "export.csv").write_text(
            "Sender,Receiver,Message,ReceivedOn\n"
            + "".join(f"{digits(p)},378,biyo {p},01/03/2026 12:0{p}:00\n" for p in TALKATIVE)
        )
        yield project


def run(arguments: list[object]) -> int:
    return main(list(map(str, arguments)))


def run_stages(project: EverySourceProject, *stages: int) -> None:
    for stage in stages:
        assert main(project.arguments(stage)) == 0, stage


def rows(project: EverySourceProject, table: str) -> list[dict[str, str]]:
    with (project.data_root / "Outputs" / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_project_has_every_type_of_source(project: EverySourceProject):
    sources = load_project(project.configuration).configuration.raw_data_sources
    assert {source.source_type for source in sources} == set(SOURCE_TYPES)


def test_a_person_is_one_participant_with_one_operator_by_every_way(project: EverySourceProject):
    messages = rows(project, "messages")
    # By SMS, in the bucket, the export, the spreadsheet, both kinds of forms, under the post and in the group.
    assert Counter(row["uid"] for row in messages) == {uid(p): 8 if p in (1, 2, 3) else 1 for p in PEOPLE} | {uid(0): 5}
    assert {row["operator"] for row in messages} == {"hormud"}
    individuals = rows(project, "individuals")
    assert [(row["uid"], row["operator"]) for row in individuals] == sorted((uid(p), "hormud") for p in PEOPLE)


COMMANDS_OF_PROJECTS: dict[str, Callable[[EverySourceProject], list[object]]] = {
    "check --online": check,
    "plan-run": run_plan,
    "coda-progress": lambda p: [
        *("coda-progress", "--credentials", p.credentials, "--pipeline-configuration", p.configuration),
    ],
    "coda-mend": lambda p: [
        *("coda-mend", "--credentials", p.credentials, "--pipeline-configuration", p.configuration),
    ],
    "compare": lambda p: ["compare", p.data_root, p.data_root, "--folder", p.folder / "compared"],
    "contacts": contacts(),
    "contacts --to-group": contacts("--to-group", "--to-field"),
    "write-back": lambda p: [
        *("write-back", "--user", "me", "--credentials", p.credentials, "--pipeline-configuration", p.configuration),
        *("--data-root", p.data_root),
    ],
    "diff": lambda p: ["diff", p.configuration, p.configuration, "--data-root", p.data_root, "--jobs", "1"],
    "explain": lambda p: ["explain", p.data_root, uid(1), "--pipeline-configuration", p.configuration],
    "export-participant": lambda p: [
        *("export-participant", *ask_with_all(p), "--uid", uid(1), "--output", p.folder / "exported"),
    ],
    "figures": lambda p: ["figures", p.data_root, "--format", "svg", "--only", "nothing"],
    "recover": lambda p: ["recover", *ask_with_all(p), p.folder / "export.csv", "--dry-run", "--format", "hormuud"],
    "scheme": lambda p: ["scheme", "codebook", p.configuration, p.folder / "books"],
    "status": lambda p: ["status", p.data_root],
}
# What they say where there is nothing for them to do.
REFUSALS = {
    "status": (11, "no run has ended yet; expected one."),
    "figures": (2, "--only"),
}


@pytest.mark.parametrize("name", COMMANDS_OF_PROJECTS)
def test_a_command_of_the_desk_works_or_says_why_not(
    project: EverySourceProject, name: str, capsys: pytest.CaptureFixture[str]
):
    status, said = REFUSALS.get(name, (0, ""))
    assert run(COMMANDS_OF_PROJECTS[name](project)) == status
    told = capsys.readouterr()
    assert said in told.err
    assert not [person for person in PEOPLE if digits(person) in told.out + told.err]


def test_no_command_that_reads_a_project_is_left_out():
    tested = {name.split()[0] for name in COMMANDS_OF_PROJECTS} - {"plan-run", "write-back"}
    assert tested | {"forget"} == set(COMMANDS) - OF_NO_SOURCE


def test_numbers_come_from_the_sources_that_have_them(project: EverySourceProject):
    file = project.folder / "numbers.xlsx"
    assert run(contacts("--to-file", str(file), "--csv")(project)) == 0
    text = file.with_suffix(".csv").read_text()
    assert [person for person in PEOPLE if digits(person) in text] == list(PEOPLE)


def test_somebody_is_forgotten_whatever_they_came_by(project: EverySourceProject):
    before = {path.name: path.read_bytes() for path in (project.data_root / "Raw Data").glob("*.jsonl")}
    held = {name for name, content in before.items() if uid(1).encode() in content}
    assert len(held) == 10
    assert run(["forget", *ask_with_all(project), "--uid", uid(1)]) == 0
    run_stages(project, 2, 3)
    for path in (*(project.data_root / "Raw Data").iterdir(), *project.data_root.glob("Outputs/*.csv")):
        assert uid(1).encode() not in path.read_bytes(), path
