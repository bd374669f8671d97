"""Ids that others chose: digits in them are no phone numbers, and nobody could change them."""

from engagement.configuration.numbers_in_names import find_numbers_in_names


def test_ids_of_forms_questions_and_posts_may_have_digits_alone():
    source = {
        "Forms": [{"FormId": "1InventedForm0712345678", "EpisodeQuestions": [{"QuestionIds": ["07123456"]}]}],
        "Posts": [{"PostIDs": ["104785551234567_5550001"]}],
        "Asset": "a0712345678BcDeFgHiJk",
    }
    assert find_numbers_in_names({"RawDataSources": [source]}) == []


def test_names_beside_them_may_not():
    source = {"Forms": [{"FlowName": "s01 0712 345 678", "FormId": "1InventedForm"}]}
    (problem,) = find_numbers_in_names({"RawDataSources": [source]})
    assert "345" not in str(problem)
