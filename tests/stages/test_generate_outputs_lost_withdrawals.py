"""Labels STOP that a change of the configuration makes count for nothing: stage 3 stops before anybody is in the outputs again."""

import json
from pathlib import Path
from typing import Any

import pytest

from engagement.foundation.errors import InputError
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of

Label = dict[str, Any]
STOP, MAN = label("gender", "STOP"), label("gender", "man")


def given(scheme_id: str, label: Label, code_id: str | None = None) -> Label:
    return {**label, "SchemeID": scheme_id, "CodeID": code_id or label["CodeID"]}


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    answers = (survey_run(name, gender=f"jawaab {name}") for name in "abc")
    root.write_runs(*(episode_run(name, "biyo") for name in "abc"), *answers)
    return root


def write_labels(root: DataRoot, **labels: list[Label]) -> None:
    """Labels of what each of the participants answered."""
    root.write_coded("gender", *(coda_message(f"jawaab {name}", *labels.get(name, ())) for name in "abc"))


def uids(root: DataRoot) -> set[str]:
    return {row["uid"] for row in root.table("individuals")}


# Labels of one message, and where the lost STOP is said to be.
LOST = [
    pytest.param([given("Scheme-79ab", STOP)], "scheme 'Scheme-79ab': 1 message labelled STOP", id="a code of a scheme here"),
    pytest.param([given("Scheme-79ab", STOP, "code-STOP-79ab")], "scheme 'Scheme-79ab': 1 message", id="a code of that name"),
    pytest.param([given("Scheme-79ab-1", STOP), given("Scheme-79ab", MAN)], "scheme 'Scheme-79ab': 1 message", id="a copy"),
    pytest.param([given("Scheme-gender", STOP, "old-stop")], "scheme 'Scheme-gender', code 'old-stop': 1 message", id="an unknown code"),
    # That another code of the plan's own scheme is beside it changes nothing.
    pytest.param([given("Scheme-79ab", STOP), MAN], "scheme 'Scheme-79ab': 1 message", id="beside another code"),
]  # fmt: skip
KEPT = [
    [given("Scheme-79ab", MAN)],
    [given("Scheme-79ab", STOP), STOP],
    [given("Scheme-79ab", {**STOP, "Checked": False})],
    [given("Scheme-79ab", STOP, "SPECIAL-MANUALLY_UNCODED"), given("Scheme-79ab", STOP)],
    [given("Scheme-gender", STOP, "gender-79ab3")],
]


@pytest.mark.parametrize(("labels", "said"), LOST)
def test_lost_withdrawals_stop_the_run_before_anything_is_replaced(root: DataRoot, labels: list[Label], said: str):
    write_labels(root, b=[STOP])
    root.generate()
    assert uids(root) == {uid_of("a"), uid_of("c"), "STOP"}
    before = {path: path.read_bytes() for path in root.outputs.rglob("*") if path.is_file()}
    write_labels(root, b=labels)
    with pytest.raises(InputError) as refused:
        root.generate()
    assert f"1 problem(s):\n  dataset 'EXAMPLE_gender', {said}" in str(refused.value)
    assert "--accept-lost-withdrawals" in str(refused.value)
    assert "jawaab" not in str(refused.value)
    assert {path: path.read_bytes() for path in root.outputs.rglob("*") if path.is_file()} == before
    # Nothing is coded in this mode, and nobody withdrawn.
    root.generate(mode="auto-code-only")


@pytest.mark.parametrize("labels", KEPT)
def test_other_lost_labels_and_withdrawals_that_count_all_the_same_do_not(root: DataRoot, labels: list[Label]):
    write_labels(root, b=labels)
    root.generate()


def test_what_was_accepted_is_so_for_the_same_messages_alone(root: DataRoot, caplog):
    write_labels(root, b=[given("Scheme-79ab", STOP)])
    with pytest.raises(InputError):
        root.generate()
    root.generate(accept_lost_withdrawals=True)
    assert (
        "Withdrawals of consent are undone, as --accept-lost-withdrawals was given: dataset 'EXAMPLE_gender'"
        in caplog.text
    )
    assert uids(root) == {uid_of(name) for name in "abc"}
    root.generate()
    write_labels(root, b=[given("Scheme-79ab", STOP)], c=[given("Scheme-79ab", STOP)])
    with pytest.raises(InputError, match="scheme 'Scheme-79ab': 1 message labelled STOP"):
        root.generate()
    for path in (root.path / "State").glob("accepted*"):
        path.write_text("[]")
    with pytest.raises(InputError, match="scheme 'Scheme-79ab': 2 messages labelled STOP"):
        root.generate()


def test_the_code_that_meant_stop_in_the_last_run_is_known_by_the_kept_configuration(root: DataRoot):
    path = root.configuration.parent / "code_schemes" / "gender.json"
    scheme = json.loads(path.read_text())
    stop = next(code for code in scheme["Codes"] if code.get("ControlCode") == "STOP")
    stop["CodeID"] = "code-79ab"
    path.write_text(json.dumps(scheme))
    write_labels(root, b=[given("Scheme-gender", STOP, "code-79ab")])
    root.generate()
    scheme["SchemeID"], stop["CodeID"] = "Scheme-new", "code-80ab"
    path.write_text(json.dumps(scheme))
    with pytest.raises(InputError, match="scheme 'Scheme-gender': 1 message labelled STOP"):
        root.generate()
