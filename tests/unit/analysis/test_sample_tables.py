"""Samples of messages: the same texts in every run, one more message changes at most one, and never more than asked for."""

from pathlib import Path

import pytest

from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

LIMIT = 5
WRITER = ["Gender", "Age Category", "Region"]


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    def limit_samples(configuration: dict) -> None:
        configuration["AutomatedAnalysis"] = {"SampleMessages": {"LimitPerCode": LIMIT}}

    return DataRoot(tmp_path, write_project(tmp_path / "configuration", change_configuration=limit_samples))


def season_of(root: DataRoot, texts: list[str], code: str = "water", **options: int) -> Season:
    """A season in which participant n writes text n, and coders give all texts one code."""
    root.write_runs(*(episode_run(f"p{n}", text, run_id=n) for n, text in enumerate(texts)))
    root.write_coded("s01e01", *(coda_message(text, label("episode1", code)) for text in dict.fromkeys(texts)))
    root.generate(**options)
    return load_season(load_project(root.configuration), root.path)


def sample_of(season: Season, code: str = "water") -> list[str]:
    table = season.sample_messages
    assert list(table.columns) == ["Episode", "Code Scheme", "Code", "Message", *WRITER]
    return table.loc[(table["Episode"] == "rqa_s01e01") & (table["Code"] == code), "Message"].to_list()


def test_one_more_message_changes_at_most_one_of_a_sample(data_root: DataRoot):
    texts = [f"biyo {n}" for n in range(40)]
    before = sample_of(season_of(data_root, texts))
    assert len(before) == LIMIT
    after = sample_of(season_of(data_root, ["mid cusub", *texts]))
    assert len(after) == LIMIT
    assert len(set(before) - set(after)) <= 1
    # Neither who wrote a text nor how the work was split plays a part.
    assert sample_of(season_of(data_root, texts[::-1], partitions=7)) == before


def test_a_text_that_many_wrote_is_sampled_once(data_root: DataRoot):
    assert sorted(sample_of(season_of(data_root, ["biyo"] * 20 + ["webi"]))) == ["biyo", "webi"]


@pytest.mark.parametrize(
    "alike",
    [
        ("biyo waddo", "Biyo Waddo", "BIYO WADDO"),
        # Blanks, also those that no one sees.
        ("biyo waddo", " biyo  waddo\n", "biyo\u00a0waddo", "biyo\u200b waddo", "biyowaddo"),
        ("biyo, waddo", "biyo waddo!!", "\u201cbiyo\u201d \u2013 waddo?"),
        # Full width, and letters that are one by one or two characters.
        ("biyo 1", "\uff42\uff49\uff59\uff4f \uff11"),
    ],
)
def test_texts_that_look_alike_are_sampled_once(data_root: DataRoot, alike: tuple[str, ...]):
    assert len(sample_of(season_of(data_root, [*alike, "webi"]))) == 2


def test_texts_that_look_alike_take_no_place_from_others(data_root: DataRoot):
    alike = [f"biyo{'!' * n}" for n in range(30)]
    assert len(sample_of(season_of(data_root, [*alike, *(f"webi {n}" for n in range(LIMIT))]))) == LIMIT


@pytest.mark.parametrize("texts", [("\u0915\u093e", "\u0915\u0940"), ("?!", "..."), ("\U0001f44b", "\U0001f64f")])
def test_other_vowel_signs_and_texts_of_signs_alone_are_other_texts(data_root: DataRoot, texts: tuple[str, str]):
    assert len(sample_of(season_of(data_root, list(texts)))) == 2


