"""Stage 3 with suggestions: for texts that nobody labelled, learnt from what people ticked, and never counted as labels."""

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from engagement.labelling.datasets.adjudications import Decision, keep_decisions
from example_project import EPISODE_FLOW, Document, coda_message, episode_run, label, write_project
from incremental_runs import outputs_of
from suggested_season import LABELLED, OPEN, THEMES, WORDS, WORDS_OF, Season, text_of, with_suggestions


@pytest.fixture
def season(tmp_path: Path) -> Season:
    return Season(tmp_path)


def test_open_texts_get_suggestions_and_no_table_changes(season: Season, tmp_path: Path):
    season.write().generate()
    (tmp_path / "without").mkdir()
    without = Season(tmp_path / "without", settings=None)
    without.write().generate()
    for name in ("messages.csv", "individuals.csv", "production.csv"):
        assert (season.root.outputs / name).read_bytes() == (without.root.outputs / name).read_bytes()
    assert not (without.root.outputs / "Suggestions").exists() and not without.state.exists()
    suggested = season.suggested()
    assert not suggested.keys() & season.coded.keys()
    right = [text for text, found in suggested.items() if found[0][1] in WORDS_OF(text)]
    assert len(suggested) > OPEN / 2 and len(right) > 0.9 * len(suggested)
    # Into the copy that the dataset uses.
    assert {scheme for found in suggested.values() for scheme, _ in found} == {"Scheme-episode1", "Scheme-episode1-1"}
    for message in season.root.coda_file("s01e01"):
        for found in message["Labels"]:
            assert found["Checked"] is False and found["Origin"]["OriginID"].startswith("suggestion:")
            assert found["DateTimeUTC"] == message["CreationDateTimeUTC"] and 0 < found["Confidence"] <= 1
    assert season.report()["suggested"] == len(suggested)
    assert season.report()["why_none"] is None


def test_labels_that_are_not_ticked_by_people_teach_nothing(season: Season):
    season.coded = {text: [{**one, "Checked": False} for one in labels] for text, labels in season.coded.items()}
    season.write().generate()
    assert season.suggested() == {}
    assert season.report()["labelled"] == 0 and "no text is labelled yet" in season.report()["why_none"]


def test_few_labels_are_too_few(season: Season):
    season.coded = dict(list(season.coded.items())[:60])
    season.write().generate()
    assert season.suggested() == {}
    assert season.report()["why_none"] == "60 labelled; expected 200 before the first suggestion"


def test_the_bytes_depend_on_nothing_else(season: Season, tmp_path: Path):
    season.write().generate(partitions=3, jobs=2)
    (tmp_path / "other").mkdir()
    other = Season(tmp_path / "other")
    other.write(shuffled=True).generate(full=True)
    found, expected = outputs_of(season.root), outputs_of(other.root)
    names = [name for name in expected if "uggestions/" in name or "Coda Files" in name]
    assert any(name.endswith(".npz") for name in names)
    # What was kept says from which bytes it was made, and those of a shuffled file are others.
    kept = "State/suggestions/EXAMPLE_s01e01.json"
    assert {name: found[name] for name in names if name != kept} == {n: expected[n] for n in names if n != kept}


