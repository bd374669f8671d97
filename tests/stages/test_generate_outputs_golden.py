"""Stage 3 on an invented season, byte for byte: a change of any output shows as a difference in golden/.

Renew with `run_scripts/run_tests.sh --renew-golden -k golden`, and read the difference before it is committed.
"""

from pathlib import Path

import pytest

from example_project import DataRoot, coda_message, episode_run, label, survey_run

GOLDEN = Path(__file__).parent / "golden" / "generate_outputs"


def fill(root: DataRoot) -> None:
    """A handful of participants, each there for a reason."""
    root.write_runs(
        # Two themes, demographics coded by a coder, a place at one level.
        episode_run("ayaan", "biyo iyo waddo", 1, "2026-04-01T10:00:00+03:00", 1, "hormud"),
        episode_run("ayaan", "rajo badan", 2, "2026-04-08T10:00:00.5+03:00", 2, "hormud"),
        survey_run("ayaan", 101, gender="naag", age="22 jir", location="Hodan"),
        # A gender sent to an episode; nothing else known but the operator.
        episode_run("bile", "nin baan ahay", 1, "2026-04-01T11:00:00+03:00", 3, "golis"),
        episode_run("bile", "dugsi", 1, "2026-04-01T12:00:00+03:00", 4, "golis"),
        # An episode's answer in the survey, contradicting places, an age outside all categories.
        episode_run("cawo", "", 1, "2026-04-02T09:00:00+03:00", 5, "NC"),
        survey_run("cawo", 102, gender="rajo", age="5", location="Baydhabo, Muqdisho"),
        # Withdrew.
        episode_run("deeqa", "ha i soo dirin", 1, "2026-04-02T10:00:00+03:00", 6),
        episode_run("deeqa", "welwel", 2, "2026-04-09T10:00:00+03:00", 7),
        # Formula, markup, white space, a word that nobody looked at.
        episode_run("elmi", "=SUM(A1)", 1, "2026-04-03T10:00:00+03:00", 8),
        episode_run("elmi", '<b>"biyo", biyo</b>\n', 2, "2026-04-10T10:00:00+03:00", 9),
        survey_run("elmi", 103, gender="\u3000", age=None),
        # Left out.
        episode_run("farax", "tijaabo", 1, "2026-04-03T10:00:00+03:00", 10, test_run=True),
        episode_run("geedi", "hore", 1, "2025-04-03T10:00:00+03:00", 11),
        episode_run("hibo", None, 1, "2026-04-03T10:00:00+03:00", 12),
    )  # fmt: skip
    root.write_coded(
        "s01e01",
        coda_message("biyo iyo waddo", label("episode1", "water"), label("episode1", "roads", copy="-1")),
        coda_message("nin baan ahay", label("episode1", "WS"), label("ws", "gender")),
        coda_message("dugsi", label("episode1", "school")),
        coda_message("ha i soo dirin", label("episode1", "STOP")),
    )
    root.write_coded(
        "s01e02", coda_message("rajo badan", label("episode2", "hope")), coda_message("rajo", label("episode2", "hope"))
    )
    root.write_coded("gender", coda_message("naag", label("gender", "woman")), coda_message("nin baan ahay", label("gender", "man")),
                     coda_message("rajo", label("gender", "WS"), label("ws", "episode_2")))  # fmt: skip
    root.write_coded("age", coda_message("22 jir", label("age", "22")), coda_message("5", label("age", "5")))
    root.write_coded("location", coda_message("Hodan", label("sub_district", "hodan")),
                     coda_message("Baydhabo, Muqdisho", label("district", "baidoa"), label("region", "banadir")))  # fmt: skip


def test_the_outputs_are_the_golden_ones(tmp_path: Path, request: pytest.FixtureRequest):
    root = DataRoot(tmp_path)
    fill(root)
    root.generate()
    made = {
        str(path.relative_to(root.outputs)): path.read_bytes()
        for path in sorted(root.outputs.rglob("*"))
        if path.suffix in (".csv", ".json")
    }
    if request.config.getoption("--renew-golden"):
        for name, content in made.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_bytes(content)
    golden = {str(path.relative_to(GOLDEN)): path.read_bytes() for path in sorted(GOLDEN.rglob("*")) if path.is_file()}
    assert made == golden