def sample_with_writers(root: DataRoot) -> dict[str, list[str]]:
    """Six women of Banadir and a man of Bay wrote, and one of whom nothing is known."""
    names = [*(f"p{n}" for n in range(6)), "one", "none"]
    asked = [
        survey_run(name, n + 50, gender="nin" if name == "one" else "naag", age="22", location="Hodan")
        for n, name in enumerate(names[:-1])
    ]
    root.write_runs(*(episode_run(name, f"biyo {name}", run_id=n) for n, name in enumerate(names)), *asked)
    root.write_coded("s01e01", *(coda_message(f"biyo {name}", label("episode1", "water")) for name in names))
    root.write_coded(
        "gender", coda_message("naag", label("gender", "woman")), coda_message("nin", label("gender", "man"))
    )
    root.write_coded("age", coda_message("22", label("age", "22")))
    root.write_coded("location", coda_message("Hodan", label("sub_district", "hodan")))
    root.generate()
    table = load_season(load_project(root.configuration), root.path).sample_messages
    return {row["Message"]: [row[column] for column in WRITER] for _, row in table.iterrows()}


def configure(root: DataRoot, **disclosure: object) -> None:
    def change(document: dict) -> None:
        document["AutomatedAnalysis"] = {"SampleMessages": {"LimitPerCode": 20}}
        document["Disclosure"] = disclosure

    write_project(root.configuration.parent, change_configuration=change)


def test_a_sample_says_who_wrote_a_text(data_root: DataRoot):
    configure(data_root)
    sample = sample_with_writers(data_root)
    assert sample["biyo p3"] == ["woman", "18_to_35", "banadir"]
    assert sample["biyo one"] == ["man", "18_to_35", "banadir"]
    assert sample["biyo none"] == ["", "", ""]


@pytest.mark.parametrize("columns", [["gender"], ["age"]])
def test_a_sample_says_nothing_of_who_is_one_of_few(data_root: DataRoot, columns: list[str]):
    configure(data_root, KAnonymity=3, Columns=columns)
    sample = sample_with_writers(data_root)
    assert sample["biyo p3"] == ["woman", "18_to_35", "banadir"]
    assert sample["biyo one"] == ["", "", ""]


def test_what_was_not_looked_at_is_not_sampled(data_root: DataRoot):
    data_root.write_runs(episode_run("p1", "lama arag"))
    data_root.generate()
    assert len(load_season(load_project(data_root.configuration), data_root.path).sample_messages) == 0


def test_samples_are_of_every_kind_of_code(data_root: DataRoot):
    assert sample_of(season_of(data_root, ["salaan"], code="greeting"), "greeting") == ["salaan"]


def test_texts_stay_as_they_were_written_in_the_tables(data_root: DataRoot):
    hostile = ["=1+1", "</script><script>alert(1)</script>", "laba\nsadar", '"a","b"', "\u202eabc", "ሰላም 👋🏿"]
    assert sorted(sample_of(season_of(data_root, hostile[:LIMIT]))) == sorted(hostile[:LIMIT])
    assert sample_of(season_of(data_root, hostile[LIMIT:])) == hostile[LIMIT:]


def test_coding_errors_are_named_by_message_id_and_reason(data_root: DataRoot):
    # One text is wrong scheme without a dataset to move to; an age is none of the scheme's categories.
    data_root.write_runs(episode_run("p1", "ma aha"), survey_run("p1", age="7"))
    wrong, young = coda_message("ma aha", label("episode1", "WS")), coda_message("7", label("age", "7"))
    data_root.write_coded("s01e01", wrong)
    data_root.write_coded("age", young)
    data_root.generate()
    season = load_season(load_project(data_root.configuration), data_root.path)
    assert season.coding_errors.to_numpy().tolist() == [
        ["EXAMPLE_age", young["MessageID"], "contradicting codes"],
        ["EXAMPLE_s01e01", wrong["MessageID"], "wrong scheme"],
    ]
    assert season.funnel.contradictions == (("EXAMPLE_s01e01", wrong["MessageID"]),)


def test_texts_with_a_phone_number_are_named_by_message_id(data_root: DataRoot):
    message = coda_message("i soo wac +252 61 555 0123", label("episode1", "water"))
    # A sum of money is none, though it is as long.
    season = season_of(data_root, [message["Text"], "biyo 2026", "lacagtu waa 100 000 000"])
    assert season.texts_with_phone_numbers.to_numpy().tolist() == [["EXAMPLE_s01e01", message["MessageID"]]]
