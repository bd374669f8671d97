"""Commands that join copies of messages, and set schemes and users, on both kinds of Coda."""

import argparse

import pytest

from coda_examples import FEW, code, code_scheme, label, make_project, message, read, write
from coda_kinds import USERS, numbers_by_text
from engagement.desk import coda_mend, scheme_push
from engagement.foundation.errors import ConfigurationError


def by(coder, code, day, scheme="Scheme-theme", **more):
    origin = {"OriginID": coder, "Name": coder, "OriginType": "Manual"}
    return {**label(code, scheme), "DateTimeUTC": f"2026-03-{day:02}T08:00:00.000Z", "Origin": origin, **more}


def run_command(module, place, tmp_path, *command_line, users=USERS):
    """Run a command of the desk on a project with the dataset "show"."""
    key = write(tmp_path / "key.json", place.key())
    configuration = tmp_path / "configuration" / "pipeline_configuration.json"
    if not configuration.exists():
        make_project(tmp_path / "configuration", users=users)
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    named = [configuration] if module is scheme_push else ["--pipeline-configuration", configuration]
    module.run(parser.parse_args([str(argument) for argument in ("--credentials", key, *named, *command_line)]))


def test_the_copies_of_a_message_are_joined_with_all_their_labels(place, small_segments, coda, tmp_path, capsys):
    coda.add_messages("show", [message(number) for number in range(FEW + 1)])
    proposed = {**by("a cleaner", "code-WS", 9), "Checked": False, "Origin": {"OriginType": "External"}}
    ali, ayaan, both = by("Ali", "code-water", 3), by("Ayaan", "code-health", 5), by("Ali", "code-NC", 2)
    place.put_labels("show", message(7)["MessageID"], [ali, both])
    place.put_document("show_2", message(7)["MessageID"], message(7, [proposed, ayaan, both], SequenceNumber=9000))
    run_command(coda_mend, place, tmp_path)
    assert f"show: message {message(7)['MessageID']} is in segments show, show_2" in capsys.readouterr().out
    assert len(coda.read_messages("show")) == FEW + 2
    since = coda.download("show").moment
    run_command(coda_mend, place, tmp_path, "--yes")
    # What the pipeline proposed does not hide what a coder said before.
    [joined] = [item for item in coda.read_messages("show") if item["Text"] == "jawaab 7"]
    assert joined["Labels"] == [ayaan, ali, both, proposed]
    assert joined["SequenceNumber"] == 7
    assert place.metrics("show")["messages_with_label"] == 1
    assert [place.metrics(name)["messages_count"] for name in ("show", "show_2")] == [FEW, 1]
    assert "jawaab 7" in numbers_by_text(coda.download("show", since).messages)
    run_command(coda_mend, place, tmp_path, "--yes")
    assert "nothing to mend" in capsys.readouterr().out


def change_scheme(tmp_path, change):
    path = tmp_path / "configuration" / "code_schemes" / "show.json"
    scheme = read(path)
    change(scheme)
    write(path, scheme)


@pytest.fixture
def pushed(place, small_segments, tmp_path):
    """A dataset of two segments, as the configuration has it, with a copy of a scheme and what people set up in Coda."""
    run_command(coda_mend, place, tmp_path, users=(*USERS, "new@example.org"))
    scheme = code_scheme(name="show")
    scheme["Codes"][0]["Shortcut"] = "h"
    copy = {**scheme, "SchemeID": "Scheme-theme-1", "Name": "show 1"}
    other = {"SchemeID": "Scheme-other", "Name": "Other", "Codes": []}
    place.coda.create_dataset("show", [*USERS, "guest@example.org"], [scheme, copy, other])
    place.coda.add_messages("show", [message(number) for number in range(FEW + 1)])
    return place


