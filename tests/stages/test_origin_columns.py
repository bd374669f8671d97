"""Where messages came from, as columns and breakdowns, in full runs and in those that build on the last one."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.analysis.report.breakdowns import list_groupings
from engagement.analysis.statistics.statistics import Statistics
from engagement.analysis.tables.rare_participants import find_rare, withheld_codings
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.configuration.contact_selections import ContactSelection
from engagement.delivery.disclosure.rows import WITHHELD
from engagement.delivery.disclosure.tables import pass_tables
from engagement.delivery.selections.people import read_people
from engagement.delivery.selections.selecting import Selected, select_participants
from engagement.provenance import encode_fresh_chain
from example_project import METADATA, DataRoot, coda_message, episode_run, label, uid_of, write_project
from incremental_runs import outputs_of, read_processed

NAMES = tuple(f"p{number}" for number in range(12))
POST = "s01e01_post"


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")


def add_post(document: dict[str, Any], columns: tuple[str, ...] = ("source", "channel")) -> None:
    """Have the first episode answered by SMS and under a post."""
    keys = {"Text": "raw", "Time": "sent_on", "Run ID": "run_id"}
    document["RawDataSources"].append(
        {
            "SourceType": "TelegramGroup",
            "FlowName": POST,
            "GroupID": 1589865544,
            "ExportURLs": ["file:///exports/listeners"],
        }
    )
    document["RapidProKeyRemappings"] += [
        {
            "RapidProKey": f"Message ({part}) - {POST}",
            "PipelineKey": name if part == "Time" else f"rqa_s01e01_{name}",
            **({"IsActivationMessage": True} if part == "Text" else {}),
        }
        for part, name in keys.items()
    ]
    document["OriginColumns"] = list(columns)


def post_run(name: str, text: str, number: int, channel: str | None = "telegram") -> str:
    parts = {"Text": text, "Value": text, "Time": "2026-04-01T11:00:00+03:00", "Run ID": f"post-{number}"}
    data = {"avf_phone_id": uid_of(name), "urn_type": channel, f"run_id - {POST}": f"post-{number}"}
    data |= {f"Message ({part}) - {POST}": value for part, value in parts.items()}
    return encode_fresh_chain([(data, METADATA)]) + "\n"


def fill(root: DataRoot, *more: str) -> None:
    root.write_runs(*(episode_run(name, f"answer {name}", run_id=n) for n, name in enumerate(NAMES)))
    # p0 wrote by both ways, t1 and t2 only there.
    root.write_flow(
        POST, *(post_run(name, f"post {name}", 900 + n) for n, name in enumerate(("p0", "t1", "t2", *more)))
    )
    texts = [f"answer {name}" for name in NAMES] + ["post t1", "post t2"]
    codes = ["water" if number % 2 else "roads" for number in range(len(texts))]
    root.write_coded("s01e01", *(coda_message(t, label("episode1", c)) for t, c in zip(texts, codes, strict=True)))


def make(folder: Path, columns: tuple[str, ...] = ("source", "channel")) -> DataRoot:
    folder.mkdir(exist_ok=True)
    configuration = write_project(folder / "configuration", lambda document: add_post(document, columns))
    root = DataRoot(folder, configuration)
    fill(root)
    return root


def origins(rows: list[dict[str, str]], name: str) -> set[tuple[str, str]]:
    return {(row["source"], row["channel"]) for row in rows if row["uid"] == uid_of(name)}


def test_messages_have_their_own_origin_and_individuals_fold_those_that_differ(tmp_path: Path):
    root = make(tmp_path)
    root.generate()
    messages, individuals = root.table("messages"), root.table("individuals")
    assert list(messages[0])[-2:] == list(individuals[0])[-2:] == ["source", "channel"]
    assert origins(messages, "p0") == {("RapidPro", "tel"), ("TelegramGroup", "telegram")}
    assert origins(individuals, "p0") == {("ambivalent", "ambivalent")}
    assert origins(individuals, "p1") == {("RapidPro", "tel")}
    assert origins(individuals, "t1") == {("TelegramGroup", "telegram")}
    assert {"source", "channel"}.isdisjoint(root.table("production")[0])


def test_without_the_key_there_is_no_column(tmp_path: Path):
    root = make(tmp_path, ())
    root.generate()
    for table in ("messages", "individuals"):
        assert {"source", "channel"}.isdisjoint(root.table(table)[0])


def test_one_column_alone_and_withdrawn_rows(tmp_path: Path):
    root = make(tmp_path, ("channel",))
    root.write_coded("s01e01", coda_message("answer p3", label("episode1", "STOP")))
    root.generate()
    rows = root.table("individuals")
    assert list(rows[0])[-1] == "channel"
    assert "source" not in rows[0]
    assert [row["channel"] for row in rows if row["uid"] == "STOP"] == ["STOP"]


def test_a_second_channel_leaves_what_a_full_run_leaves(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    root = make(tmp_path)
    root.generate()
    fill(root, "p4")
    root.generate()
    assert read_processed(caplog) == 1
    assert origins(root.table("individuals"), "p4") == {("ambivalent", "ambivalent")}
    full = DataRoot(tmp_path / "configuration", root.configuration)
    fill(full, "p4")
    full.generate(full=True)
    assert outputs_of(root) == outputs_of(full)


def test_a_channel_that_is_not_known_gives_way(tmp_path: Path):
    root = make(tmp_path)
    root.write_flow(POST, post_run("p1", "old", 77, None))
    root.generate()
    assert origins(root.table("messages"), "p1") == {("RapidPro", "tel"), ("TelegramGroup", "NA")}
    assert {channel for _, channel in origins(root.table("individuals"), "p1")} == {"tel"}


def test_the_analysis_breaks_themes_down_by_channel(tmp_path: Path):
    root = make(tmp_path)
    root.generate()
    season = load_season(load_project(root.configuration), root.path)
    themes = {row["Theme"]: row for row in season.theme_distributions.to_dict("records")}
    assert [themes["water"][f"channel:{name}"] for name in ("tel", "telegram", "ambivalent")] == [6, 1, 0]
    assert [themes["roads"][f"source:{name}"] for name in ("RapidPro", "TelegramGroup", "ambivalent")] == [5, 1, 1]
    demographics = season.demographic_distributions.to_dict("records")
    assert [row["Total Participants"] for row in demographics if row["Theme"] == "telegram"] == [2]
    found = [row for row in season.value_origins.to_dict("records") if row["Dataset"] == "channel"]
    assert [(row["Value"], row["Name"], row["Origin"], row["Participants"]) for row in found] == [
        ("tel", "tel", "message", 11),
        ("telegram", "telegram", "message", 2),
        ("ambivalent", "several", "message", 1),
        ("NA", "not known", "no answer", 0),
    ]
    grouping = next(one for one in list_groupings(season) if one.key == "channel")
    assert grouping.groups == ["tel", "telegram", "several"]
    assert season.basis(grouping.coding).say() == "14 participants, as their messages tell"
    assert {row.breakdown for row in Statistics(season).shares} >= {"source", "channel"}


def test_the_whole_analysis_and_explain_and_diff_know_the_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = make(tmp_path)
    root.generate()
    assert main(["explain", str(root.path), uid_of("p0")]) == 0
    document = json.loads(root.configuration.read_text())
    other = root.configuration.with_name("other.json")
    other.write_text(json.dumps(document | {"NoiseMinimumLength": 3}))
    assert main(["diff", str(root.configuration), str(other), "--data-root", str(root.path), "--jobs", "1"]) == 0
    season = load_season(load_project(root.configuration), root.path)
    assert season.share_intervals["Breakdown"].isin(["source", "channel"]).any()


def configure(root: DataRoot, **settings: Any) -> DataRoot:
    root.configuration.write_text(json.dumps(json.loads(root.configuration.read_text()) | settings))
    return root


def select(root: DataRoot, **keys: Any) -> Selected:
    people = read_people(load_project(root.configuration), root.path, datetime.now(UTC))
    return select_participants(ContactSelection.model_validate_json(json.dumps({"Name": "a", **keys})), people)


@pytest.mark.parametrize(
    ("condition", "selected"),
    [
        ("channel:telegram", {"t1", "t2"}),
        ("source:RapidPro and rqa_s01e01:water", {"p1", "p3", "p5", "p7", "p9", "p11"}),
        ("not channel:tel", {"p0", "t1", "t2"}),
        ("source:ambivalent", {"p0"}),
    ],
)
def test_a_selection_is_made_by_channel_and_source(tmp_path: Path, condition: str, selected: set[str]):
    root = make(tmp_path)
    root.generate()
    found = select(root, CodedWith=condition)
    assert set(found.uids) == set(map(uid_of, selected))
    assert found.notes == ()
    # The same condition passes the check of the configuration.
    assert main(["check", str(configure(root, Contacts=[{"Name": "a", "CodedWith": condition}]).configuration)]) == 0


def test_a_channel_that_nobody_has_is_told_and_a_sample_keeps_the_shares_of_channels(tmp_path: Path):
    root = make(tmp_path)
    root.generate()
    found = select(root, CodedWith="channel:telegramm")
    assert found.uids == ()
    assert found.notes == ("channel:telegramm: nobody has it; the values are tel, telegram, ambivalent, NA",)
    drawn = select(root, Sample={"Size": 7, "StratifyBy": "channel"}).uids
    assert len({uid_of("t1"), uid_of("t2")}.intersection(drawn)) == 1


def test_the_gate_and_the_report_hold_rare_channels_back(tmp_path: Path):
    disclosure = {"KAnonymity": 4, "Columns": ["channel", "listening_group_mothers"]}
    root = configure(
        make(tmp_path), Disclosure=disclosure, ListeningGroups=[{"Name": "mothers", "Files": ["mothers.csv"]}]
    )
    (root.configuration.parent / "mothers.csv").write_text(f"uid\n{uid_of('p5')}\n")
    assert main(["check", str(root.configuration)]) == 0
    root.generate()
    project = load_project(root.configuration)
    (tmp_path / "copies").mkdir()
    found = pass_tables(project, root.outputs, tmp_path / "copies")
    rare = {uid_of(name) for name in ("p0", "t1", "t2", "p5")}
    assert set(found.rare) == rare
    with (tmp_path / "copies" / "individuals.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for column in disclosure["Columns"]:
        assert {row["uid"] for row in rows if row[column] == WITHHELD} == rare
        assert not {row["uid"] for row in rows if row["source"] == WITHHELD}
    season = load_season(project, root.path)
    assert [one.coded_field for one in withheld_codings(project, season.breakdowns)] == disclosure["Columns"]
    assert find_rare(project, season.individuals, season.breakdowns).sum() == len(rare)


def weigh(root: DataRoot, *rows: str) -> DataRoot:
    (root.configuration.parent / "margins.csv").write_text("\n".join(("variable,value,share", *rows)) + "\n")
    return configure(root, AutomatedAnalysis={"Statistics": {"PopulationMarginsFile": "margins.csv"}})


def test_shares_are_weighted_by_channel(tmp_path: Path):
    # Nobody wrote by WhatsApp: that share goes to the others.
    root = weigh(make(tmp_path), "channel,tel,0.4", "channel,telegram,0.4", "channel,whatsapp,0.2")
    assert main(["check", str(root.configuration)]) == 0
    root.generate()
    rows = Statistics(load_season(load_project(root.configuration), root.path)).weighted_shares
    water = next(row for row in rows if row.theme == "water")
    # 6 of the 11 by SMS and 1 of the 2 in the group, half of the weight each; p0 has both channels.
    assert (water.n, water.base) == (7, 13)
    assert water.percent_weighted == pytest.approx(100 * (6 / 11 + 1 / 2) / 2)


def test_a_source_that_the_project_lacks_is_no_value_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    selections = [{"Name": "a", "CodedWith": "source:KoboToolbox"}, {"Name": "b", "CodedWith": "chanel:tel"}]
    root = configure(weigh(make(tmp_path), "source,Kobo,1"), Contacts=selections)
    assert main(["check", str(root.configuration)]) == 10
    out = capsys.readouterr().out
    assert "'KoboToolbox' is no value of 'source'" in out
    assert "'chanel' is no dataset; expected one" in out
    assert "'channel'" in out
    assert "'source' has no value 'Kobo'" in out


@pytest.mark.parametrize(
    ("columns", "said"), [(("channel", "channel"), "there twice"), (("flow",), "OriginColumns[0]")]
)
def test_columns_that_cannot_be_are_refused(
    tmp_path: Path, columns: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
):
    configuration = write_project(tmp_path, lambda document: add_post(document, columns))
    assert main(["check", str(configuration)]) == 10
    assert said in capsys.readouterr().out


def test_a_name_that_a_plan_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def rename(plans: dict[str, Any]) -> None:
        plans["DemographicCodingPlans"][-1]["CodingConfigurations"][0]["AnalysisFileKey"] = "channel"

    configuration = write_project(tmp_path, add_post, rename)
    assert main(["check", str(configuration)]) == 10
    assert "'channel' is a column of a coding plan already" in capsys.readouterr().out
