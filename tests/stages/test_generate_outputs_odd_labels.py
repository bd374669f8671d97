"""Stage 3 with suggestions, where people withdraw after a model was made, and where labels are not what they should be."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from example_project import EPISODE_FLOW, Document, episode_run, label, write_project
from incremental_runs import outputs_of
from suggested_season import LABELLED, OPEN, THEMES, WORDS_OF, Season, labels_of, text_of, with_suggestions

ETHIOPIC = str.maketrans({chr(ord("a") + n): chr(0x1200 + 8 * n) for n in range(26)})


def make(folder: Path, settings: object = True) -> Season:
    folder.mkdir()
    return Season(folder, settings)


def withdraw(season: Season, *texts: str) -> None:
    """Let everybody who wrote one of the texts write that they leave."""
    for name in [name for name, text in season.texts.items() if text in texts]:
        season.texts[f"{name} leaves"] = f"jooji {name}"
        season.coded[f"jooji {name}"] = [label("episode1", "STOP")]


def test_nothing_is_kept_of_who_withdraws_after_a_model_was_made(tmp_path: Path):
    left, leaving = "qorrax kulul badan 1", "ceel biyo dhaan barkad 77"
    before, never = make(tmp_path / "before"), make(tmp_path / "never")
    for season in (before, never):
        season.coded["jooji"] = [label("episode1", "STOP")]
    before.texts |= {"l1": left, "l2": leaving}
    before.coded[left] = [label("episode1", "water")]
    before.write().generate()
    assert leaving in before.suggested()
    [model] = before.state.glob("*.npz")
    learnt = model.read_bytes()
    (before.state / f"{model.name}.partial").write_bytes(learnt)
    flow = before.root.path / "Raw Data" / f"{EPISODE_FLOW.format(1)}.jsonl"
    stops = (episode_run(name, "jooji", run_id=9000 + n) for n, name in enumerate(("l1", "l2")))
    flow.write_text(flow.read_text() + "".join(stops))
    before.root.generate()
    never.write().generate()
    assert leaving not in before.suggested()
    assert {path.name for path in before.state.iterdir()} == {path.name for path in never.state.iterdir()}
    [of_never] = never.state.glob("*.npz")
    assert learnt != model.read_bytes() == of_never.read_bytes()
    assert before.report() == never.report()


@pytest.mark.parametrize("has_more", [False, True], ids=["one plan", "plans that copy and answer twice"])
def test_no_output_but_suggestions_themselves_changes(tmp_path: Path, has_more: bool):
    found = []
    for settings in (True, None):
        season = make(tmp_path / f"settings {settings}", settings)
        if has_more and settings:
            write_project(season.root.configuration.parent, change_plans=with_suggestions(plans=(0, 1)))
        if has_more:
            withdraw(season, text_of(3), text_of(250))
            season.texts["again"] = text_of(5)
        season.write().generate()
        if settings:
            suggested = season.root.coda_file("s01e01")
        # What was suggested comes back from Coda, unticked.
        season.root.write_coded("s01e01", *_as_in_coda(season, suggested))
        season.root.generate()
        found.append({
            name: content for name, content in outputs_of(season.root).items()
            if "uggestions/" not in name and "Coda Files/EXAMPLE_s01e01" not in name and not _names_configuration(name)
        })  # fmt: skip
    assert len(found[0]) > 10
    assert found[0].keys() == found[1].keys()
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []


def _as_in_coda(season: Season, suggested: list[Document]) -> list[Document]:
    return [{**one, "Labels": season.coded.get(one["Text"]) or one["Labels"]} for one in suggested]


def _names_configuration(name: str) -> bool:
    return "configuration" in name or name.startswith("State/")


def _unknown(number: int) -> list[Document]:
    return [label("episode1", "of_last_year")] if number % 8 == 0 else labels_of(number)


def _one(number: int) -> list[Document]:
    return [label("episode1", "water")]


def _wrong(number: int) -> list[Document]:
    chooser = random.Random(number)
    return [label("episode1", chooser.choice(THEMES))] if chooser.random() < 0.15 else labels_of(number)


def _in_two_scripts(number: int) -> str:
    text = text_of(number)
    return text.translate(ETHIOPIC) if number // 3 % 2 else text


@pytest.mark.parametrize(
    ("write", "labels", "why_none", "fewest"),
    [
        pytest.param(text_of, _unknown, None, 20, id="labels of unknown codes"),
        pytest.param(text_of, _one, "all 240 labelled texts have one code", 0, id="one class only"),
        pytest.param(lambda n: f"haa {n}", labels_of, "no confidence is right in 90% of cases", 0, id="texts alike"),
        pytest.param(text_of, _wrong, None, 0, id="one label of ten is wrong"),
        pytest.param(_in_two_scripts, labels_of, None, 20, id="two scripts"),
    ],
)
def test_odd_labels_stop_nothing_and_why_nothing_is_suggested_is_told(
    tmp_path: Path, write: Callable[[int], str], labels: Callable[[int], list[Document]], why_none: str | None, fewest: int
):  # fmt: skip
    season = make(tmp_path / "season")
    season.texts = {f"p{number}": write(number) for number in range(LABELLED + OPEN)}
    season.coded = {write(number): labels(number) for number in range(LABELLED)}
    season.write().generate()
    suggested = season.suggested()
    assert len(suggested) >= fewest
    assert bool(suggested) != bool(season.report()["why_none"])
    if why_none is not None:
        assert season.report()["why_none"].startswith(why_none)
    numbers = {write(number): number for number in range(LABELLED + OPEN)}
    right = [codes[0][1] in WORDS_OF(text_of(numbers[text])) for text, codes in suggested.items()]
    assert sum(right) >= 0.85 * len(right)


def test_a_scheme_that_changed_since_is_learnt_again_without_its_old_codes(tmp_path: Path):
    season = make(tmp_path / "season", {"MinimumLabelled": 100})
    season.write().generate()
    before = {code for codes in season.suggested().values() for _, code in codes}
    assert "episode1-roads" in before

    def change(schemes: dict[str, Document]) -> None:
        schemes["episode1"]["Codes"] = [
            code for code in schemes["episode1"]["Codes"] if code["CodeID"] != "episode1-roads"
        ]

    plans = with_suggestions({"MinimumLabelled": 100})
    write_project(season.root.configuration.parent, change_plans=plans, change_schemes=change)
    season.root.generate()
    after = {code for codes in season.suggested().values() for _, code in codes}
    assert after == before - {"episode1-roads"}
    assert season.report()["labelled"] < LABELLED
