"""The commands that suggest labels by hand, and that show what suggestions would have been worth."""

import argparse
import dataclasses
import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from tests.suggestion_examples import SCHOOL, make_messages, make_scheme, make_scheme_document

from engagement.configuration import CodingConfiguration, CodingMode, FoldStrategy
from engagement.configuration.suggestion_settings import Suggestions
from engagement.desk import evaluate_suggestions, suggest_labels
from engagement.foundation.errors import ConfigurationError, InputError, MachineError, PipelineError, UsageError
from engagement.labelling.suggestions import day_by_day
from engagement.labelling.suggestions.advice import Recommendation, advise
from engagement.labelling.suggestions.day_by_day import Day
from engagement.labelling.suggestions.examples import LabelledTexts
from engagement.labelling.suggestions.suggestions import SchemeSuggestions, SuggestionSettings, suggest


def run(folder: Path, *options: str) -> None:
    parser = argparse.ArgumentParser()
    suggest_labels.add_arguments(parser)
    paths = ["--coda-file", "coded.json", "--code-scheme", "topic.json", "--output", "suggested.json"]
    given = [str(folder / one) if one.endswith(".json") else one for one in (*paths, *options)]
    suggest_labels.run(parser.parse_args(given))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "coded.json").write_text(json.dumps(make_messages(240, 60)), encoding="utf-8")
    (tmp_path / "topic.json").write_text(json.dumps(make_scheme_document()), encoding="utf-8")
    return tmp_path


def test_the_output_is_the_input_with_suggestions_and_the_same_every_time(folder: Path):
    (folder / "suggested.json").write_text("an older one, much longer " * 100_000)
    run(folder, "--report", "report.json")
    before, after = (json.loads((folder / name).read_text()) for name in ("coded.json", "suggested.json"))
    assert [{**one, "Labels": []} for one in after] == [{**one, "Labels": []} for one in before]
    assert after[:240] == before[:240]
    assert sum(bool(one["Labels"]) for one in after[240:]) > 40
    report = json.loads((folder / "report.json").read_text())
    assert set(report["messages"]) == {one["MessageID"] for one in before[240:]}
    first = (folder / "suggested.json").read_bytes()
    shutil.copy(folder / "suggested.json", folder / "coded.json")
    run(folder)
    assert (folder / "suggested.json").read_bytes() == first
    assert sorted(path.name for path in folder.iterdir()) == [
        "coded.json",
        "report.json",
        "suggested.json",
        "topic.json",
    ]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("coded.json", None, UsageError),
        ("coded.json", "[{", InputError),
        ("coded.json", '{"a": 1}', InputError),
        ("coded.json", '[{"Text": "a"}]', InputError),
        ("topic.json", None, PipelineError),
        ("topic.json", "[", (ConfigurationError, InputError)),
        ("topic.json", '{"SchemeID": "Scheme-topic"}', (ConfigurationError, InputError)),
    ],
)
def test_bad_input_is_told_and_the_output_stays(folder: Path, name: str, content: str | None, error):
    (folder / "suggested.json").write_text("of yesterday")
    (folder / name).unlink() if content is None else (folder / name).write_text(content)
    with pytest.raises(error, match=name):
        run(folder)
    assert (folder / "suggested.json").read_text() == "of yesterday"


def test_all_files_that_are_not_there_are_named_at_once(folder: Path):
    (folder / "coded.json").unlink()
    with pytest.raises(
        UsageError, match=r"coded\.json: no such file; .*\n.*other\.json: no such file; expected a code"
    ):
        run(folder, "--code-scheme", "other.json")


def test_without_the_library_one_line_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else find(name))
    with pytest.raises(MachineError, match="PIPELINE_SUGGESTIONS=yes") as caught:
        run(folder)
    assert "\n" not in str(caught.value)
    assert not (folder / "suggested.json").exists()


def make_coding(suggestions: Suggestions | None = None) -> CodingConfiguration:
    strategy = FoldStrategy.ASSERT_LABEL_IDS_EQUAL
    one = CodingConfiguration(
        CodingMode.SINGLE, make_scheme(), "topic.json", "topic_coded", None, strategy, None, False
    )
    return dataclasses.replace(one, suggestions=suggestions)


