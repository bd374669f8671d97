"""Read a form's submissions: their answers by field, their time, and who answered."""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engagement.services.kobo.rows import FormContent, KoboSubmission
from engagement.sources.kobo_toolbox.answers import find_answer, prefixes_of, say_labels
from engagement.sources.kobo_toolbox.model import KoboForm, KoboQuestion, KoboToolboxSource
from engagement.sources.kobo_toolbox.times import MessageTime, TimeFault, choose_time
from engagement.sources.submissions.respondents import channel_respondent, number_respondent
from engagement.sources.submissions.submission import Answer, Respondent, Submission

SCHEME = "kobo"


class _Asked:
    """A question as it is looked for in a submission."""

    def __init__(self, keys: Sequence[str], field: str = "", labels: Mapping[str, str] | None = None):
        self.field = field
        self.labels = labels
        self.prefixes = {key: prefixes_of(key) for key in keys}


class SubmissionReader:
    """Reads the submissions of one form; counts what is odd, and notes the paths with answers."""

    def __init__(self, source: KoboToolboxSource, form: KoboForm, content: FormContent | None):
        self._source = source
        self._form = form
        self._episode = [_ask(question, content) for question in form.episode_questions]
        self._survey = [_ask(question, content) for question in source.survey_questions]
        self._phone = _Asked(source.phone_number_keys)
        self.found_keys: set[str] = set()
        self.time_faults: Counter[TimeFault] = Counter()
        self.twice: Counter[str] = Counter()
        self.read_rows = self.without_number = 0
        self._numbers: Counter[str] = Counter()

    def read(self, row: KoboSubmission) -> Submission:
        """Read a submission.

        Raises
        ------
        ValueError
            Its time can't be read; the text says so, without the time.
        """
        try:
            time, fault = choose_time(row.values, self._source.message_time)
        except ValueError:
            raise ValueError(f"{MessageTime.SUBMISSION.value!r} is missing, or is no time") from None
        if fault is not None:
            self.time_faults[fault] += 1
        self.read_rows += 1
        return Submission(
            flow=self._form.flow_name,
            key=str(row.id),
            version=row.uuid,
            time=time,
            respondent=self._find_respondent(row),
            episode=tuple(self._find_answers(row.values, self._episode, time)),
            survey=tuple(self._find_answers(row.values, self._survey, time)),
        )

    def count_shared_numbers(self) -> tuple[int, int]:
        """Count the numbers that several submissions have, like a family's, and those submissions."""
        shared = [count for count in self._numbers.values() if count > 1]
        return len(shared), sum(shared)

    def _find_respondent(self, row: KoboSubmission) -> Respondent:
        told = self._find(row.values, self._phone, "PhoneNumberKeys")
        respondent = None if told is None else number_respondent(told, self._source.country)
        if respondent is not None:
            self._numbers[respondent.identities[-1]] += 1
            return respondent
        self.without_number += bool(self._source.phone_number_keys)
        # Of the server too, or two servers' forms could share an id; but the ids are made at random.
        return channel_respondent(SCHEME, f"{self._form.asset}:{row.id}")

    def _find_answers(
        self, values: Mapping[str, Any], questions: Sequence[_Asked], time: datetime.datetime
    ) -> Iterator[Answer]:
        for question in questions:
            text = self._find(values, question, question.field)
            if text is not None:
                labels = question.labels
                yield Answer(question.field, text if labels is None else say_labels(text, labels), time)

    def _find(self, values: Mapping[str, Any], question: _Asked, name: str) -> str | None:
        answer, filled = None, 0
        for key, prefixes in question.prefixes.items():
            text = find_answer(values, prefixes)
            if text is not None:
                answer, filled = text, filled + 1
                self.found_keys.add(key)
        if filled > 1:
            self.twice[name] += 1
        return answer


def keys_to_fetch(source: KoboToolboxSource, form: KoboForm) -> list[str]:
    """List the keys of a submission that the reader looks at. A repeat's answers are below its group."""
    keys = [*source.phone_number_keys]
    for question in (*form.episode_questions, *source.survey_questions):
        keys += question.keys
    prefixes = [prefix for key in keys for prefix in prefixes_of(key)]
    return list(dict.fromkeys([*MessageTime, *prefixes]))


def _ask(question: KoboQuestion, content: FormContent | None) -> _Asked:
    labels = find_labels(question, content) if question.labels and content is not None else None
    return _Asked(question.keys, question.field, labels)


def find_labels(question: KoboQuestion, content: FormContent) -> Mapping[str, str]:
    """Find the labels of a question's choices, by its newest path in the form; none if it has no choices."""
    for key in reversed(question.keys):
        question_now = content.questions.get(key)
        labels = content.labels.get((question_now and question_now.choices) or "")
        if labels is not None:
            return labels
    return {}
