"""How sure the report is: who labelled what, how far coders agree, small bases, and shares that moved since the last run."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from engagement.analysis.report.coder_agreement import CoderAgreement, read_agreement
from engagement.analysis.report.labels import read_label_origins, say_labels, tabulate_labels
from engagement.analysis.report.last_run import FIGURES
from engagement.analysis.report.report import write_report
from engagement.analysis.report.tables import PageTable, make_table, make_values_table
from engagement.analysis.tables.label_origins import Maker, count_label_origins, find_maker, write_label_origins
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from engagement.foundation.errors import InputError
from example_project import DataRoot, Document, coda_message, episode_run, label, survey_run


def proposal(scheme: str, code: str, origin: str = "somali.gender") -> Document:
    """What the pipeline proposes: not ticked, and not a person's."""
    maker = {"OriginID": origin, "Name": "Pipeline Auto-Coder", "OriginType": "External"}
    return {**label(scheme, code, checked=False), "Origin": maker}


SUGGESTED = proposal("gender", "man", "suggestion:1")


@pytest.mark.parametrize(
    ("labels", "maker"),
    [
        ([label("gender", "man")], Maker.CODER),
        ([label("gender", "man"), proposal("gender", "man")], Maker.CLEANER),
        # The coder saw the proposal and decided otherwise.
        ([label("gender", "woman"), proposal("gender", "man")], Maker.CODER),
        ([label("gender", "man"), SUGGESTED], Maker.SUGGESTION),
        # One scheme of two as proposed, the other of the coder's own.
        ([label("gender", "man"), label("age", "20"), proposal("gender", "man")], Maker.CODER),
        # Older tools ticked the pipeline's label itself.
        ([{**proposal("gender", "man"), "Checked": True}], Maker.CLEANER),
        ([{**SUGGESTED, "Checked": True}], Maker.SUGGESTION),
        # A label that does not say who made it is a person's: only people tick.
        ([{"SchemeID": "Scheme-gender", "CodeID": "gender-man", "Checked": True}], Maker.CODER),
        # Ticked, and taken off again; never ticked; nothing at all: no coder's label counts.
        ([label("gender", "SPECIAL-MANUALLY_UNCODED"), label("gender", "man")], Maker.RULE),
        ([proposal("gender", "man")], Maker.RULE),
        ([], Maker.RULE),
    ],
)
def test_a_label_is_a_coders_unless_it_was_proposed(labels: list[Document], maker: Maker):
    assert find_maker(labels) is maker


def season_of(root: DataRoot) -> Season:
    root.generate()
    return load_season(load_project(root.configuration), root.path)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    """Five genders: one a coder's own, one as a cleaner proposed, one as suggested, one proposed only, one bare."""
    root = DataRoot(tmp_path)
    genders = ("nin", "naag", "wiil", "gabar", "qof")
    root.write_runs(
        *(episode_run(f"p{n}", "biyo", run_id=n) for n in range(6)),
        *(survey_run(f"p{n}", 100 + n, gender=text) for n, text in enumerate(genders)),
    )
    root.write_coded(
        "gender",
        coda_message("nin", label("gender", "man")),
        coda_message("naag", label("gender", "woman"), proposal("gender", "woman")),
        coda_message("wiil", label("gender", "man"), SUGGESTED),
        coda_message("gabar", proposal("gender", "woman")),
        # Nobody in the season wrote this.
        coda_message("hooyo", label("gender", "woman")),
    )
    return root


def test_every_text_of_a_dataset_has_one_maker_or_none(root: DataRoot, tmp_path: Path):
    season = season_of(root)
    rows = count_label_origins(season, root.path)
    by_dataset = {row.dataset: row for row in rows}
    assert by_dataset["EXAMPLE_gender"][1:] == (5, 1, 1, 1, 0, 2, 1)
    # No file, so nothing is coded.
    assert by_dataset["EXAMPLE_s01e01"][1:] == (1, 0, 0, 0, 0, 1, 0)
    progress = season.coding_progress.set_index("Dataset")
    for row in rows:
        assert row.texts == row.coders + row.cleaners + row.suggestions + row.rules + row.unlabelled
        assert row.texts - row.unlabelled == progress.loc[row.dataset, "Labelled Texts"]
    write_label_origins(rows, tmp_path)
    assert read_label_origins(tmp_path) == rows
    assert say_labels(rows).endswith("50.0 % not labelled; of 6 texts")
    table = tabulate_labels(rows)
    assert [cell.text for cell in table.rows[0]][:3] == ["all datasets", "6", "16.7"]
    assert table.columns[1].is_number


