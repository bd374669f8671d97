"""Questions by title -> their ids in a form.

People configure titles, and edit them; an id stays for ever. So the ids that a title once had are kept in State/, and count from then on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.services.google_forms.rows import Form, ListedQuestion, squeeze
from engagement.sources.google_forms.model import FormQuestion, GoogleFormsSource

_PHONE = "PhoneNumberQuestions"
KeptIds = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class FieldIds:
    """A field of the raw data, and the ids of the questions that fill it, in order."""

    field: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class FormQuestions:
    """What is read of a form's responses. `listed` are the ids of all questions that the form has now."""

    episode: tuple[FieldIds, ...]
    survey: tuple[FieldIds, ...]
    phone: tuple[str, ...]
    listed: frozenset[str]


@dataclass
class FoundQuestions:
    """Questions of all forms of a source, by form id, and what is wrong or odd, each at its place."""

    forms: dict[str, FormQuestions] = field(default_factory=dict)
    ids_by_title: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def find_questions(source: GoogleFormsSource, forms: Mapping[str, Form], kept: KeptIds) -> FoundQuestions:
    """Find the ids of a source's questions.

    `kept` are the ids that titles had earlier, by form id and title.
    """
    found = FoundQuestions()
    finders = {form_id: _Finder(form, kept.get(form_id, {}), found) for form_id, form in forms.items()}
    survey = [(f"SurveyQuestions[{number}]", question) for number, question in enumerate(source.survey_questions)]
    _find_missing(source, finders, found)
    for form_number, configured in enumerate(source.forms):
        finder = finders[configured.form_id]
        place = f"Forms[{form_number}]"
        episode = [
            (f"{place}.EpisodeQuestions[{number}]", question)
            for number, question in enumerate(configured.episode_questions)
        ]
        questions = FormQuestions(
            tuple(finder.ids_of(at, question) for at, question in episode),
            tuple(finder.ids_of(at, question) for at, question in survey),
            tuple(id_ for title in source.phone_number_questions for id_ in finder.find(_PHONE, title)),
            frozenset(finder.listed),
        )
        _find_numbers_on_their_way(place, questions, found)
        found.forms[configured.form_id] = questions
        found.ids_by_title[configured.form_id] = finder.ids_by_title
        for at, question in survey:
            if not finder.ids_of(at, question).ids:
                found.warnings.append(
                    Problem(at, f"form {configured.form_id} has none of these questions; expected one. Add its title.")
                )
    found.errors, found.warnings = list(dict.fromkeys(found.errors)), list(dict.fromkeys(found.warnings))
    return found