def test_the_evaluation_prints_a_day_before_it_learns_for_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "coded.json").write_text(json.dumps(make_messages(400, 0)), encoding="utf-8")
    one = make_coding()
    learnt: list[int] = []

    def learn_and_count(labelled: LabelledTexts, settings: SuggestionSettings) -> SchemeSuggestions:
        learnt.append(len(labelled.examples))
        return suggest(labelled, settings)

    monkeypatch.setattr(day_by_day, "suggest", learn_and_count)
    lines = [(line, len(learnt)) for line in evaluate_suggestions._evaluate(folder / "coded.json", "s01e01", one, {})]
    assert learnt == [200, 300]
    # The title and the heading come at once; the last days learn.
    assert [count for _, count in lines] == [0, 0, 0, 0, 1, 2, 2, 2, 2]
    assert lines[0][0] == "s01e01, scheme Topic:"
    assert [line.split()[0] for line, _ in lines[1:7]] == ["day", *(f"2026-05-0{day}" for day in range(1, 5)), "all"]
    ends = {len(line) for line, _ in lines[1:7]}
    assert len(ends) == 1, lines


def test_the_evaluation_takes_the_schemes_own_settings(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "coded.json").write_text(json.dumps(make_messages(200, 0)), encoding="utf-8")
    asked: list[SuggestionSettings] = []

    def ask(labelled: LabelledTexts, settings: SuggestionSettings) -> SchemeSuggestions:
        asked.append(settings)
        return SchemeSuggestions(labelled)

    monkeypatch.setattr(day_by_day, "suggest", ask)
    wanted = Suggestions.model_validate({"Precision": 0.97, "MinimumLabelled": 40, "BlindShare": 0.2})
    list(evaluate_suggestions._evaluate(folder / "coded.json", "s01e01", make_coding(wanted), {}))
    assert asked == [SuggestionSettings(0.97, 40, 0.2)]


@pytest.mark.parametrize(
    ("messages", "settings", "verdict", "end"),
    [
        (make_messages(400, 0), {}, "worth it", "Worth it."),
        (make_messages(150, 0), {}, "too early to tell", "150 labelled; expected a day with 200 labelled before it (MinimumLabelled)."),
        (make_messages(400, 0, codes=(SCHOOL,)), {}, "not worth it", "Not worth it: all 300 labelled texts have one code."),
    ],
)  # fmt: skip
def test_the_evaluation_ends_with_what_to_decide(folder: Path, messages, settings, verdict: str, end: str):
    (folder / "coded.json").write_text(json.dumps(messages), encoding="utf-8")
    for suggestions in (None, Suggestions.model_validate(settings)):
        verdicts: evaluate_suggestions.Verdicts = {}
        lines = list(
            evaluate_suggestions._evaluate(folder / "coded.json", "s01e01", make_coding(suggestions), verdicts)
        )
        assert lines[-2].endswith(end)
        assert verdicts == {(verdict, suggestions is not None): ["s01e01, scheme Topic"]}
        [line] = evaluate_suggestions._sum_up(verdicts)
        assert line.endswith(": s01e01, scheme Topic.")


def test_the_last_lines_name_schemes_by_what_to_do():
    verdicts = {("not worth it", True): ["b, scheme T"], ("worth it", False): ["a, scheme T", "a, scheme U"]}
    assert list(evaluate_suggestions._sum_up(verdicts)) == [
        'Turn suggestions on ("Suggestions": true) for: a, scheme T; a, scheme U.',
        "Turn suggestions off for: b, scheme T.",
    ]


@pytest.mark.parametrize(
    ("day", "verdict", "reason"),
    [
        (Day("d", 500, 300, 400, 380, 1000, 620), Recommendation.WORTH_IT, ""),
        (Day("d", 500, 300, 400, 300, 1000, 700), Recommendation.NOT_WORTH_IT, "coders chose only 75% of the suggested codes; expected 90%"),
        (Day("d", 500, 300, 20, 20, 1000, 980), Recommendation.NOT_WORTH_IT, "they save fewer than 5% of the clicks"),
        (Day("d", 500, 300, 0, 0, 1000, 1000, "nobody knows"), Recommendation.NOT_WORTH_IT, "nobody knows"),
        (Day("d", 199, 199, 0, 0, 1000, 1000), Recommendation.TOO_EARLY, "199 labelled; expected a day with 200"),
    ],
)  # fmt: skip
def test_advice_comes_from_the_days_that_could_have_suggestions(day: Day, verdict: Recommendation, reason: str):
    # The first day has too few labels before it, and does not count.
    early = Day("first", 0, 0, 0, 0, 9_000, 9_000)
    found = advise([early, day], SuggestionSettings())
    assert found.verdict is verdict
    assert found.reason.startswith(reason)
    assert verdict is Recommendation.TOO_EARLY or found.days.clicks_alone == day.clicks_alone
