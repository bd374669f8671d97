"""A form's response -> a submission: who answered, and the answers to the configured questions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engagement.services.google_forms.rows import FormResponse
from engagement.sources.google_forms.model import FormOfEpisode, FormRespondent, GoogleFormsSource
from engagement.sources.google_forms.questions import FieldIds, FormQuestions
from engagement.sources.submissions.respondents import channel_respondent, number_respondent
from engagement.sources.submissions.submission import Answer, Respondent, Submission

_CHANNEL, _EMAIL = "google_form", "mailto"


@dataclass
class ResponseReader:
    """Reads the responses of one form, and counts what is odd in them."""

    source: GoogleFormsSource
    form: FormOfEpisode
    questions: FormQuestions
    # Responses without a usable number or address: each is a participant of its own.
    unidentified: int = 0
    # Answers to questions that the form no longer has, by question id.
    unlisted: Counter[str] = field(default_factory=Counter)

    def read(self, response: FormResponse) -> Submission:
        """Read a response.

        Its time is that of its first submission: an edit does not move it to another episode.
        """
        self.count_unlisted(response)
        return Submission(
            flow=self.form.flow_name,
            key=response.response_id,
            version=response.last_submitted.text,
            time=response.created.time,
            respondent=self._respondent_of(response),
            episode=tuple(_answers(self.questions.episode, response)),
            survey=tuple(_answers(self.questions.survey, response)),
        )

    def count_unlisted(self, response: FormResponse) -> None:
        """Count answers to questions that were deleted."""
        listed = self.questions.listed
        if not listed.issuperset(response.answers):
            self.unlisted.update(question_id for question_id in response.answers if question_id not in listed)

    def _respondent_of(self, response: FormResponse) -> Respondent:
        if self.source.respondent is FormRespondent.EMAIL:
            if response.respondent_email and response.respondent_email.strip():
                return channel_respondent(_EMAIL, response.respondent_email.strip().lower())
        else:
            for question_id in self.questions.phone:
                for text in response.answers.get(question_id, ()):
                    who = number_respondent(text, self.source.country)
                    if who is not None:
                        return who
        self.unidentified += 1
        return channel_respondent(_CHANNEL, f"{self.form.form_id}:{response.response_id}")


def _answers(fields: Sequence[FieldIds], response: FormResponse) -> Iterator[Answer]:
    for one in fields:
        values = [value for question_id in one.ids for value in response.answers.get(question_id, ())]
        text = join_values(values)
        if text:
            yield Answer(one.field, text, response.created.time)


def join_values(values: Sequence[str]) -> str:
    """Join the values of an answer, each on a line of its own; blank ones are left out.

    What people write into "Other" may hold commas, but no line end. An only value stays as it was written.

    >>> join_values(["Radio", "my cousin, in town"])
    'Radio\\nmy cousin, in town'
    """
    written = [value for value in values if value.strip()]
    return written[0] if len(written) == 1 else "\n".join(" ".join(value.split()) for value in written)
