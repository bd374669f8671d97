"""Flows become questions, and questions coding plans. The flows are invented."""

import pytest

from engagement.configuration import PlanKind
from engagement.desk.projects.plans import Country, Language, propose_plans
from engagement.desk.projects.questions import AnswerFlow, AskedResult, choose_flows, collect_questions
from engagement.foundation.errors import UsageError
from engagement.pipeline.coding.cleaning.places import kenyan_places, somali_places

EPISODES = AnswerFlow("s01e01_activation", (AskedResult("rqa_s01e01_raw", ("All Responses",)),), True)


def survey(*keys: str, name: str = "s01_demographics", categories: tuple[str, ...] = ()) -> AnswerFlow:
    return AnswerFlow(name, tuple(AskedResult(key, categories) for key in keys), False)


def propose(*flows: AnswerFlow, country: Country = Country.SOMALIA, language: Language = Language.SOMALI):
    questions, _ = collect_questions([EPISODES, *flows])
    return propose_plans(questions, "Example", "EXAMPLE", country, language)


def plans_of(proposed, kind: PlanKind = PlanKind.DEMOGRAPHIC) -> dict[str, dict]:
    return {plan["RawField"]: plan for plan in proposed.document[str(kind)]}


def codings_of(plan) -> list[tuple[str, str, str | None]]:
    return [
        (coding["AnalysisFileKey"], coding["CodeScheme"], coding.get("Cleaner"))
        for coding in plan["CodingConfigurations"]
    ]


class TestQuestions:
    def test_results_are_sorted_by_what_they_ask(self):
        questions, left_out = collect_questions(
            [survey("useful", name="s01_evaluation"), survey("gender", "household_language"), EPISODES]
        )
        assert [(question.name, question.kind.name) for question in questions] == [
            ("s01e01", "RQA"),
            ("gender", "DEMOGRAPHIC"),
            ("household_language", "DEMOGRAPHIC"),
            ("useful", "FOLLOW_UP"),
        ]
        assert left_out == []

    def test_one_question_in_two_flows_is_one_question(self):
        again = AnswerFlow("s01e01_repeat", (AskedResult("rqa_s01e01"),), True)
        (question,), _ = collect_questions([EPISODES, again])
        assert question.asked_in == (("s01e01_activation", "rqa_s01e01_raw"), ("s01e01_repeat", "rqa_s01e01"))

    def test_what_else_an_activation_flow_asks_is_left_out_and_told(self):
        flow = AnswerFlow("s01e02_activation", (AskedResult("rqa_s01e02"), AskedResult("gender")), True)
        questions, left_out = collect_questions([flow])
        assert [question.name for question in questions] == ["s01e02"]
        assert left_out == ["'gender' of 's01e02_activation': no answer to an episode, in a flow of an episode"]

    def test_an_activation_flow_without_a_mark_gives_all_its_results(self):
        (question,), _ = collect_questions([AnswerFlow("water", (AskedResult("thoughts"),), True)])
        assert (question.name, question.kind) == ("thoughts", PlanKind.RQA)

    def test_a_survey_question_with_an_episodes_name_gets_another(self):
        questions, _ = collect_questions([EPISODES, survey("s01e01")])
        assert [question.name for question in questions] == ["s01e01", "s01e01_answer"]


class TestChoosingFlows:
    LISTED = {
        "s01e01_activation": (AskedResult("rqa"),),
        "s01_demog": (AskedResult("age"),),
        "s02_demog": (AskedResult("age"),),
        "welcome": (),
        "a/b": (AskedResult("x"),),
    }

    def choose(self, kinds=None, patterns=(), listed=None):
        return {
            flow.name: flow.is_activation
            for flow in choose_flows(listed or self.LISTED, kinds or {}, patterns, "RapidPro here")
        }

    def test_all_flows_with_results_are_taken_by_default(self):
        listed = {name: results for name, results in self.LISTED.items() if name != "a/b"}
        assert self.choose(listed=listed) == {"s01e01_activation": True, "s01_demog": False, "s02_demog": False}

    def test_patterns_and_names_choose(self):
        assert self.choose(patterns=["s01*"]) == {"s01_demog": False, "s01e01_activation": True}
        assert self.choose(kinds={"s02_demog": True}) == {"s02_demog": True}
        assert [*self.choose({"s02_demog": True}, ["s01_*"])] == ["s02_demog", "s01_demog"]

    def test_what_can_not_be_taken_is_told_at_once(self):
        with pytest.raises(UsageError) as caught:
            self.choose({"s01_demo": False, "welcome": True, "a/b": False}, ["s09*"])
        text = str(caught.value)
        assert "RapidPro here: 4 problem(s):" in text
        assert "no flow 's01_demo'; nearest: 's01_demog'" in text
        assert "no flow 's09*'" in text
        assert "flow 'welcome' has no results" in text
        assert "flow 'a/b' can't be the name of a file" in text

    def test_a_workspace_without_questions_is_told(self):
        with pytest.raises(UsageError, match="no flow has results"):
            self.choose(listed={"welcome": ()})


