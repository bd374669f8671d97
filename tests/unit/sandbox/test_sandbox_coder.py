"""The sandbox's coders label as careful people do, with the slips that people make."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from engagement.configuration import CodingMode, ControlCode, load_coding_plans
from engagement.sandbox.coder import UNCODED, Coders, understand
from engagement.sandbox.prepare import DEMO_CONFIGURATION
from engagement.sandbox.workspace import DEFAULT_SEED
from engagement.services.coda.format import find_message_problems
from sandbox_season import cached_workspace

WORKSPACE = cached_workspace(DEFAULT_SEED, 0)
PLANS = load_coding_plans(Path(DEMO_CONFIGURATION) / "coding_plans.json")
PLAN_BY_DATASET = {plan.coda_dataset: plan for plan in PLANS.all if plan.coda_dataset}
WS_SCHEME = PLANS.ws_correct_dataset_scheme
AUTOMATIC = {"OriginID": "somali.gender", "Name": "Pipeline Auto-Coder", "OriginType": "External"}


def coders(round_number: int = 0) -> Coders:
    return Coders(DEFAULT_SEED, round_number, ("one@example.org", "two@example.org"), PLANS, WORKSPACE.meanings)


def message(text: str, number: int = 0, labels: tuple[dict, ...] = ()) -> dict:
    return {
        "MessageID": hashlib.sha256(text.encode()).hexdigest(),
        "Text": text,
        "CreationDateTimeUTC": "2026-08-06T10:00:00+00:00",
        "SequenceNumber": number,
        "LastUpdated": "2026-10-12T04:00:00+00:00",
        "Labels": list(labels),
    }


def every_message_of(dataset: str) -> list[dict]:
    """Every text that was sent as an answer of a dataset, as the pipeline puts them into Coda."""
    key = dataset if dataset not in ("s01e01", "s01e02", "s01e03") else f"rqa_{dataset}"
    texts = {
        run["values"][key]["input"] for run in WORKSPACE.runs if key in run["values"] and run["values"][key]["input"]
    }
    return [message(text, number) for number, text in enumerate(sorted(texts))]


def codes_that_count(labelled: dict, scheme) -> list[str]:
    """String values of the newest label of a scheme and of each of its copies, where it is ticked."""
    newest = {}
    for label in labelled["Labels"]:
        if scheme.owns(label["SchemeID"]):
            newest.setdefault(label["SchemeID"], label)
    return [
        scheme.codes_by_id[label["CodeID"]].string_value
        for _, label in sorted(newest.items())
        if label["Checked"] and label["CodeID"] != UNCODED
    ]


LABELLED = {
    dataset: coders().label_messages(plan, every_message_of(dataset.removeprefix("DEMO_")))
    for dataset, plan in PLAN_BY_DATASET.items()
}


@pytest.mark.parametrize("dataset", PLAN_BY_DATASET)
def test_labels_are_of_coda_s_format(dataset):
    assert LABELLED[dataset]
    assert find_message_problems(LABELLED[dataset]) == []
    schemes = [configuration.code_scheme for configuration in PLAN_BY_DATASET[dataset].coding_configurations]
    for labelled in LABELLED[dataset]:
        times = [label["DateTimeUTC"] for label in labelled["Labels"]]
        assert times == sorted(times, reverse=True)
        for label in labelled["Labels"]:
            assert label["Checked"] == (label["CodeID"] != UNCODED)
            assert label["Origin"]["OriginType"] == "Manual"
            assert label["Origin"]["OriginID"].endswith("@example.org")
            (scheme,) = [scheme for scheme in (*schemes, WS_SCHEME) if scheme.owns(label["SchemeID"])]
            if label["CodeID"] != UNCODED:
                assert scheme.codes_by_id[label["CodeID"]].visible_in_coda or label["CodeID"] in {
                    code.code_id for code in scheme.codes if code.control_code == ControlCode.NIC
                }


def test_labels_follow_the_text_whatever_is_suggested():
    dataset = "DEMO_s01e01"
    scheme = PLAN_BY_DATASET[dataset].coding_configurations[0].code_scheme
    themes = [code.code_id for code in scheme.codes if code.is_normal]
    origin = {"OriginID": "suggestion:1", "Name": "Pipeline Suggestions", "OriginType": "External"}

    def suggestion(number: int) -> dict:
        at = {"SchemeID": scheme.scheme_id, "DateTimeUTC": "2026-08-06T10:00:00+00:00"}
        return {**at, "CodeID": themes[number % len(themes)], "Checked": False, "Confidence": 0.95, "Origin": origin}

    messages = [{**one, "Labels": [suggestion(n)]} for n, one in enumerate(every_message_of("s01e01"))]
    labelled = coders().label_messages(PLAN_BY_DATASET[dataset], messages)
    # What was suggested stays below the coder's labels, unticked: a tick of the same code is a label of its own.
    assert [{**one, "Labels": one["Labels"][:-1]} for one in labelled] == LABELLED[dataset]
    assert all(one["Labels"][-1]["Origin"] == origin and not one["Labels"][-1]["Checked"] for one in labelled)
    kept = [one for one in labelled if one["Labels"][-1]["CodeID"] in {label["CodeID"] for label in one["Labels"][:-1]}]
    assert 0 < len(kept) < len(labelled) / 2


@pytest.mark.parametrize("dataset", PLAN_BY_DATASET)
def test_most_labels_are_what_was_meant(dataset):
    plan, name = PLAN_BY_DATASET[dataset], dataset.removeprefix("DEMO_")
    schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
    right = 0
    for labelled in LABELLED[dataset]:
        meaning = WORKSPACE.meanings[labelled["Text"]]
        counting = [code for scheme in schemes for code in codes_that_count(labelled, scheme)]
        expected = meaning.get(name) or meaning.get("*") or ("WS",)
        right += sorted(counting) == sorted(expected)
    assert right >= 0.93 * len(LABELLED[dataset])


@pytest.mark.parametrize("dataset", PLAN_BY_DATASET)
def test_wrong_schemes_are_told_in_the_plan_and_in_the_ws_scheme(dataset):
    schemes = [configuration.code_scheme for configuration in PLAN_BY_DATASET[dataset].coding_configurations]
    for labelled in LABELLED[dataset]:
        in_plan = any("WS" in codes_that_count(labelled, scheme) for scheme in schemes)
        belongs_to = codes_that_count(labelled, WS_SCHEME)
        if belongs_to:
            assert in_plan or labelled["Labels"][0]["CodeID"] == UNCODED
            assert belongs_to[0] in WORKSPACE.meanings[labelled["Text"]]
            assert belongs_to[0] != dataset.removeprefix("DEMO_")


def test_coders_do_all_that_people_do():
    seen = Counter()
    for dataset, plan in PLAN_BY_DATASET.items():
        schemes = [configuration.code_scheme for configuration in plan.coding_configurations]
        seen["left for later"] += len(every_message_of(dataset.removeprefix("DEMO_"))) - len(LABELLED[dataset])
        for labelled in LABELLED[dataset]:
            counting = [code for scheme in schemes for code in codes_that_count(labelled, scheme)]
            belongs_to = codes_that_count(labelled, WS_SCHEME)
            seen["several themes"] += (
                plan.coding_configurations[0].coding_mode is CodingMode.MULTIPLE and len(counting) > 1
            )
            seen["nothing ticked any more"] += not counting
            seen["taken off"] += any(label["CodeID"] == UNCODED for label in labelled["Labels"])
            seen["moved"] += counting == ["WS"] and len(belongs_to) == 1
            seen.update(code for code in counting if code in ("STOP", "NC", "gratitude", "greeting"))
    expected = {"left for later", "several themes", "nothing ticked any more", "taken off", "moved"}
    assert expected | {"STOP", "NC", "gratitude", "greeting"} <= {kind for kind, count in seen.items() if count >= 3}


def test_a_slip_of_the_coders_is_a_coding_error_somewhere():
    slips = 0
    for number in range(400):
        texts = [text for text, meaning in WORKSPACE.meanings.items() if set(meaning) == {"age"}]
        (labelled,) = coders(number).label_messages(PLAN_BY_DATASET["DEMO_gender"], [message(texts[0])]) or [None]
        if labelled is not None:
            slips += not codes_that_count(labelled, WS_SCHEME)
    assert 1 <= slips <= 20


def test_what_they_do_can_be_repeated_and_depends_on_no_other_message():
    plan = PLAN_BY_DATASET["DEMO_s01e01"]
    messages = every_message_of("s01e01")
    assert coders().label_messages(plan, messages) == LABELLED["DEMO_s01e01"]
    alone = coders().label_messages(plan, messages[:1])
    assert [m["Labels"] for m in alone] == [
        m["Labels"] for m in LABELLED["DEMO_s01e01"] if m["Text"] == messages[0]["Text"]
    ]


def test_labelled_messages_are_left_alone_and_what_was_left_is_labelled_later():
    plan, messages = PLAN_BY_DATASET["DEMO_s01e02"], every_message_of("s01e02")
    done = {labelled["MessageID"]: labelled for labelled in LABELLED["DEMO_s01e02"]}
    after_round_0 = [done.get(given["MessageID"], given) for given in messages]
    round_1 = coders(1).label_messages(plan, after_round_0)
    assert 0 < len(round_1) < len(messages) / 10
    assert not {labelled["MessageID"] for labelled in round_1} & set(done)


def test_a_proposal_is_confirmed_or_overruled_above_it():
    plan = PLAN_BY_DATASET["DEMO_gender"]
    scheme = plan.coding_configurations[0].code_scheme
    man = scheme.codes_by_match_value["man"].code_id
    proposal = {
        "SchemeID": scheme.scheme_id,
        "CodeID": man,
        "DateTimeUTC": "2026-08-06T10:00:00+00:00",
        "Checked": False,
        "Origin": AUTOMATIC,
    }
    given = [message(text, labels=(proposal,)) for text in ("wiil", "nin", "gabar", "gabadh", "naag", "male", "rag")]
    labelled = coders().label_messages(plan, given)
    assert len(labelled) >= 5
    assert all(after["Labels"][-1] == proposal and len(after["Labels"]) >= 2 for after in labelled)
    confirmed = [
        after for after in labelled if (after["Labels"][0]["CodeID"], after["Labels"][0]["Checked"]) == (man, True)
    ]
    assert {"wiil", "nin", "male"} & {after["Text"] for after in confirmed}
    assert not {"gabar", "gabadh", "naag"} & {after["Text"] for after in confirmed}


def test_nothing_but_labels_is_changed():
    before = message("wiil", 17)
    (after,) = coders().label_messages(PLAN_BY_DATASET["DEMO_gender"], [before])
    assert {**after, "Labels": []} == before
    assert before["Labels"] == []


def test_a_text_that_nobody_invented_is_left_alone():
    assert coders().label_messages(PLAN_BY_DATASET["DEMO_age"], [message("forty-two and a half")]) == []


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("wiil", {"gender": ("man",)}),
        ("wiil; 25", {"gender": ("man",), "age": ("25",)}),
        ("wiil; gabar", {"gender": ("man", "woman")}),  # joined answers can contradict each other
        ("wiil; unheard of", {"gender": ("man",)}),
        ("unheard of", {}),
    ],
)
def test_joined_answers_mean_what_their_parts_mean(text, meaning):
    given = {"wiil": {"gender": ("man",)}, "gabar": {"gender": ("woman",)}, "25": {"age": ("25",)}}
    assert understand(text, given) == meaning


def test_contradictory_joined_answers_are_not_internally_consistent():
    plan = PLAN_BY_DATASET["DEMO_gender"]
    scheme = plan.coding_configurations[0].code_scheme
    counting = [
        codes_that_count(after, scheme)
        for number in range(20)
        for after in coders(number).label_messages(plan, [message("wiil; gabar")])
    ]
    assert ["NIC"] in counting
    assert all(codes in (["NIC"], []) for codes in counting)


def test_stop_beats_whatever_else_was_said_and_is_never_taken_off():
    plan = PLAN_BY_DATASET["DEMO_gender"]
    for number in range(60):
        for after in coders(number).label_messages(plan, [message("wiil; STOP")]):
            assert codes_that_count(after, plan.coding_configurations[0].code_scheme) == ["STOP"]
