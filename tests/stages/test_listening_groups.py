"""Listening groups from attendance to the analysis, in full runs and in those that build on the last one."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.analysis.report.breakdowns import list_groupings
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of, write_project
from incremental_runs import outputs_of, read_processed

GROUPS = [
    {"Name": "mothers", "Files": ["mothers_1.csv", "mothers_2.csv"]},
    {"Name": "Elders", "Files": ["elders.csv"]},
]
NAMES = tuple(f"p{number}" for number in range(12))
WITHDREW = "p11"
MOTHERS, ELDERS = "listening_group_mothers", "listening_group_Elders"


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")


def attend(root: DataRoot, **sessions: list[str]) -> None:
    """Write attendance as others keep it: names beside the ids, a byte order mark, semicolons."""
    for file, names in sessions.items():
        with (root.configuration.parent / f"{file}.csv").open("w", newline="", encoding="utf-8-sig") as target:
            rows = csv.writer(target, delimiter=";")
            rows.writerow(["Name", "avf-phone-uuid", "came"])
            rows.writerows([f"Zzyzx Cabdi {name}", uid_of(name), "yes"] for name in names)


def fill(root: DataRoot) -> None:
    root.write_runs(
        *(episode_run(name, f"answer {name}", run_id=number) for number, name in enumerate(NAMES)),
        *(episode_run(name, f"more {name}", 2, run_id=50 + number) for number, name in enumerate(NAMES[:4])),
        *(survey_run(name, run_id=100 + number, gender="naag") for number, name in enumerate(NAMES)),
    )
    texts = {name: "water" if number < 5 else "roads" for number, name in enumerate(NAMES[:-1])}
    messages = [coda_message(f"answer {name}", label("episode1", code)) for name, code in texts.items()]
    root.write_coded("s01e01", *messages, coda_message(f"answer {WITHDREW}", label("episode1", "STOP")))


def make(folder: Path, configuration: Path | None = None, groups: list[dict[str, Any]] = GROUPS) -> DataRoot:
    folder.mkdir(exist_ok=True)
    change = None if configuration else lambda document: document.update(ListeningGroups=groups)
    root = DataRoot(folder, configuration or write_project(folder / "configuration", change))
    fill(root)
    return root


def members(rows: list[Mapping[str, str]], column: str) -> set[str]:
    return {row["uid"].removeprefix(uid_of("")) for row in rows if row[column] == "true"}


def test_a_column_a_group_in_messages_and_individuals(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    root = make(tmp_path)
    attend(root, mothers_1=["p0", "p1", "never_wrote"], mothers_2=["p1", "p2", WITHDREW], elders=["p2", "p3"])
    root.generate()
    for table in ("messages", "individuals"):
        rows = root.table(table)
        assert list(rows[0])[-2:] == [MOTHERS, ELDERS]
        assert members(rows, MOTHERS) == {"p0", "p1", "p2"}
        assert members(rows, ELDERS) == {"p2", "p3"}
        assert {row[MOTHERS] for row in rows} == {"true", "false", "STOP"}
    # Who withdrew took part, too, but is nobody in the outputs.
    assert f"{MOTHERS}: 5 in the files, 4 took part" in caplog.text
    for path in root.path.rglob("*"):
        assert not path.is_file() or b"Zzyzx" not in path.read_bytes()
    # The table before coding has no answers of this kind.
    assert MOTHERS not in root.table("production")[0]


def test_without_groups_there_is_no_column(tmp_path: Path):
    root = make(tmp_path, groups=[])
    root.generate()
    assert not [name for name in root.table("individuals")[0] if name.startswith("listening_group")]


def test_changed_attendance_changes_only_these_participants_and_leaves_what_a_full_run_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    root = make(tmp_path)
    (tmp_path / "full").mkdir()
    full = make(tmp_path / "full", root.configuration)
    counts = []
    for sessions in (
        {"mothers_1": ["p0", "p1"], "mothers_2": [], "elders": ["p3"]},
        {"mothers_1": ["p0"]},  # p1 left
        {"mothers_1": ["p0", "p1", "new"], "elders": ["p3", "p0", WITHDREW]},  # p1 is back, p0 joins another
        {},
    ):
        attend(root, **sessions)
        root.generate(partitions=1 + len(counts) % 3)
        counts.append(read_processed(caplog))
        full.generate(full=True)
        assert outputs_of(root) == outputs_of(full)
    # The third time p0, p1 and who withdrew; who never wrote is nobody's work.
    assert counts == ["no run left notes here", 1, 3, 0]
    assert members(root.table("individuals"), MOTHERS) == {"p0", "p1"}


def test_a_missing_file_is_refused_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make(tmp_path)
    attend(root, mothers_1=["p0"], mothers_2=["p1"])
    with pytest.raises(ConfigurationError, match=r"elders\.csv: no such file"):
        root.generate()
    assert not root.outputs.exists()
    # And before that, by the command that is asked first.
    assert main(["check", str(root.configuration)]) == 10
    assert "$.ListeningGroups[1].Files[0]: " in capsys.readouterr().out


def test_an_unknown_prefix_is_refused_without_showing_it(tmp_path: Path):
    root = make(tmp_path)
    attend(root, mothers_1=["p0"], mothers_2=["p1"], elders=["p1"])
    (root.configuration.parent / "elders.csv").write_text(
        "uid,Name\nother-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11,Zzyzx\n+252615000001,Zzyzx\n"
    )
    with pytest.raises(
        ConfigurationError, match="row 2: what is there does not begin as ids of participants do"
    ) as error:
        root.generate()
    assert "row 3: what is there looks like a phone number" in str(error.value)
    assert not [shown for shown in ("0c1f4b1e", "252615000001", "Zzyzx") if shown in str(error.value)]


def test_the_analysis_breaks_themes_down_by_group(tmp_path: Path):
    root = make(tmp_path)
    attend(root, mothers_1=["p0", "p1", "p5"], mothers_2=[], elders=["p3"])
    root.generate()
    season = load_season(load_project(root.configuration), root.path)
    themes = {row["Theme"]: row for row in season.theme_distributions.to_dict("records")}
    assert [themes[name][f"{MOTHERS}:true"] for name in ("water", "roads")] == [2, 1]
    assert [themes[name][f"{MOTHERS}:false"] for name in ("water", "roads")] == [3, 5]
    shares = [row for row in season.share_intervals.to_dict("records") if row["Breakdown"] == MOTHERS]
    water = next(row for row in shares if (row["Theme"], row["Value"]) == ("water", "true"))
    assert (water["Participants"], water["Base"], water["Origin"]) == (2, 3, "attendance")
    origins = [row for row in season.value_origins.to_dict("records") if row["Dataset"] == MOTHERS]
    assert [(row["Value"], row["Name"], row["Participants"]) for row in origins] == [
        ("true", "member", 3), ("false", "no member", 8),
    ]  # fmt: skip
    # The report's menu of breakdowns, and what a chart of the group says of its base.
    grouping = next(one for one in list_groupings(season) if one.key == MOTHERS)
    assert (grouping.title, grouping.groups) == ("listening group mothers", ["member", "no member"])
    assert season.basis(grouping.coding).say() == "11 participants, as attendance tells"


def test_diff_and_explain_know_the_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make(tmp_path)
    attend(root, mothers_1=["p0"], mothers_2=[], elders=["p3"])
    root.generate()
    assert main(["explain", str(root.path), uid_of("p0")]) == 0
    document = json.loads(root.configuration.read_text())
    other = root.configuration.with_name("other.json")
    other.write_text(json.dumps(document | {"NoiseMinimumLength": 3}))
    assert main(["diff", str(root.configuration), str(other), "--data-root", str(root.path), "--jobs", "1"]) == 0
    assert "p0" not in capsys.readouterr().err
