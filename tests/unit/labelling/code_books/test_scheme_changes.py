"""What changed between two versions of a scheme, and what it does to labels."""

import json

import pytest

from engagement.__main__ import main
from engagement.configuration import CodeScheme
from engagement.configuration.parsing import parse_model
from engagement.labelling.code_books.changes import LabelCount, compare_schemes, count_labels, describe_effects
from example_project import DataRoot, coda_message, episode_run, label, make_scheme


def load(document) -> CodeScheme:
    scheme, problems = parse_model(CodeScheme, document)
    assert problems == []
    return scheme


def changed(change):
    """The scheme of the example project's first episode, and what `change` makes of it."""
    old, new = (make_scheme("episode1", ["water", "school", "roads"]) for _ in range(2))
    change(new)
    return compare_schemes(load(old), load(new))


def lines_of(change) -> list[str]:
    return [line.strip() for line in changed(change).describe()][1:]


def remove(scheme, position):
    del scheme["Codes"][position]


def set_code(scheme, position, **values):
    scheme["Codes"][position].update(values)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda scheme: None, ["nothing changed"]),
        (
            lambda scheme: remove(scheme, 1),
            ["- 'school' (episode1-school): removed, so that its labels count as not coded (NC)"],
        ),
        (
            lambda scheme: set_code(scheme, 0, StringValue="clean_water", NumericValue=70),
            ["~ 'water' (episode1-water): StringValue: 'water' became 'clean_water'; NumericValue: 1 became 70"],
        ),
        (
            lambda scheme: set_code(scheme, 0, MatchValues=["biyo"], DisplayText="Water", Color="red", Shortcut="w"),
            [
                "~ 'water' (episode1-water): DisplayText: 'water' became 'Water'; Shortcut: None became 'w'; "
                "Color: None became 'red'; MatchValues: now without 'water' and with 'biyo'"
            ],
        ),
        (
            lambda scheme: set_code(scheme, 3, CodeType="Meta", MetaCode="silence", ControlCode=None),
            [
                "~ 'NA' (episode1-NA): CodeType: 'Control' became 'Meta'; ControlCode: 'NA' became None; "
                "MetaCode: None became 'silence'"
            ],
        ),
        (
            lambda scheme: set_code(scheme, 0, CodeID="new-id"),
            [
                "- 'water' (episode1-water): removed, so that its labels count as not coded (NC)",
                "+ 'water' (new-id): added; it has the name of the removed code with id 'episode1-water': keep that id to "
                "keep the labels",
            ],
        ),
        (
            lambda scheme: scheme["Codes"].insert(0, scheme["Codes"].pop(2)),
            ["~ the codes are in another order, and so are columns of the outputs"],
        ),
        (
            lambda scheme: scheme.update(SchemeID="Scheme-other", Name="Other", Version="2"),
            [
                "~ SchemeID: 'Scheme-episode1' became 'Scheme-other', so that labels under the old one count for nothing (NR)",
                "~ Name: 'episode1' became 'Other'",
            ],
        ),
    ],
)
def test_each_change_is_one_line(change, expected):
    assert lines_of(change) == expected


