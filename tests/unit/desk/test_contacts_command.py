"""Contacts as the command line gives them: counts first, then a file that nothing else lets out of the machine's memory."""

import csv
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import engagement
from engagement.__main__ import main
from engagement.delivery.selections import number_files
from engagement.delivery.selections.hand_overs import digest_uids
from example_project import DataRoot, uid_of
from fake_rapidpro import Workspace, serve
from selection_project import OPERATORS, PEOPLE, contact_uuid, make_data_root, make_workspace, number_of, use_server

EVERYBODY, WATER, NOBODY = (
    {"Name": "everybody"},
    {"Name": "water", "CodedWith": "rqa_s01e01:water", "To": {"Group": "about water", "Field": "about_water"}},
    {"Name": "nobody", "TookPartIn": ["rqa_s01e01"], "Places": ["bay"], "CodedWith": "rqa_s01e01:school"},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    return make_data_root(tmp_path_factory.mktemp("contacts"), EVERYBODY, WATER, NOBODY)


@pytest.fixture
def server(made: DataRoot) -> Iterator[Workspace]:
    workspace = make_workspace()
    with serve(workspace) as domain:
        use_server(made, domain)
        yield workspace


def contacts(root: DataRoot, name: str, *options: Any) -> int:
    paths = (root.configuration, root.path, root.credentials)
    return main(["contacts", *map(str, paths), "--for", name, *map(str, options)])


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path).active.iter_rows(values_only=True))


def numbers(*names: str) -> list[str]:
    return [number_of(name) for name in names]


def test_it_counts_and_asks_nothing(made: DataRoot, server: Workspace, capsys, caplog):
    assert contacts(made, "water") == 0
    told = capsys.readouterr().out
    assert told.splitlines()[1:] == [
        "        9  wrote and did not withdraw",
        "        4  with rqa_s01e01:water",
        "        4  are no test contacts",
        "1 participant who withdrew: in no selection",
        "By state:",
        "        2  south_west_state  (small)",
        "        1  (no answer)  (small)",
        "        1  banadir  (small)",
        "By operator:",
        "        2  golis  (small)",
        "        2  hormud  (small)",
        "By gender:",
        "        2  man  (small)",
        "        2  woman  (small)",
        "Selected: 4 participants",
    ]
    assert "fewer than SmallCountThreshold (10): it singles out persons" in caplog.text
    assert server.requests == []
    assert not (made.path / "Hand-overs").exists()


def test_an_empty_selection_says_why_by_step_and_sends_nothing(
    made: DataRoot, server: Workspace, tmp_path: Path, capsys
):
    assert contacts(made, "nobody", "--to-file", tmp_path / "advert.xlsx") == 0
    assert (
        "Nobody is selected: 9 wrote and did not withdraw, 9 took part in rqa_s01e01, 0 with rqa_s01e01:school, 0 in bay, "
        "0 are no test contacts. Nothing was sent."
    ) in capsys.readouterr().out
    assert server.requests == list(tmp_path.iterdir()) == []


