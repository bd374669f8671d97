"""Two coders of one dataset: what the second one gets to see, what is compared, and what somebody decides between them."""

import argparse
import csv
import json
import logging

import pytest

from coda_examples import code_scheme, label, make_credentials, make_project, message, read, run_stage, write
from engagement.configuration import CodeScheme, load_project
from engagement.configuration.kept_project import keep_project
from engagement.configuration.problems import ProblemsError
from engagement.desk import adjudicate, coda_progress, icr
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.wording import say_coder
from engagement.foundation.errors import InputError, UsageError
from engagement.labelling.agreement.double_coding import compare_coders, read_twice_coded
from engagement.labelling.agreement.report import measure_reliability
from engagement.labelling.datasets.coded_labels import load_coded_datasets
from engagement.services.coda.embedded import FolderCoda

SECOND_CODER = "second@example.org"
MESSAGES = [message(number, [label("code-health", checked=False)]) for number in range(200)]


class Place:
    """A project with a dataset that is coded twice, its data root, and an embedded Coda."""

    def __init__(self, directory, **double_coding):
        self.data_root = directory / "data root"
        self.credentials = make_credentials(directory, "embedded")
        self.configuration = make_project(directory / "configuration")
        settings = {"Share": 0.25, "Users": [SECOND_CODER], **double_coding}
        document = {**read(self.configuration), "DoubleCoding": {k: v for k, v in settings.items() if v is not None}}
        write(self.configuration, document)
        self.coda = FolderCoda(directory / "embedded")

    def run(self, stage):
        run_stage(
            stage,
            *("--credentials", self.credentials),
            *("--data-root", self.data_root),
            *("--pipeline-configuration", self.configuration),
        )

    def add(self, messages=MESSAGES):
        write(self.data_root / "Outputs" / "Coda Files" / "show.json", messages)
        self.run("coda_add")

    def second(self):
        return self.coda.read_messages("show_second")

    def code(self, dataset, labels):
        """Label messages by their numbers, in Coda."""
        given = {message(number)["MessageID"]: [given] for number, given in labels.items()}
        self.coda.save_labels(dataset, [{"MessageID": found, "Labels": labels} for found, labels in given.items()])

    def chosen(self):
        """The numbers of the messages that the second coder has."""
        return [int(found["Text"].removeprefix("jawaab ")) for found in self.second()]


def adjudicate_with(*command_line):
    parser = argparse.ArgumentParser()
    adjudicate.add_arguments(parser)
    adjudicate.run(parser.parse_args([str(one) for one in command_line]))


def test_the_second_coder_sees_a_stable_share_and_no_label(tmp_path):
    place = Place(tmp_path)
    place.add(MESSAGES[:100])
    before = place.second()
    assert 15 <= len(before) <= 35
    assert all(found["Labels"] == [] for found in before)
    assert place.coda.read_users("show_second") == [SECOND_CODER]
    assert place.coda.read_users("show") == ["coder@example.org"]
    place.add()
    after = place.second()
    assert [found["MessageID"] for found in after][: len(before)] == [found["MessageID"] for found in before]
    place.run("coda_get")
    place.add()
    assert place.second() == after


def test_the_second_coder_never_sees_a_suggestion(tmp_path):
    place = Place(tmp_path)
    write(place.configuration, {**read(place.configuration), "UpdateSuggestions": True})
    origin = {"OriginID": "suggestion:1", "Name": "Pipeline Suggestions", "OriginType": "External"}
    suggested = [message(number, [{**label("code-health", checked=False), "Origin": origin}]) for number in range(200)]
    place.add([message(number) for number in range(100)])
    place.run("coda_get")
    place.add(suggested)
    assert all(found["Labels"] for found in place.coda.read_messages("show"))
    assert len(place.second()) > 30
    assert all(found["Labels"] == [] for found in place.second())


