"""Codes that stand for an answer that nobody gave: they are told apart from stage 3 on, and a project can do without them."""

from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.coding.guesses import OPERATOR
from engagement.pipeline.outputs.analysis_files import (
    analysis_folder,
    guesses_column,
    has_column,
    individuals_path,
    messages_path,
    read_column,
)
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of, write_project


def location_of(plans: dict) -> dict:
    return next(plan for plan in plans["DemographicCodingPlans"] if plan["RawField"] == "location_raw")


def make_root(folder: Path, change_plans=None) -> DataRoot:
    """Of four participants one names a place, one names none that was labelled, and two are silent, one of these without operator."""
    root = DataRoot(folder, write_project(folder / "configuration", change_plans=change_plans))
    root.write_runs(
        episode_run("answers", "biyo", run_id=1, operator="golis"),
        episode_run("unreviewed", "biyo", run_id=2, operator="golis"),
        episode_run("silent", "biyo", run_id=3, operator="golis"),
        episode_run("silent", "dugsi", 2, run_id=4, operator="golis"),
        episode_run("unknown", "biyo", run_id=5),
        survey_run("answers", 101, location="baidoa"),
        survey_run("unreviewed", 102, location="meel"),
    )
    root.write_coded("location", coda_message("baidoa", label("district", "baidoa")))
    return root


def guesses_of(root: DataRoot, path_of=individuals_path) -> dict[str, str | None]:
    path = path_of(analysis_folder(root.path))
    uids, guesses = read_column(path, "uid"), read_column(path, guesses_column("zone_coded")).astype(object)
    told = guesses.where(guesses.notna(), None)
    return {uid.removeprefix(uid_of("")): guess for uid, guess in zip(uids, told, strict=True)}


def zones_of(root: DataRoot) -> dict[str, str]:
    return {row["uid"].removeprefix(uid_of("")): row["zone"] for row in root.table("individuals")}


def test_a_zone_from_the_operator_is_marked_and_one_from_an_answer_is_not(tmp_path: Path):
    root = make_root(tmp_path)
    root.generate()
    assert zones_of(root) == {"answers": "scz", "silent": "nez", "unknown": "NA", "unreviewed": "NR"}
    expected = {"answers": None, "silent": OPERATOR, "unknown": None, "unreviewed": None}
    assert guesses_of(root) == guesses_of(root, messages_path) == expected


def test_a_project_can_do_without_zones_from_the_operator(tmp_path: Path):
    root = make_root(tmp_path, lambda plans: location_of(plans).update(ZoneFromOperator=False))
    root.generate()
    assert zones_of(root) == {"answers": "scz", "silent": "NA", "unknown": "NA", "unreviewed": "NR"}
    assert not has_column(individuals_path(analysis_folder(root.path)), guesses_column("zone_coded"))


def test_a_project_that_guesses_nothing_has_no_column_for_it(tmp_path: Path):
    root = make_root(tmp_path, lambda plans: location_of(plans).pop("CodeImputationFunction"))
    root.generate()
    for plan in load_project(root.configuration).coding_plans.all:
        for coding in plan.coding_configurations:
            assert not has_column(individuals_path(analysis_folder(root.path)), guesses_column(coding.coded_field))


def test_what_stays_from_the_last_run_keeps_its_marks(tmp_path: Path):
    root = make_root(tmp_path)
    root.generate()
    whole = guesses_of(root)
    root.write_runs(
        episode_run("new", "biyo", run_id=9, operator="golis"),
        *[line + "\n" for path in sorted((root.path / "Raw Data").iterdir()) for line in path.read_text().splitlines()],
    )
    root.generate()
    assert guesses_of(root) == {**whole, "new": OPERATOR}


def test_an_answer_that_confirms_a_guess_is_an_answer_whichever_message_came_first(tmp_path: Path):
    def from_episode(configuration: dict) -> None:
        # The place is asked in the episode's own flow, so that a message can be without it; only the zone is coded there.
        for remapping in configuration["RapidProKeyRemappings"]:
            remapping["RapidProKey"] = remapping["RapidProKey"].replace(
                "Location (Value) - s01_demographics", "Location - s01e01_activation"
            )

    def only_zones(plans: dict) -> None:
        # The other levels would differ from message to message: NA beside a place is refused.
        location_of(plans)["CodingConfigurations"] = location_of(plans)["CodingConfigurations"][-1:]

    for first, second in ((1, 2), (2, 1)):
        folder = tmp_path / str(first)
        folder.mkdir()
        path = write_project(folder / "configuration", from_episode, only_zones)
        root = DataRoot(folder, path)
        times = {1: "2026-04-01T10:00:00+03:00", 2: "2026-04-02T10:00:00+03:00"}
        root.write_runs(
            episode_run("both", "biyo", 1, times[first], 1, "golis", **{"Location - s01e01_activation": "bari"}),
            episode_run("both", "dugsi", 2, times[second], 2, "golis"),
        )
        root.write_coded("location", coda_message("bari", label("zone", "nez")))
        root.generate()
        assert OPERATOR in set(read_column(messages_path(analysis_folder(root.path)), guesses_column("zone_coded")))
        assert guesses_of(root) == {"both": None}


def test_the_projects_own_functions_guess_too(tmp_path: Path):
    folder = tmp_path / "configuration"

    def own_function(plans: dict) -> None:
        plan = next(plan for plan in plans["DemographicCodingPlans"] if plan["RawField"] == "gender_raw")
        plan["CodeImputationFunction"] = "our_guesses:guess_man"

    root = make_root(tmp_path, own_function)
    (folder / "our_guesses.py").write_text(
        "from engagement.pipeline.coding.labels import make_pipeline_label\n\n"
        "def guess_man(plan, labels, answer):\n"
        "    scheme = plan.coding_configurations[0].code_scheme\n"
        "    return labels if answer.is_given else [(make_pipeline_label(scheme, scheme.codes_by_match_value['man']),)]\n"
    )
    root.generate(allow_project_code=True)
    path = individuals_path(analysis_folder(root.path))
    assert set(read_column(path, guesses_column("gender_coded"))) == {"our_guesses:guess_man"}


@pytest.mark.parametrize("field", ["age_raw", "gender_raw"])
def test_the_key_is_refused_where_no_zone_is_guessed(tmp_path: Path, field: str):
    def misplace(plans: dict) -> None:
        next(plan for plan in plans["DemographicCodingPlans"] if plan["RawField"] == field)["ZoneFromOperator"] = False

    with pytest.raises(ConfigurationError, match="ZoneFromOperator.*somalia_location.*Take it away"):
        load_project(write_project(tmp_path, change_plans=misplace))
