"""One participant's raw runs -> messages, labels and folded record: stage 3's steps in their order."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from typing import cast

from engagement.configuration import Project
from engagement.configuration.field_names import CONSENT_FIELD, PARTICIPANT_KEY
from engagement.pipeline import steps
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.coding.coder import Coder
from engagement.pipeline.coding.codings import make_field
from engagement.pipeline.coding.imputing import ImputationMaker
from engagement.pipeline.coding.wrong_scheme import WrongSchemeMoves
from engagement.pipeline.folding.consent import has_withdrawn
from engagement.pipeline.folding.fold import Folder
from engagement.pipeline.messages.filters import Dropped, Filters
from engagement.pipeline.messages.join import combine_survey_runs, join_survey, share_contact
from engagement.pipeline.messages.key_names import KeyNames
from engagement.pipeline.messages.message import Message
from engagement.pipeline.messages.operators import expects_one_operator, unify_operator
from engagement.pipeline.messages.recovered import drop_known_messages, has_recovery_files
from engagement.pipeline.messages.texts import mend_texts
from engagement.pipeline.outputs.group_columns import NO_GROUPS, GroupColumns
from engagement.processing.records.participant_links import NO_LINKS, ParticipantLinks
from engagement.processing.records.participants import Participant
from engagement.processing.records.raw_runs import Runs
from engagement.provenance import Metadata, TracedData

# Coders' labels decide this step, so it is recorded with them.
_STAYS = make_field(CONSENT_FIELD, "false")
_CONTACT_KEYS = (PARTICIPANT_KEY, "urn_type", "operator_raw", "operator_coded")


class Processor:
    """The steps of stage 3, prepared once for all participants."""

    def __init__(
        self,
        project: Project,
        datasets: Mapping[str, CodedDataset],
        user: str,
        timestamp: str,
        imputations: Mapping[str, ImputationMaker],
        is_coded: bool,
        groups: GroupColumns = NO_GROUPS,
        links: ParticipantLinks = NO_LINKS,
    ) -> None:
        """`datasets` are by raw field. With `is_coded` false the steps end before coders' labels are used."""
        self.groups, self.links = groups, links
        self.origin_names = tuple(map(str, project.configuration.origin_columns))
        self.project = project
        self.datasets = datasets
        self.is_coded = is_coded
        self._plans = project.coding_plans
        self._user, self._timestamp = user, timestamp
        self._recovered_keys = project.configuration.recovered_keys
        self._has_recovery_files = has_recovery_files(project.configuration)
        self._expects_one_operator = expects_one_operator(self._plans)
        self._key_names = KeyNames(project.configuration, self._plans)
        self._moves = WrongSchemeMoves(self._plans, datasets) if project.configuration.move_ws_messages else None
        self._filters = Filters(project.configuration, links.all_of(project.configuration.test_participant_uuids))
        self._datasets_of_plans = [datasets.get(plan.raw_field) for plan in self._plans.all]
        self._raw_fields = [plan.raw_field for plan in self._plans.all]
        self._numbers = {raw_field: number for number, raw_field in enumerate(self._raw_fields)}
        self._coder = Coder(
            self._plans,
            datasets,
            project.configuration.noise_minimum_length,
            imputations,
            self.metadata(steps.MANUAL_CODING),
            self.metadata(steps.IMPUTATION),
        )
        self._folder = Folder(self._plans.all, self.metadata(steps.FOLDING))
        self._join, self._names = self.metadata(steps.JOIN), self.metadata(steps.KEY_NAMES)
        self._linking = self.metadata(steps.LINKING)
        self._recover = self.metadata(steps.RECOVERY)
        self._mend, self._move = self.metadata(steps.TEXT_REPAIR), self.metadata(steps.WRONG_SCHEME)

    def metadata(self, step: str) -> Metadata:
        """Make the metadata of a step's updates."""
        return Metadata(step, self._timestamp, self._user)

    def process(self, uid: str, runs: Runs) -> Participant:
        """Take one participant through all steps."""
        if self.links.firsts:
            self._link(uid, runs)
        for run in (*runs.activation, *runs.survey):
            mend_texts(run, self._mend)
        wanted = self._drop_known(runs) if self._has_recovery_files else runs
        messages, make_blank = self._make_messages(wanted)
        messages.sort(key=Message.order)
        lost: Counter[str] = Counter()
        self._set_texts(messages)
        texts = self._find_distinct(messages)
        # Even if they are filtered, moved or overwritten later.
        looked_up = self._find_answers(runs) if self.is_coded else [set() for _ in texts]
        withdrew = self.is_coded and has_withdrawn(looked_up, self._datasets_of_plans)
        _add_all(looked_up, texts)
        if self._moves is not None and messages:
            moved, lost = self._moves.apply(messages, make_blank, self._move)
            if moved is not messages:
                messages = sorted(moved, key=Message.order)
                # Messages made for moved answers had their other answers looked up before some of these left.
                blank = [make_blank()]
                self._set_texts(blank)
                _add_all(looked_up, self._find_distinct(blank))
                self._set_texts(messages)
                texts = self._find_distinct(messages)
                _add_all(looked_up, texts)
        withdrew = withdrew or (self.is_coded and has_withdrawn(texts, self._datasets_of_plans))
        participant = Participant(uid, [], withdrew, looked_up, lost=lost)
        if wanted is not runs:
            participant.dropped[Dropped.ALREADY_THERE] = len(runs.activation) - len(wanted.activation)
        for message in messages:
            reason = self._filters.reason_to_drop(message)
            if reason is None:
                participant.messages.append(message)
            else:
                participant.dropped[reason] += 1
            # An answer that moved to a survey is no longer an answer to an episode.
            if message.sent_to is not None and reason in (None, Dropped.NO_ANSWER):
                participant.sent[message.sent_to.raw_field] += 1
        if self.is_coded and participant.messages and not withdrew:
            self._code_and_fold(participant)
        return participant

    def _link(self, uid: str, runs: Runs) -> None:
        """Write the id that counts into the runs of other ids of the same person."""
        for run in (*runs.activation, *runs.survey):
            if run.values[PARTICIPANT_KEY] != uid:
                run.append({PARTICIPANT_KEY: uid}, self._linking)

    def _set_texts(self, messages: Sequence[Message]) -> None:
        """Set the texts to code in each message."""
        for message in messages:
            message.texts = tuple(map(message.record.values.get, self._raw_fields))

    def _find_distinct(self, messages: Sequence[Message]) -> list[set[str]]:
        """Find the distinct texts of messages for each plan; survey answers are in all messages."""
        if not messages:
            return [set() for _ in self._raw_fields]
        found = list(map(set, zip(*(message.texts for message in messages), strict=True)))
        for texts in found:
            texts.discard(None)
        return cast("list[set[str]]", found)

    def _find_answers(self, runs: Runs) -> list[set[str]]:
        """Find the distinct answers of the raw runs, before any is moved, for each plan in order."""
        found: list[set[str]] = [set() for _ in self._raw_fields]
        numbers = self._numbers
        for run in (*runs.activation, *runs.survey):
            for plan, text in self._key_names.answers_in(run):
                found[numbers[plan.raw_field]].add(text)
        return found

    def _drop_known(self, runs: Runs) -> Runs:
        """Drop recovered messages that RapidPro has already; return the same object if there are none."""
        wanted = drop_known_messages(runs.activation, runs.survey, self._recovered_keys, self._recover)
        return runs if len(wanted) == len(runs.activation) else Runs(wanted, runs.survey)

    def _make_messages(self, runs: Runs) -> tuple[list[Message], Callable[[], Message]]:
        join, names = self._join, self._names
        survey = combine_survey_runs(runs.survey, join, self._recovered_keys)
        if self._has_recovery_files:
            share_contact(runs.activation, survey, join)
        if self._expects_one_operator:
            unify_operator(runs.activation, survey, join)

        def make_blank() -> Message:
            # A survey answer keeps the known facts about the participant's contact.
            first = runs.activation[0].values
            contact = {key: first[key] for key in _CONTACT_KEYS if key in first}
            blank = join_survey(TracedData.start(contact, join), survey, join)
            return self._key_names.make_messages(blank, names)[0]

        messages = [
            message
            for run in runs.activation
            for message in self._key_names.make_messages(join_survey(run, survey, join), names)
        ]
        return messages, make_blank

    def _code_and_fold(self, participant: Participant) -> None:
        for message in participant.messages:
            errors = self._coder.code(message, also=_STAYS)
            for plan, message_id in errors:
                participant.contradictions[str(plan.coda_dataset), message_id] += 1
        participant.individual, participant.problems = self._folder.fold(participant.uid, participant.messages)


def _add_all(texts: Sequence[set[str]], more: Sequence[Set[str]]) -> None:
    for found, others in zip(texts, more, strict=True):
        found |= others