def test_a_number_of_messages_is_kept_to(tmp_path):
    place = Place(tmp_path, Share=None, Messages=30)
    place.add(MESSAGES[:20])
    assert len(place.second()) == 20
    place.add()
    first = place.chosen()
    assert len(first) == 30
    place.add([*MESSAGES, *(message(number) for number in range(200, 260))])
    assert place.chosen() == first


def test_a_number_is_kept_to_by_runs_without_a_download_between(tmp_path):
    place = Place(tmp_path, Share=None, Messages=30)
    place.add(MESSAGES[:20])
    place.run("coda_get")
    place.add()
    first = place.chosen()
    assert len(first) == 30
    place.add([*MESSAGES, *(message(number) for number in range(200, 400))])
    assert place.chosen() == first


def test_texts_without_words_are_not_coded_twice(tmp_path):
    place = Place(tmp_path, Share=1.0)
    place.add([*MESSAGES[:3], {**message(300), "Text": "?!"}])
    assert len(place.coda.read_messages("show")) == 4
    assert place.chosen() == [0, 1, 2]


def test_without_double_coding_there_is_no_second_dataset(tmp_path):
    place = Place(tmp_path)
    document = read(place.configuration)
    del document["DoubleCoding"]
    write(place.configuration, document)
    place.add()
    assert not place.coda.has_dataset("show_second")


def code_both(place, first, second):
    """Label some of the messages that both have; returns their numbers."""
    place.add()
    both = place.chosen()[: len(first)]
    place.code("show", {number: label(code) for number, code in zip(both, first, strict=True)})
    place.code("show_second", {number: label(code) for number, code in zip(both, second, strict=True)})
    place.run("coda_get")
    return both


FIRST = ["code-health"] * 8 + ["code-water"] * 8
OTHER = ["code-health"] * 6 + ["code-water"] * 10


def test_agreement_is_that_of_icr_on_the_same_labels(tmp_path):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    scheme = load_project(place.configuration).coding_plans.rqa[0].coding_configurations[0].code_scheme
    twice = read_twice_coded(place.data_root, "show", scheme)
    found = measure_reliability(twice.codings, 200, 1, 0.95)
    for name, codes in (("a", FIRST), ("b", OTHER)):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [[f"run {n}", f"jawaab {n}", code] for n, code in sorted(zip(both, codes, strict=True))]
            csv.writer(file).writerows([["run_id", "show_raw", "code"], *rows])
    parser = argparse.ArgumentParser()
    icr.add_arguments(parser)
    sheets = icr.read_codings([tmp_path / "a.csv", tmp_path / "b.csv"], (), scheme)
    of_sheets = measure_reliability(sheets, 200, 1, 0.95)
    assert found.overall.alpha.value == pytest.approx(of_sheets.overall.alpha.value)
    assert found.overall.ac1.value == pytest.approx(of_sheets.overall.ac1.value)
    assert [row.code for row in found.by_code] == [row.code for row in of_sheets.by_code]
    assert len(found.disagreements) == 2
    assert [name for name, _ in twice.by_week()] == ["2026-W10"]


def test_progress_tells_how_far_coders_agree(tmp_path, capsys):
    place = Place(tmp_path)
    code_both(place, FIRST, OTHER)
    parser = argparse.ArgumentParser()
    coda_progress.add_arguments(parser)
    coda_progress.run(
        parser.parse_args(
            ["--credentials", str(place.credentials), "--pipeline-configuration", str(place.configuration)]
        )
    )
    shown = capsys.readouterr().out
    assert "show_second" in shown
    assert "show, show: how far its two coders agree" in shown
    assert "2026-W10" in shown


def test_messages_that_one_alone_coded_are_not_compared():
    scheme = CodeScheme.model_validate_json(json.dumps(code_scheme()))
    assert compare_coders([message(1, [label("code-health")])], [message(1)], scheme) is None


def keep_configuration(place):
    """Leave the configuration in the data root, as stage 3 does."""
    keep_project(load_project(place.configuration), place.data_root)