def test_without_a_table_beside_it_nothing_is_said(tmp_path: Path):
    assert read_label_origins(tmp_path) == []
    assert not CoderAgreement().columns_of("rqa_s01e01")


def test_a_damaged_coda_file_is_named(root: DataRoot):
    season = season_of(root)
    (root.path / "Coded Coda Files" / "EXAMPLE_gender.json").write_text('[{"Text": "nin"}]')
    with pytest.raises(InputError, match=r"EXAMPLE_gender\.json: 1 problem[^$]*\$\[0\]: no MessageID[^-]*--full"):
        count_label_origins(season, root.path)


HEADER = "level,code,coefficient,messages,estimate,low_bootstrap,high_bootstrap,dataset\n"


def write_agreement(folder: Path) -> None:
    (folder / "statistics").mkdir(parents=True)
    (folder / "statistics" / "agreement.csv").write_text(
        HEADER + "all codes,,percent_agreement,40,0.9,0.8,0.95,rqa_s01e01\n"
        "all codes,,krippendorff_alpha,40,0.8123,0.7,0.9,rqa_s01e01\n"
        "all codes,,gwet_ac1,40,0.88,0.8,0.93,rqa_s01e01\n"
        "code,water,krippendorff_alpha,40,0.71,0.5,0.9,rqa_s01e01\n"
        "code,water,gwet_ac1,40,0.954,0.9,1.0,rqa_s01e01\n"
        "code,school,krippendorff_alpha,40,,,,rqa_s01e01\n"
        "code,school,gwet_ac1,40,1.0,1.0,1.0,rqa_s01e01\n"
    )


def cells_of(table: PageTable, first: str) -> list[str]:
    return next([cell.text for cell in row] for row in table.rows if row[0].text == first)


def test_alpha_and_ac1_stand_beside_each_theme(root: DataRoot, tmp_path: Path):
    write_agreement(tmp_path / "made")
    season, agreement = season_of(root), read_agreement(tmp_path / "made")
    (_, first), (_, second) = season.episodes
    table = make_values_table(season, first, is_episode=True, agreement=agreement)
    assert [column.name for column in table.columns][-3:] == ["Coders' alpha", "Coders' AC1", "Compared"]
    assert cells_of(table, "water")[-3:] == ["0.71", "0.95", "40"]
    # Nothing varies, so alpha is not defined; no coder used the last.
    assert cells_of(table, "school")[-3:] == ["–", "1.00", "40"]
    assert cells_of(table, "roads")[-3:] == ["", "", ""]
    assert any("Coders' alpha" in note for note in table.notes)
    other = make_values_table(season, second, is_episode=True, agreement=agreement)
    assert [column.name for column in other.columns][-1] == "95 % interval"
    assert list(agreement.say()) == ["rqa_s01e01: alpha 0.81, AC1 0.88 (n = 40 messages)"]


@pytest.mark.parametrize(("base", "mark"), [(0, ""), (9, "†"), (10, "†"), (29, "†"), (30, "")])
def test_a_base_under_thirty_is_marked_and_the_mark_explained(base: int, mark: str):
    table = make_table("caption", ["Theme", "Base", "Share %"], [["water", base, ""]], 10)
    assert (table.rows[0][1].mark.sign if table.rows[0][1].mark else "") == mark
    assert any("fewer than 30" in note for note in table.notes) == bool(mark)
    # The note of whoever made the table explains it already.
    said = make_table("caption", ["Base"], [[base]], notes=["† Small base: …"])
    assert len(said.notes) == 1