class TestPlans:
    def test_an_episode_is_coded_with_several_themes(self):
        plan = plans_of(propose(), PlanKind.RQA)["s01e01_raw"]
        assert plan == {
            "RawField": "s01e01_raw",
            "TimeField": "sent_on",
            "RunIDField": "s01e01_run_id",
            "CodaFilename": "EXAMPLE_s01e01.json",
            "ICRFilename": "s01e01.csv",
            "WSCode": "s01e01",
            "RawFieldFoldStrategy": "concatenate",
            "CodingConfigurations": [
                {
                    "CodingMode": "MULTIPLE",
                    "CodeScheme": "s01e01.json",
                    "CodedField": "s01e01_coded",
                    "AnalysisFileKey": "s01e01",
                }
            ],
        }

    @pytest.mark.parametrize(
        ("key", "language", "expected"),
        [
            ("gender", Language.SOMALI, [("gender", "gender.json", "somali.gender")]),
            ("sex", Language.ENGLISH, [("sex", "gender.json", "english.gender")]),
            (
                "age",
                Language.SWAHILI,
                [("age", "age.json", "swahili.age"), ("age_category", "age_category.json", None)],
            ),
            ("urban_rural", Language.SOMALI, [("urban_rural", "urban_rural.json", "somali.urban_rural")]),
            (
                "recently_displaced",
                Language.SOMALI,
                [("recently_displaced", "recently_displaced.json", "somali.yes_no")],
            ),
            ("household_language", Language.SOMALI, [("household_language", "household_language.json", None)]),
        ],
    )
    def test_what_is_recognised_gets_its_cleaner_and_scheme(self, key, language, expected):
        assert codings_of(plans_of(propose(survey(key), language=language))[f"{key}_raw"]) == expected

    def test_a_question_of_yes_and_no_is_known_by_its_categories(self):
        proposed = propose(survey("useful", name="s01_evaluation", categories=("Yes", "No", "Other")))
        assert codings_of(plans_of(proposed, PlanKind.FOLLOW_UP)["useful_raw"]) == [
            ("useful", "useful.json", "somali.yes_no")
        ]

    def test_categories_become_codes(self):
        proposed = propose(survey("language", categories=("Somali", "Af Maay", "Other", "No Response", "Stop")))
        normal = [code for code in proposed.schemes["language.json"].codes if code.is_normal]
        assert [(code.string_value, code.display_text, code.match_values) for code in normal] == [
            ("somali", "Somali", ("somali",)),
            ("af_maay", "Af Maay", ("af maay",)),
        ]

    def test_a_location_in_somalia_is_coded_at_every_level(self):
        proposed = propose(survey("location"))
        plan = plans_of(proposed)["location_raw"]
        assert plan["CodeImputationFunction"] == "somalia_location"
        levels = somali_places().levels
        assert [key for key, _, _ in codings_of(plan)] == [*levels]
        for level in levels:
            normal = [code for code in proposed.schemes[f"{level}.json"].codes if code.is_normal]
            assert {value for code in normal for value in code.match_values} == set(somali_places().codes(level))
        assert proposed.drawn_levels == ("region", "district", "mogadishu_sub_district")

    def test_what_follows_from_finer_codes_takes_no_column_in_coda(self):
        plans = plans_of(propose(survey("location", "age")))
        shown = {
            coding["AnalysisFileKey"]: coding.get("InCoda", True)
            for plan in plans.values()
            for coding in plan["CodingConfigurations"]
        }
        assert [key for key, is_shown in shown.items() if not is_shown] == ["state", "zone", "age_category"]

    def test_in_kenya_the_finest_question_has_all_levels_and_the_other_its_own_name(self):
        proposed = propose(survey("county", "constituency"), country=Country.KENYA, language=Language.SWAHILI)
        plans = plans_of(proposed)
        assert codings_of(plans["constituency_raw"]) == [
            ("constituency", "constituency.json", "swahili.constituency"),
            ("county", "county.json", "swahili.county"),
        ]
        assert codings_of(plans["county_answer_raw"]) == [("county_answer", "county_answer.json", None)]
        assert len([code for code in proposed.schemes["county.json"].codes if code.is_normal]) == len(
            kenyan_places().codes("county")
        )

    def test_elsewhere_a_location_is_a_question_like_others(self):
        proposed = propose(survey("location"), country=Country.OTHER, language=Language.ENGLISH)
        assert codings_of(plans_of(proposed)["location_raw"]) == [("location", "location.json", None)]
        assert "OperatorScheme" not in proposed.document
        assert proposed.drawn_levels == ()

    def test_names_that_the_pipeline_uses_are_not_taken(self):
        proposed = propose(survey("operator", "age", "age_category", "location", "region"))
        assert [*plans_of(proposed)] == [
            "operator_answer_raw",
            "age_raw",
            "age_category_answer_raw",
            "location_raw",
            "region_answer_raw",
            "operator_raw",
        ]

    def test_every_dataset_can_be_named_as_the_right_one(self):
        proposed = propose(survey("gender", "operator"))
        normal = [code for code in proposed.schemes["ws_correct_dataset.json"].codes if code.is_normal]
        plans = [plan for kind in PlanKind for plan in plans_of(proposed, kind).values() if "WSCode" in plan]
        assert [code.match_values[0] for code in normal] == [plan["WSCode"] for plan in plans]

    def test_schemes_of_two_projects_have_ids_of_their_own(self):
        questions, _ = collect_questions([EPISODES, survey("gender")])
        ids = [
            {scheme.scheme_id for scheme in propose_plans(questions, name, "X", Country.KENYA, Language.ENGLISH).schemes.values()}
            for name in ("One", "Two")
        ]  # fmt: skip
        assert len(ids[0]) == 4
        assert not ids[0] & ids[1]