def test_models_are_learnt_again_only_if_labels_changed(season: Season):
    season.write().generate()
    [model] = season.state.glob("*.npz")
    before, suggested = model.stat(), season.suggested()
    season.texts["late"] = "biyo barkad ceel dhaan 999"
    season.write().generate()
    assert (model.stat().st_ino, model.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert season.suggested().keys() >= suggested.keys()
    season.coded["biyo barkad ceel dhaan 999"] = [label("episode1", "water")]
    season.write().generate()
    assert model.stat().st_ino != before.st_ino


def test_of_two_schemes_only_the_one_whose_labels_changed_is_learnt_again(season: Season):
    def add_scheme(document: Document) -> None:
        with_suggestions()(document)
        [first] = document["RQACodingPlans"][0]["CodingConfigurations"]
        other = {"CodeScheme": "episode2.json", "CodedField": "mood_coded", "AnalysisFileKey": "mood"}
        document["RQACodingPlans"][0]["CodingConfigurations"].append({**first, **other})

    write_project(season.root.configuration.parent, change_plans=add_scheme)
    for number, labels in enumerate(season.coded.values()):
        labels.append(label("episode2", "hope" if number % 3 else "worry"))
    season.write().generate()
    [topic, mood] = sorted(season.state.glob("*.npz"))
    assert topic.name.endswith("episode1.npz") and mood.name.endswith("episode2.npz")
    before = [path.stat().st_ino for path in (topic, mood)]
    season.coded[text_of(1)][-1] = label("episode2", "worry")
    season.write().generate()
    assert topic.stat().st_ino == before[0]
    assert mood.stat().st_ino != before[1]


def test_second_coders_and_decisions_are_allowed_for(season: Season):
    late = "biyo barkad ceel dhaan 999"
    season.texts["late"], season.coded[late] = late, []
    season.write().generate()
    assert season.report()["double_coded"] == 0 and late in season.suggested()
    again = [
        coda_message(text_of(number), label("episode1", "roads" if number < 30 else THEMES[number % 3]))
        for number in range(150)
        if number % 6
    ]
    season.root.write_coded("s01e01_second", *again)
    season.root.generate()
    assert season.report()["double_coded"] == len(again)
    assert season.report()["labelled"] == LABELLED and 0 < season.report()["coder_error"] < 0.2
    [message_id] = [found["MessageID"] for found in season.root.coda_file("s01e01") if found["Text"] == late]
    decision = Decision(message_id, "Scheme-episode1", ("episode1-school",), "Asha", "2026-06-01T10:00:00.000+00:00")
    keep_decisions(season.root.path, "EXAMPLE_s01e01", [decision])
    season.root.generate()
    assert season.report()["labelled"] == LABELLED + 1 and late not in season.suggested()


@pytest.mark.parametrize("damage", [b"PK\x03\x04 not a model", "cut", "turned"])
def test_a_damaged_model_is_learnt_again(season: Season, damage: bytes | str):
    season.write().generate()
    expected = outputs_of(season.root)
    [model] = season.state.glob("*.npz")
    content = bytearray(model.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "turned":
        content[len(content) // 2] ^= 255
    model.write_bytes(damage if isinstance(damage, bytes) else bytes(content))
    (season.state / "EXAMPLE_s01e01.json").write_text('{"digest": "of another night"}')
    (season.state / "EXAMPLE_s01e01.json.partial").write_text("left by a run that was killed")
    season.root.generate()
    assert outputs_of(season.root) == expected


def test_people_who_withdrew_teach_nothing_and_get_nothing(season: Season, tmp_path: Path):
    left = {"l1": "qorrax kulul 1", "l2": "qorrax kulul 2", "l3": "ceel biyo dhaan barkad 77"}
    runs = [
        *(episode_run(name, text, run_id=5000 + n) for n, (name, text) in enumerate(left.items())),
        *(episode_run(name, f"jooji {name}", run_id=6000 + n) for n, name in enumerate(left)),
    ]
    of_left = {
        "qorrax kulul 1": [label("episode1", "water")],
        "qorrax kulul 2": [label("episode1", "water")],
        "ceel biyo dhaan barkad 77": [],
        **{f"jooji {name}": [label("episode1", "STOP")] for name in left},
    }

    def generate(there: Season, more_runs: list[str], coded: dict[str, list[Document]]) -> bytes:
        there.coded |= coded
        there.write()
        flow = there.root.path / "Raw Data" / f"{EPISODE_FLOW.format(1)}.jsonl"
        flow.write_text(flow.read_text() + "".join(more_runs))
        there.root.generate()
        [model] = there.state.glob("*.npz")
        return model.read_bytes()

    (tmp_path / "without").mkdir()
    without = Season(tmp_path / "without")
    assert generate(season, runs, of_left) == generate(without, [], {})
    assert season.suggested() == without.suggested()
    assert "ceel biyo dhaan barkad 77" not in season.suggested()
    assert season.report() == without.report()


def test_what_was_learnt_is_forgotten_with_the_last_label(season: Season):
    season.write().generate()
    assert list(season.state.glob("*.npz"))
    season.coded = {}
    season.write().generate()
    assert not list(season.state.glob("*.npz"))
    write_project(season.root.configuration.parent)
    season.root.generate()
    assert not season.state.exists() and not (season.root.outputs / "Suggestions").exists()


def test_a_model_holds_no_text(season: Season):
    season.write().generate()
    [model] = season.state.glob("*.npz")
    with numpy.load(model, allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays.files if name not in ("codes", "digest")} <= {"f", "u", "b"}
        assert set(arrays["codes"].tolist()) <= {f"episode1-{theme}" for theme in THEMES}
    content = b"".join(path.read_bytes() for path in season.state.iterdir())
    assert not any(word.encode() in content for words in WORDS.values() for word in words.split() if len(word) > 5)


def test_coders_get_a_reading_list_by_message_id(season: Season):
    for number in range(12):
        season.texts[f"w{number}"] = f"jinsi da'da magaca {number}"
        season.coded[f"jinsi da'da magaca {number}"] = [label("episode1", "WS")]
    season.texts["open"] = "jinsi da'da magaca 99"
    season.write().generate()
    lines = (season.root.outputs / "Suggestions" / "EXAMPLE_s01e01.csv").read_text().splitlines()
    assert lines[0] == "Message ID,Scheme,Why"
    assert lines[1] == f"{coda_message("jinsi da'da magaca 99")['MessageID']},episode1,perhaps STOP or WS"
    assert any(line.endswith(",teaches most") for line in lines)
    assert "jinsi da'da magaca 99" not in season.suggested()


def test_before_coding_nothing_is_suggested(season: Season):
    season.write().generate(mode="auto-code-only")
    assert season.suggested() == {} and not (season.root.outputs / "Suggestions").exists()


@pytest.mark.parametrize("settings", [None, True])
def test_a_project_without_suggestions_imports_nothing_for_them(tmp_path: Path, settings: object):
    season = Season(tmp_path, settings)
    root = season.write()
    code = (
        "import sys; from engagement.__main__ import main; "
        "status = main(sys.argv[1:]); print([name in sys.modules for name in "
        "('sklearn', 'scipy', 'engagement.labelling.suggestions.nightly')]); sys.exit(status)"
    )
    command = ["generate-outputs", "--user", "tester", "--credentials", root.credentials, "--pipeline-configuration"]
    command += [root.configuration, "--data-root", root.path]
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, command)], check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip
    assert done.stdout.strip().endswith(str([settings is not None] * 3))