class _Finder:
    """The questions of one form."""

    def __init__(self, form: Form, kept: Mapping[str, Sequence[str]], found: FoundQuestions):
        self.form = form
        self.listed = {question.question_id: question for question in form.questions}
        self.by_title: dict[str, list[ListedQuestion]] = {}
        for question in form.questions:
            self.by_title.setdefault(question.title, []).append(question)
        self.ids_by_title: dict[str, list[str]] = {}
        self._kept = kept
        self._found = found

    def has(self, title: str) -> bool:
        """Whether the form has this title, or had it."""
        return squeeze(title) in self.by_title or squeeze(title) in self._kept

    def ids_of(self, at: str, question: FormQuestion) -> FieldIds:
        """Find the ids of all questions of a field that this form has, or had."""
        ids = [
            id_ for number, title in enumerate(question.titles) for id_ in self.find(f"{at}.Questions[{number}]", title)
        ]
        ids += question.question_ids
        for id_ in ids:
            if id_ in self.listed and self.listed[id_].takes_files:
                self._fail(
                    at, f"question {id_} of {self._name} takes files, which have no text; expected another. Remove it."
                )
        known = (id_ for id_ in ids if id_ in self.listed or id_ not in question.question_ids)
        if not question.titles or any(known):
            return FieldIds(question.field, tuple(dict.fromkeys(ids)))
        return FieldIds(question.field, ())

    def find(self, at: str, title: str) -> list[str]:
        """Find the ids that a title has and had; none if the form never had it."""
        title = squeeze(title)
        now = [question.question_id for question in self.by_title.get(title, ())]
        kept = list(self._kept.get(title, ()))
        living = [id_ for id_ in kept if id_ in self.listed and id_ not in now]
        if len(now) > 1:
            items = ", ".join(f"{id_} (item {self.listed[id_].item_id})" for id_ in now)
            self._fail(
                at,
                f"{self._name} has {len(now)} questions {title!r}: {items}; expected one. Put the id of the one that is meant, or all, "
                "into QuestionIds, or give them different titles.",
            )
        elif now and living:
            self._fail(
                at,
                f"{title!r} was question {living[0]} of {self._name}, which is called {self.listed[living[0]].title!r} now, and is question "
                f"{now[0]} now; expected one. Put the id of the one that is meant, or both, into QuestionIds.",
            )
        elif now and kept and now[0] not in kept:
            self._warn(
                at,
                f"{title!r} of {self._name} is another question now ({now[0]}), and the earlier one ({', '.join(kept)}) is deleted; the "
                "answers to both are read.",
            )
        elif living:
            self._warn(
                at,
                f"question {living[0]} of {self._name} is called {self.listed[living[0]].title!r} now; expected {title!r}. It is read by its "
                "id. Change the title here.",
            )
        elif kept and not now:
            self._warn(
                at,
                f"question {title!r} ({', '.join(kept)}) of {self._name} is deleted; expected it. The answers from before are still read.",
            )
        ids = list(dict.fromkeys([*kept, *now]))
        if ids:
            self.ids_by_title[title] = ids
        return ids

    @property
    def _name(self) -> str:
        return f"form {self.form.form_id}"

    def _fail(self, at: str, text: str) -> None:
        self._found.errors.append(Problem(at, text))

    def _warn(self, at: str, text: str) -> None:
        self._found.warnings.append(Problem(at, text))


def _find_missing(source: GoogleFormsSource, finders: Mapping[str, _Finder], found: FoundQuestions) -> None:
    """Find titles and ids that no form has which may have them."""
    titles = [
        (f"{at}.Questions[{number}]", form_id, title)
        for at, form_id, question in source.placed_questions()
        for number, title in enumerate(question.titles)
    ]
    titles += [(f"{_PHONE}[{number}]", None, title) for number, title in enumerate(source.phone_number_questions)]
    for at, form_id, title in titles:
        own = [finders[form_id]] if form_id is not None else list(finders.values())
        if not any(finder.has(title) for finder in own):
            known = sorted({known for finder in own for known in finder.by_title if known})
            name = (
                f"form {own[0].form.form_id} has no question" if len(own) == 1 else "none of the forms has a question"
            )
            found.errors.append(Problem(at, f"{name} {title!r}; expected one{nearest(title, known)} Change it."))
    for at, form_id, question in source.placed_questions():
        own = [finders[form_id]] if form_id is not None else list(finders.values())
        for number, id_ in enumerate(question.question_ids):
            # It may be deleted: its answers are still there.
            if not any(id_ in finder.listed for finder in own):
                text = (
                    f"no question has the id {id_!r} now; expected one. Answers from before are still read. Check it."
                )
                found.warnings.append(Problem(f"{at}.QuestionIds[{number}]", text))


def _find_numbers_on_their_way(place: str, questions: FormQuestions, found: FoundQuestions) -> None:
    for one in (*questions.episode, *questions.survey):
        for id_ in one.ids:
            if id_ in questions.phone:
                found.errors.append(
                    Problem(
                        place,
                        f"question {id_} is the one for the phone number, and would bring numbers into field {one.field!r}; expected another. "
                        "Remove it in one of the two.",
                    )
                )