def count_codes(place, number):
    project = load_project(place.configuration)
    datasets, _ = load_coded_datasets(project, place.data_root)
    return [found.code.code_id for found in datasets["show_raw"].reading(f"jawaab {number}").labels[0]]


def test_a_decision_counts_and_both_labels_stay(tmp_path):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    sheet = tmp_path / "sheet.csv"
    adjudicate_with(place.data_root, "show", "--sheet", sheet)
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["First Coder"], row["Second Coder"]) for row in rows] == [("code_health", "code_water")] * 2
    labels = {path: path.read_bytes() for path in (place.data_root / "Coded Coda Files").glob("*.json")}
    rows[0]["Decision"] = "code water"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    adjudicate_with(place.data_root, "show", "--decisions", sheet, "--by", "Senior")
    decided = next(number for number in both if message(number)["MessageID"] == rows[0]["MessageID"])
    assert count_codes(place, decided) == ["code-water"]
    other = next(number for number in both if message(number)["MessageID"] == rows[1]["MessageID"])
    assert count_codes(place, other) == ["code-health"]
    assert {path: path.read_bytes() for path in labels} == labels
    plans = load_project(place.configuration).coding_plans
    found = CodaEvidence(place.data_root, plans).labels(plans.rqa[0], f"jawaab {decided}")
    assert say_coder(found[0]).startswith("Senior (deciding between two coders) on ")
    again = tmp_path / "again.csv"
    adjudicate_with(place.data_root, "show", "--sheet", again)
    assert len(again.read_text(encoding="utf-8").splitlines()) == 2


def test_a_withdrawal_after_the_decision_is_not_taken_back(tmp_path):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"MessageID,Scheme,Decision\n{message(both[7])['MessageID']},show,code_water\n", encoding="utf-8")
    adjudicate_with(place.data_root, "show", "--decisions", sheet)
    place.code("show", {both[7]: {**label("code-STOP"), "DateTimeUTC": "2099-01-01T00:00:00+00:00"}})
    place.run("coda_get")
    assert count_codes(place, both[7]) == ["code-STOP"]