def write_season(root: DataRoot, waters: list[int]) -> Season:
    """Thirty participants for each number, of whom so many write of water and the others of roads."""
    runs, texts = [], []
    for group, count in enumerate(waters):
        for n in range(30):
            number = 30 * group + n
            texts.append((f"qoraal {number}", "water" if n < count else "roads"))
            runs.append(
                episode_run(f"p{number}", texts[-1][0], 1, f"2026-04-{5 + group:02}T12:{n:02}:00+03:00", number)
            )
    root.write_runs(*runs)
    root.write_coded("s01e01", *(coda_message(text, label("episode1", code)) for text, code in texts))
    return season_of(root)


@pytest.mark.parametrize(("added", "has_moved"), [(27, True), (4, False)])
def test_a_share_that_moved_by_more_than_chance_is_news(tmp_path: Path, added: int, has_moved: bool):
    root = DataRoot(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    write_report(write_season(root, [3]), [], [], first / "report.html")
    assert "This is the first report" in (first / "report.html").read_text()
    write_report(write_season(root, [3, added]), [], [], second / "report.html", first / FIGURES)
    page = (second / "report.html").read_text()
    top = page.partition('id="themes"')[0]
    assert "30 new messages, 30 new participants, 30 new labelled texts" in top
    # Water and roads are each other's rest; nobody writes of school, before or since.
    assert f"{2 if has_moved else 0} shares of 3 moved by more than chance" in top
    told = re.findall(r"<bdi>([^<]*)</bdi>", top.partition("Shares that moved by more than chance")[2])
    assert bool(told) == has_moved
    if has_moved:
        row = next(told[at : at + 6] for at in range(0, len(told), 6) if told[at + 1] == "water")
        # By hand, from the Wilson intervals of both shares: 0.8 - 0.2209 and 0.8 + 0.0925.
        assert row == ["rqa_s01e01", "water", "10.0 % of 30", "90.0 % of 30", "50.0 % of 60", "+57.9 to +89.2"]


def test_people_who_withdrew_since_are_told(tmp_path: Path):
    root = DataRoot(tmp_path)
    season = write_season(root, [3])
    write_report(season, [], [], tmp_path / "report.html")
    figures = tmp_path / FIGURES
    (tmp_path / "second").mkdir()
    season = replace(
        season,
        funnel=replace(season.funnel, withdrawn_participants=2),
        source=replace(season.source, timestamp="2026-05-01T00:00:00+00:00"),
    )
    write_report(season, [], [], tmp_path / "second" / "report.html", figures)
    told = "2 more participants withdrew: none of their messages count any more."
    assert told in (tmp_path / "second" / "report.html").read_text()
    # An earlier version did not keep how many had.
    document = json.loads(figures.read_text())
    del document["this"]["withdrawn"]
    figures.write_text(json.dumps(document))
    write_report(season, [], [], tmp_path / "second" / "report.html", figures)
    assert "withdrew:" not in (tmp_path / "second" / "report.html").read_text()


FIGURES_OF_A_RUN = '{"this": {"run": "x", "messages": 1, "participants": 1, "labelled": 1, %s}, "last": null}'


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "3", '{"this": 3}', '{"this": {"run": "x"}, "last": null}', '{"this": {}, "last": {}}',
        FIGURES_OF_A_RUN % '"shares": {"rqa_s01e01": [1]}',
        FIGURES_OF_A_RUN % '"shares": {"rqa_s01e01": {"water": 5}}',
        FIGURES_OF_A_RUN % '"shares": {"rqa_s01e01": {"water": ["5", null]}}',
        FIGURES_OF_A_RUN % '"shares": {}, "withdrawn": "2"',
    ],
)  # fmt: skip
def test_damaged_figures_of_the_last_run_are_no_last_run(tmp_path: Path, content: str):
    season = write_season(DataRoot(tmp_path), [3])
    (tmp_path / FIGURES).write_text(content)
    write_report(season, [], [], tmp_path / "report.html", tmp_path / FIGURES)
    assert "This is the first report" in (tmp_path / "report.html").read_text()