def test_changed_schemes_and_new_users_are_set_in_every_segment(pushed, tmp_path, capsys):
    def change(scheme):
        scheme["Codes"][0]["DisplayText"] = "Health care"
        scheme["Codes"] = [scheme["Codes"][0], code("code-school", 7), *scheme["Codes"][2:]]

    change_scheme(tmp_path, change)
    before = [pushed.code_schemes(segment) for segment in ("show", "show_2")]
    run_command(scheme_push, pushed, tmp_path)
    shown = capsys.readouterr().out
    for segment in ("show", "show_2"):
        assert f"{segment}: new user 'new@example.org'" in shown
        assert f"{segment}: new scheme 'Scheme-ws'" in shown
        for scheme_id in ("Scheme-theme", "Scheme-theme-1"):
            assert f"{segment}: scheme '{scheme_id}': new code 'code-school'" in shown
            assert f"{segment}: scheme '{scheme_id}': code 'code-water' is removed" in shown
            assert (
                f"'{scheme_id}', code 'code-health': DisplayText is 'code-health' in Coda, 'Health care' here" in shown
            )
    assert "Run this again with --yes" in shown
    assert [pushed.code_schemes(segment) for segment in ("show", "show_2")] == before
    run_command(scheme_push, pushed, tmp_path, "--yes")
    for segment in ("show", "show_2"):
        assert pushed.users(segment) == [*USERS, "guest@example.org", "new@example.org"]
        schemes = {scheme["SchemeID"]: scheme for scheme in pushed.code_schemes(segment)}
        assert set(schemes) == {"Scheme-theme", "Scheme-theme-1", "Scheme-other", "Scheme-ws"}
        for scheme_id, name in (("Scheme-theme", "show"), ("Scheme-theme-1", "show 1")):
            assert schemes[scheme_id]["Name"] == name
            health, school, *_ = schemes[scheme_id]["Codes"]
            assert (health["DisplayText"], health["Shortcut"], school["CodeID"]) == ("Health care", "h", "code-school")
    capsys.readouterr()
    run_command(scheme_push, pushed, tmp_path, "--yes")
    assert capsys.readouterr().out == "Coda has these schemes and users already.\n"


@pytest.mark.parametrize(
    "labels",
    [
        [label("code-water")],
        [label("code-water", "Scheme-theme-1")],  # a copy's
        [label("code-health"), label("code-water")],  # an older one
        [label("code-water", checked=False)],  # a proposal
    ],
)
def test_a_code_that_labels_use_is_not_removed(pushed, tmp_path, labels):
    pushed.put_labels("show", message(FEW)["MessageID"], labels)
    change_scheme(tmp_path, lambda scheme: scheme["Codes"].pop(1))
    before = [pushed.code_schemes(segment) for segment in ("show", "show_2")]
    with pytest.raises(ConfigurationError, match="1 label with code 'code-water'.*\n.*Nothing was changed"):
        run_command(scheme_push, pushed, tmp_path, "--yes")
    assert [pushed.code_schemes(segment) for segment in ("show", "show_2")] == before
    assert "new@example.org" not in pushed.users("show")


def test_schemes_are_put_back_when_somebody_labels_with_a_removed_code_meanwhile(pushed, tmp_path, monkeypatch):
    change_scheme(tmp_path, lambda scheme: scheme["Codes"].pop(1))
    before = [pushed.code_schemes(segment) for segment in ("show", "show_2")]
    kind = type(pushed.coda)
    set_up = kind.set_up_segment

    def label_then_set_up(coda, dataset, number, *arguments):
        pushed.put_labels("show", message(3)["MessageID"], [label("code-water")])
        set_up(coda, dataset, number, *arguments)

    monkeypatch.setattr(kind, "set_up_segment", label_then_set_up)
    with pytest.raises(ConfigurationError, match="were put back"):
        run_command(scheme_push, pushed, tmp_path, "--yes")
    after = [
        [scheme for scheme in pushed.code_schemes(segment) if scheme["SchemeID"] != "Scheme-ws"]
        for segment in ("show", "show_2")
    ]
    assert after == before