def test_the_rest_goes_on_while_the_second_dataset_is_missing_or_its_file_damaged(tmp_path, caplog):
    place = Place(tmp_path)
    caplog.set_level("INFO")
    place.coda.create_dataset("show", ["coder@example.org"], [code_scheme("Scheme-theme", "show")])
    place.run("coda_get")
    assert "Coda 'show_second': does not exist yet; skipped" in caplog.text
    code_both(place, FIRST, OTHER)
    for name in ("show", "show_second"):
        (place.data_root / "Coded Coda Files" / f"{name}.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError) as error:
        place.run("coda_get")
    assert "show.json" in str(error.value) and "show_second.json" in str(error.value)


def test_a_withdrawal_that_only_the_second_coder_saw_is_told(tmp_path, caplog):
    place = Place(tmp_path)
    with caplog.at_level(logging.WARNING):
        both = code_both(place, ["code-health"] * 3, ["code-health", "code-STOP", "code-water"])
    assert "only the second coder labelled 1 message STOP" in caplog.text
    assert message(both[1])["MessageID"] in caplog.text


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("{id},show,code_wather", "row 2: 'code_wather' is not a code of the scheme"),
        ("{id},shown,code_water", "row 2: 'shown' is not a scheme of the dataset"),
        ("nothing,show,code_water", "row 2: 'nothing' is not a message of the dataset"),
    ],
)
def test_a_sheet_with_a_mistake_changes_nothing(tmp_path, rows, said):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("MessageID,Scheme,Decision\n" + rows.format(id=message(both[7])["MessageID"]), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        adjudicate_with(place.data_root, "show", "--decisions", sheet)
    assert not (place.data_root / "Adjudications").exists()


def decide(place, path, *rows, columns="MessageID,Scheme,Decision"):
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    adjudicate_with(place.data_root, "show", "--decisions", path)


def test_two_decisions_on_one_message_have_to_be_the_same(tmp_path):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    message_id = message(both[7])["MessageID"]
    same = f"{message_id},show,code_water"
    with pytest.raises(InputError, match="row 3: row 2 decides otherwise on the same message"):
        decide(place, tmp_path / "other.csv", same, f"{message_id},show,code_health")
    assert not (place.data_root / "Adjudications").exists()
    decide(place, tmp_path / "same.csv", same, same)
    assert count_codes(place, both[7]) == ["code-water"]


def test_a_decision_on_labels_that_changed_since_is_not_taken(tmp_path, caplog):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    sheet = tmp_path / "sheet.csv"
    adjudicate_with(place.data_root, "show", "--sheet", sheet)
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = [{**row, "Decision": "code_water"} for row in csv.DictReader(file)]
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    stopped, other = sorted(both[6:8], key=lambda number: message(number)["MessageID"] != rows[0]["MessageID"])
    place.code("show", {stopped: label("code-STOP")})
    place.run("coda_get")
    with caplog.at_level(logging.WARNING):
        adjudicate_with(place.data_root, "show", "--decisions", sheet)
    assert f"row 2: '{message(stopped)['MessageID']}'" in caplog.text and "row 3" not in caplog.text
    assert count_codes(place, stopped) == ["code-STOP"]
    assert count_codes(place, other) == ["code-water"]


def test_a_withdrawal_that_the_decision_knew_nothing_of_is_not_taken_back(tmp_path):
    # Ticked before the decision, but downloaded after it.
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    place.code("show", {both[7]: {**label("code-STOP"), "DateTimeUTC": "2026-03-03T08:00:00+00:00"}})
    decide(place, tmp_path / "sheet.csv", f"{message(both[7])['MessageID']},show,code_water")
    assert count_codes(place, both[7]) == ["code-water"]
    place.run("coda_get")
    assert count_codes(place, both[7]) == ["code-STOP"]


def test_a_withdrawal_that_was_decided_on_is_not_lost_with_its_scheme(tmp_path):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    decide(place, tmp_path / "sheet.csv", f"{message(both[7])['MessageID']},show,code_STOP")
    write(tmp_path / "configuration" / "code_schemes" / "show.json", code_scheme("Scheme-other", "show"))
    _, lost = load_coded_datasets(load_project(place.configuration), place.data_root)
    assert [found.find_stops(["code-STOP"]) for found in lost["show"]] == [[message(both[7])["MessageID"]]]


def test_decisions_of_a_dataset_that_was_renamed_are_told(tmp_path, caplog):
    place = Place(tmp_path)
    both = code_both(place, FIRST, OTHER)
    keep_configuration(place)
    decide(place, tmp_path / "sheet.csv", f"{message(both[7])['MessageID']},show,code_water")
    folder = place.data_root / "Adjudications"
    (folder / "show.json").rename(folder / "shown.json")
    with caplog.at_level(logging.WARNING):
        load_coded_datasets(load_project(place.configuration), place.data_root)
    assert f"{folder / 'shown.json'}: no plan has this dataset" in caplog.text


def test_a_sheet_that_is_there_is_not_replaced(tmp_path):
    place = Place(tmp_path)
    code_both(place, FIRST, OTHER)
    keep_configuration(place)
    sheet = write(tmp_path / "sheet.csv", "mine")
    with pytest.raises(UsageError, match="is there already"):
        adjudicate_with(place.data_root, "show", "--sheet", sheet)
    with pytest.raises(UsageError, match="nearest"):
        adjudicate_with(place.data_root, "shov", "--sheet", tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"Messages": 10}, "Share and Messages are both there"),
        ({"Share": None}, "neither Share nor Messages is there"),
        ({"Datasets": ["shov"]}, "'shov' is not a dataset of the coding plans"),
    ],
)
def test_settings_that_say_nothing_or_too_much_are_refused(tmp_path, settings, said):
    place = Place(tmp_path, **settings)
    with pytest.raises(ProblemsError, match=said):
        load_project(place.configuration)