def test_a_message_counts_once_a_code_by_its_newest_labels():
    messages = [
        coda_message("a", label("episode1", "water"), label("episode1", "school")),  # the newest is the first
        coda_message("b", label("episode1", "water"), label("episode1", "water", copy="-1")),
        coda_message("c", label("episode1", "school", checked=False), label("episode1", "roads", copy="-1")),
        coda_message("d", label("episode1", "SPECIAL-MANUALLY_UNCODED"), label("episode1", "water")),
        coda_message("e", label("episode10", "water")),  # another scheme whose id begins the same
        coda_message("f"),
    ]
    assert count_labels(load(make_scheme("episode1", ["water"])), messages) == {
        "episode1-roads": LabelCount(1, 0),
        "episode1-school": LabelCount(0, 1),
        "episode1-water": LabelCount(2, 0),
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda scheme: remove(scheme, 0), ["d: 'water' is on 3 message(s), which come out as not coded (NC)"]),
        (
            lambda scheme: set_code(scheme, 1, StringValue="schools"),
            ["d: 'school' is on 1 message(s) and proposed for 2, which come out as 'schools', not as 'school'"],
        ),
        (
            lambda scheme: set_code(scheme, 0, NumericValue=70),
            ["d: 'water' is on 3 message(s), which have the number 70 in the code book, not 1"],
        ),
        (
            lambda scheme: set_code(scheme, 0, CodeType="Control", ControlCode="NOC", StringValue="NOC"),
            ["d: 'water' is on 3 message(s), which come out as the control code 'NOC', not as the code 'water'"],
        ),
        (
            lambda scheme: set_code(scheme, 0, MatchValues=[]),
            ["d: 'water' is on 3 message(s), which may have other codes imputed, as it lost match values"],
        ),
        (lambda scheme: set_code(scheme, 0, MatchValues=["water", "biyo"]), []),
        (lambda scheme: set_code(scheme, 0, DisplayText="Water"), []),  # coders see it; no output holds it
        (lambda scheme: remove(scheme, 2), []),  # no message has it
        (
            lambda scheme: scheme.update(SchemeID="Scheme-other"),
            ["d: 4 label(s) are of the old SchemeID: the messages come out as not reviewed (NR). Keep the SchemeID."],
        ),
    ],
)
def test_what_becomes_of_labels_is_said_with_their_number(change, expected):
    counts = {"d": {"episode1-water": LabelCount(3), "episode1-school": LabelCount(1, 2)}}
    assert list(describe_effects(changed(change), counts)) == expected


def test_the_effect_that_is_foretold_is_what_stage_3_does(tmp_path, capsys):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "biyo"), episode_run("b", "dugsi", run_id=2))
    root.write_coded(
        "s01e01", coda_message("biyo", label("episode1", "water")), coda_message("dugsi", label("episode1", "school"))
    )
    file = root.configuration.parent / "code_schemes" / "episode1.json"
    old = tmp_path / "old.json"
    old.write_bytes(file.read_bytes())
    document = json.loads(file.read_text())
    set_code(document, 1, StringValue="education")
    remove(document, 0)
    file.write_text(json.dumps(document))
    assert main(["scheme", "diff", str(old), str(file), "--data-root", str(root.path)]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        f"Labels in the 1 dataset(s) of {root.path} that have the scheme:",
        "  EXAMPLE_s01e01: 'water' is on 1 message(s), which come out as not coded (NC)",
        "  EXAMPLE_s01e01: 'school' is on 1 message(s), which come out as 'education', not as 'school'",
    ]
    root.generate()
    by_text = {row["rqa_s01e01_raw"]: row for row in root.table("messages")}
    assert by_text["biyo"]["rqa_s01e01_NC"] == "1"
    assert by_text["dugsi"]["rqa_s01e01_education"] == "1"


def test_files_that_are_not_there_or_broken_have_their_status(tmp_path, capsys):
    scheme = tmp_path / "scheme.json"
    scheme.write_text(json.dumps(make_scheme("episode1", ["water"])))
    (tmp_path / "broken.json").write_text('{"SchemeID": 3}')
    assert main(["scheme", "diff", str(scheme), str(tmp_path / "none.json")]) == 2
    assert main(["scheme", "diff", str(scheme), str(tmp_path / "broken.json")]) == 10
    assert main(["scheme", "diff", str(scheme), str(scheme), "--data-root", str(tmp_path / "none")]) == 2
    coded = tmp_path / "root" / "Coded Coda Files"
    coded.mkdir(parents=True)
    (coded / "d.json").write_text('[{"MessageID": "m"}]')
    assert main(["scheme", "diff", str(scheme), str(scheme), "--data-root", str(tmp_path / "root")]) == 11
    assert "d.json" in capsys.readouterr().err