def test_a_file_has_the_numbers_of_now_as_text(made: DataRoot, server: Workspace, tmp_path: Path, capsys, caplog):
    rows = {row["name"].removeprefix("Zzyzx "): row for row in server.contacts}
    rows["amina"]["urns"] = ["whatsapp:252615559999", "tel:+252615558888"]  # another number since
    rows["bashir"]["status"] = "blocked"
    rows["caasha"] |= {"status": None, "stopped": True}  # as older servers say it
    server.contacts.remove(rows["daahir"])
    rows["ebla"]["urns"] = ["telegram:12345678901"]
    rows["faarax"]["urns"] = [f"tel:{number_of('gacal')}"]
    path = tmp_path / "advert.xlsx"
    assert contacts(made, "everybody", "--to-file", path, "--csv", "--user", "asha@example.org") == 0
    written = ["+252615558888", number_of("gacal"), number_of("hodan")]
    assert rows_of(path) == [("URN:Tel", "Name"), *((number, None) for number in written)]
    with path.with_suffix(".csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["URN:Tel", "Name"], *([number, ""] for number in written)]
    assert sorted(tmp_path.iterdir()) == [path.with_suffix(".csv"), path]
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
    told = capsys.readouterr().out
    assert (
        "3 numbers; left out 2 blocked, stopped or archived in RapidPro, 1 no longer in RapidPro, 1 without a known number, 1 with "
        "the number of another"
    ) in told
    # Nowhere else is a number: neither in what was said, nor on the disk.
    for number in [*written, *map(number_of, PEOPLE)]:
        assert number[4:] not in told + caplog.text
        assert not [
            one for one in made.path.parent.rglob("*") if one.is_file() and number[4:].encode() in one.read_bytes()
        ]
    lines = [json.loads(line) for line in (made.path / "Hand-overs" / "hand_overs.jsonl").read_text().splitlines()]
    uids = [uid_of(name) for name in ("amina", "faarax", "hodan")]
    lines = [line for line in lines if line["target"] == "file"][:2]
    assert [line["event"] for line in lines] == ["begun", "done"]
    assert lines[1] | {"at": ""} == {
        "at": "", "by": "asha@example.org", "event": "done", "selection": "everybody", "target": "file", "participants": 3,
        "digest": digest_uids(uids), "counts": {"selected": 8, "numbers": 3, "files": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("outside/advert.csv", "not the name of a workbook"),
        ("nowhere/advert.xlsx", "no such folder"),
        ("data root/advert.xlsx", "in the data root"),
        ("data root/Outputs/advert.xlsx", "in the data root"),
        ("link/advert.xlsx", "in the data root"),
        ("configuration/advert.xlsx", "in the folder of the project"),
        ("outside/there.xlsx", "exists already"),
        ("outside/parts.xlsx", "exists already"),
        ("outside/other.xlsx", "exists already"),
        ("nights/shared/advert.xlsx", "in a folder of archives"),
    ],
)
def test_where_numbers_may_not_lie_is_refused_before_anything_is_asked(
    made: DataRoot, server: Workspace, capsys, place: str, found: str
):
    folder = made.path.parent
    (folder / "outside").mkdir(exist_ok=True)
    if not (folder / "link").exists():
        (folder / "link").symlink_to(made.path, target_is_directory=True)
    for name in ("there.xlsx", "parts-2.xlsx", "other.csv"):
        (folder / "outside" / name).touch()
    (folder / "nights" / "shared").mkdir(parents=True, exist_ok=True)
    (folder / "nights" / "data-2026-04-03T023000Z-unknown.tar.gz").touch()
    before = sorted(folder.rglob("*"))
    assert contacts(made, "water", "--to-file", folder / place) == 2
    assert found in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before
    assert server.requests == []


def test_more_numbers_than_a_file_takes_go_into_parts(tmp_path: Path):
    many = [f"+25261{number:07}" for number in range(60_000)]
    made = number_files.write_number_files(tmp_path / "a.xlsx", many, with_csv=False)
    assert [path.name for path in made] == ["a-1.xlsx", "a-2.xlsx", "a-3.xlsx"]
    rows = [
        list(openpyxl.load_workbook(path, read_only=True).active.iter_rows(min_row=2, values_only=True))
        for path in made
    ]
    assert list(map(len, rows)) == [25_000, 25_000, 10_000]
    assert [number for part in rows for number, _ in part] == many
    assert all(isinstance(number, str) for number, _ in rows[0])


def test_the_same_numbers_make_the_same_bytes_and_a_failure_leaves_nothing(tmp_path: Path, monkeypatch):
    first, second = (
        number_files.write_number_files(tmp_path / f"{name}.xlsx", numbers("amina"), with_csv=False) for name in "ab"
    )
    assert first[0].read_bytes() == second[0].read_bytes()
    monkeypatch.setattr(number_files, "ROWS_A_FILE", 1)
    placed = []

    def place(source: Path, target: Path) -> None:
        placed.append(target)
        if len(placed) == 2:
            raise OSError(28, "No space left on device")
        target.hardlink_to(source)

    monkeypatch.setattr(number_files, "_place", place)
    with pytest.raises(Exception, match="No space left"):
        number_files.write_number_files(tmp_path / "c.xlsx", numbers("amina", "bashir"), with_csv=False)
    assert len(placed) == 2
    assert sorted(tmp_path.iterdir()) == [first[0], second[0]]


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("moment", range(6))
def test_a_kill_between_the_parts_leaves_nothing_to_the_next_run(tmp_path: Path, moment: int, has_links: bool):
    script = f"""
import os, pathlib
from engagement.delivery.selections import number_files as n
n.ROWS_A_FILE = 1
place, count = n._place, 0
def link(self, target):
    raise OSError(95, "no links")
if not {has_links}:
    pathlib.Path.hardlink_to = link
def dying(source, target):
    global count
    if count == {moment}:
        os.kill(os.getpid(), 9)
    count += 1
    place(source, target)
n._place = dying
n.write_number_files(pathlib.Path({str(tmp_path / "a.xlsx")!r}), ["+252615000001", "+252615000002", "+252615000003"], True)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(engagement.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", script], check=False, env=environment).returncode == -9
    other = tmp_path / "a-4.xlsx"
    other.write_text("somebody else's")
    made = number_files.write_number_files(tmp_path / "a.xlsx", numbers("amina"), with_csv=False)
    assert sorted(tmp_path.iterdir()) == sorted([*made, other])
    assert other.read_text() == "somebody else's"


def test_numbers_are_not_handed_over_from_outputs_older_than_the_data(
    made: DataRoot, server: Workspace, tmp_path, capsys
):
    newer = made.path / "Raw Data" / "late.jsonl"
    newer.touch()
    assert contacts(made, "water") == 0
    assert contacts(made, "water", "--to-file", tmp_path / "advert.xlsx") == 11
    assert "whoever withdrew since would be written to" in capsys.readouterr().err
    assert server.requests == list(tmp_path.iterdir()) == []
    newer.unlink()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--for", "watr"], "no such selection in Contacts"),
        (["--for", "water", "--stratify", "gender"], "expected --sample as well"),
        (
            ["--for", "water", "--sample", "2", "--stratify", "gendr"],
            "no such dataset; expected one; nearest: 'gender'",
        ),
        (["--for", "water", "--sample", "0"], "expected 1 or more"),
        (["--for", "everybody", "--to-group"], "selection 'everybody' has no To.Group"),
        (["--for", "water", "--csv"], "expected --to-file as well"),
    ],
)
def test_wrong_options_are_refused(made: DataRoot, capsys, options: list[str], found: str):
    assert main(["contacts", *map(str, (made.configuration, made.path, made.credentials)), *options]) == 2
    assert found in capsys.readouterr().err


def test_without_outputs_it_says_which_stage_to_run(made: DataRoot, tmp_path: Path, capsys):
    (tmp_path / "data root").mkdir()
    paths = (made.configuration, tmp_path / "data root", made.credentials)
    assert main(["contacts", *map(str, paths), "--for", "water", "--to-file", str(tmp_path / "a.xlsx")]) == 11
    assert "Run stage 3 (generate outputs)" in capsys.readouterr().err


def test_a_sample_of_the_command_line_is_drawn(made: DataRoot, capsys):
    assert contacts(made, "everybody", "--sample", 3, "--stratify", "gender") == 0
    assert "        3  drawn" in capsys.readouterr().out
    assert contacts(made, "everybody", "--sample", 3, "--seed", 0) == 0


def test_few_contacts_are_asked_for_one_by_one_and_many_page_by_page(made: DataRoot, server: Workspace, tmp_path: Path):
    assert contacts(made, "water", "--to-file", tmp_path / "advert.xlsx") == 0
    assert rows_of(tmp_path / "advert.xlsx")[1:] == [
        (number, None) for number in numbers("amina", *sorted(OPERATORS), "daahir")
    ]
    # Ten contacts are one page: fewer requests than four.
    assert len([request for request in server.requests if "contacts.json" in request]) == 1


def test_a_group_holds_the_selection_and_nobody_else_and_a_second_run_sends_nothing(
    made: DataRoot, server: Workspace, capsys, caplog
):
    group = {"uuid": "11111111-0000-4000-8000-000000000001", "name": "about water", "query": None, "status": "ready"}
    server.groups.append(group)
    rows = {row["name"].removeprefix("Zzyzx "): row for row in server.contacts}
    rows["hodan"]["groups"] = [{"uuid": group["uuid"], "name": group["name"]}]  # of last week
    rows["daahir"]["status"] = "blocked"
    assert contacts(made, "water", "--to-group", "--to-field") == 0
    joined = {contact_uuid(name) for name in ("amina", "bashir", "caasha")}
    assert server.members("about water") == joined
    assert server.values("about_water") == dict.fromkeys([*joined, contact_uuid("daahir")], "yes")
    told = capsys.readouterr().out
    assert ": group 'about water': 4 changed, 0 as they should be, 1 blocked, stopped or archived" in told
    assert ": field 'about_water': 4 changed, 0 as they should be" in told
    sent = len(server.writes)
    assert contacts(made, "water", "--to-group", "--to-field") == 0
    assert len(server.writes) == sent
    assert "3 as they should be" in capsys.readouterr().out
    targets = [json.loads(line) for line in (made.path / "Hand-overs" / "hand_overs.jsonl").read_text().splitlines()]
    assert [(line["event"], line["target"].partition(": ")[2]) for line in targets[-8:]] == [
        ("begun", "group 'about water'"), ("done", "group 'about water'"),
        ("begun", "field 'about_water'"), ("done", "field 'about_water'"),
    ] * 2  # fmt: skip
    # By uuid alone: no number was asked for, and none is anywhere.
    assert not [request for request in server.requests if "urn" in request]
    for number in map(number_of, PEOPLE):
        assert number[4:] not in told + caplog.text
        assert not [one for one in made.path.rglob("*") if one.is_file() and number[4:].encode() in one.read_bytes()]


def test_a_smart_group_is_refused_in_one_line(made: DataRoot, server: Workspace, capsys):
    server.groups.append({"uuid": "g", "name": "about water", "query": "age > 18", "status": "ready"})
    assert contacts(made, "water", "--to-group") == 12
    assert "group 'about water' is a smart one" in capsys.readouterr().err
    assert server.writes == []
