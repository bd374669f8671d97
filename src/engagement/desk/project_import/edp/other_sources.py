"""Forms, comments and groups of an engagement-database project, as sources to paste.

They are not in the new configuration yet: each lacks something that the old one does not say, or needs another credential.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from engagement.configuration.raw_keys import category_of
from engagement.desk.project_import.edp.arguments import (
    ArgumentReader,
    datasets_in,
    describe,
    is_made_by_class,
    text_of_date,
)
from engagement.desk.project_import.edp.fields import PlannedDataset
from engagement.desk.project_import.migration import Migration, paste_ready

_COUNTRIES: Final = {"KENYA": "KE", "SOMALIA": "SO", "ETHIOPIA": "ET", "SUDAN": "SD", "UGANDA": "UG", "TANZANIA": "TZ"}
Planned = dict[str, PlannedDataset]


@dataclass
class _Proposal:
    """A source to paste, its remappings, and what is still missing in it."""

    source: dict[str, Any]
    remappings: list[dict[str, Any]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def remap(self, name: str, flow: str, plan: PlannedDataset) -> None:
        """Add the remappings of a field of a flow."""
        fields = {"Text": plan.raw_field, "Time": plan.time_field}
        if plan.is_answer:
            fields["Run ID"] = plan.run_id_field
        for part, pipeline_key in fields.items():
            remapping: dict[str, Any] = {"RapidProKey": f"{name} ({part}) - {flow}", "PipelineKey": pipeline_key}
            if part == "Text" and plan.is_answer:
                remapping["IsActivationMessage"] = True
            self.remappings.append(remapping)

    def take(self, source: ArgumentReader | None, argument: str, key: str, what: str) -> None:
        """Take a text for a key of the source; what is not there is missing."""
        value = source.take_text(argument) if source is not None else None
        if value is None:
            self.missing.append(f"{key} ({what})")
        self.source[key] = value or ""


def ask_for_other_sources(
    pipeline: ArgumentReader, planned: Planned, asked: dict[str, str], migration: Migration
) -> None:
    """Ask to bring the sources of other kinds; `asked` gets the datasets that they would fill."""
    for name, propose in _TYPES.items():
        value = pipeline.take(name)
        for number, item in enumerate(value if isinstance(value, list | tuple) else [value] if value else []):
            datasets = list(dict.fromkeys(datasets_in(item)))
            for dataset in datasets:
                asked.setdefault(dataset, f"{name}[{number}]")
            answers = f"Its answers{' to ' if datasets else ''}{', '.join(datasets)} are missing until you add it"
            proposal = propose(ArgumentReader(item), number, planned) if is_made_by_class(item) else None
            if proposal is None or not proposal.remappings:
                said = f"{answers} as a source of its own. It was {describe(item)}."
            else:
                unread = [dataset for dataset in datasets if dataset not in planned]
                said = f"{answers}{_say_missing(proposal.missing)}. It was {describe(item)}."
                said += f" No analysis dataset reads {', '.join(unread)}, so that is left out." if unread else ""
                said += paste_ready({"RawDataSources": [proposal.source], "RapidProKeyRemappings": proposal.remappings})
            migration.to_decide(f"{name}[{number}]", said)


def _say_missing(missing: list[str]) -> str:
    return f", as below. To fill in or to check: {'; '.join(missing)}" if missing else ", as below"


def _propose_kobo(source: ArgumentReader, number: int, planned: Planned) -> _Proposal:
    proposal = _Proposal({"SourceType": "KoboToolbox"})
    proposal.take(source, "token_file_url", "TokenFileURL", "a text file with an account's API key alone")
    proposal.missing.append("Server, unless it is kf.kobotoolbox.org")
    sync = source.take_call("sync_config")
    form: dict[str, Any] = {"FlowName": f"kobo_{number + 1}", "Asset": sync.take_text("asset_uid") if sync else ""}
    person = sync.take_call("participant_id_configuration") if sync else None
    column = person.take_text("data_column_name") if person else None
    if person is not None and column is not None:
        proposal.source["PhoneNumberKeys"] = [column]
        _add_country(person, proposal)
    else:
        proposal.missing.append("PhoneNumberKeys, or each submission is a participant")
    return _add_questions(proposal, form, _questions_of(sync, "data_column_name"), "Keys", planned)


def _propose_form(source: ArgumentReader, number: int, planned: Planned) -> _Proposal:
    proposal = _Proposal({"SourceType": "GoogleForms"})
    what = "the key of a service account that the form is shared with"
    proposal.take(source.take_call("google_form_client"), "credentials_file_url", "CredentialsFileURL", what)
    sync = source.take_call("sync_config")
    form: dict[str, Any] = {"FlowName": f"forms_{number + 1}", "FormId": sync.take_text("form_id") if sync else ""}
    person = sync.take_call("participant_id_configuration") if sync else None
    title = person.take_text("question_title") if person else None
    if person is not None and title is not None:
        proposal.source["PhoneNumberQuestions"] = [title]
        _add_country(person, proposal)
    else:
        proposal.missing.append("PhoneNumberQuestions or Identity, or each response is a participant")
    return _add_questions(proposal, form, _questions_of(sync, "question_titles"), "Questions", planned)


def _add_country(person: ArgumentReader, proposal: _Proposal) -> None:
    kind = describe(person.take("id_type"))
    country = next((code for name, code in _COUNTRIES.items() if name in kind), None)
    if country is None:
        proposal.missing.append(f"Country, of numbers in national form ({kind})")
    else:
        proposal.source["Country"] = country


def _questions_of(sync: ArgumentReader | None, named: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each dataset with what the old form calls its questions."""
    for question in sync.take_calls("question_configurations") if sync is not None else []:
        dataset, found = question.take_text("engagement_db_dataset"), question.take(named)
        names = [one for one in (found if isinstance(found, list | tuple) else [found]) if isinstance(one, str)]
        if dataset is not None and names:
            yield dataset, names


def _add_questions(
    proposal: _Proposal,
    form: dict[str, Any],
    questions: Iterator[tuple[str, list[str]]],
    key: str,
    planned: Planned,
) -> _Proposal:
    """Add a form's questions: those of episodes to the form, the others to SurveyQuestions."""
    episodes: dict[str, list[str]] = {}
    surveys: dict[str, list[str]] = {}
    for dataset, names in questions:
        if dataset in planned:
            (episodes if planned[dataset].is_answer else surveys).setdefault(dataset, []).extend(names)
    flow = form["FlowName"]
    if episodes:
        form["EpisodeQuestions"] = [{"Field": dataset, key: names} for dataset, names in episodes.items()]
    proposal.source["Forms"] = [form]
    if surveys:
        proposal.source["SurveyFlowName"] = f"{flow}_survey"
        proposal.source["SurveyQuestions"] = [{"Field": dataset, key: names} for dataset, names in surveys.items()]
    for dataset in (*episodes, *surveys):
        flow_of_dataset = flow if dataset in episodes else f"{flow}_survey"
        proposal.remap(category_of(dataset), flow_of_dataset, planned[dataset])
    return proposal


def _propose_comments(source: ArgumentReader, number: int, planned: Planned) -> _Proposal:
    page = source.take("page_id")
    proposal = _Proposal({"SourceType": "FacebookComments"})
    proposal.take(source, "token_file_url", "TokenFileURL", "a text file with a token of the page")
    posts = []
    for one in source.take_calls("engagement_db_datasets"):
        dataset, search = one.take_text("engagement_db_dataset"), one.take_call("search")
        if dataset is None or dataset not in planned:
            continue
        flow = f"{dataset}_facebook"
        posts.append({"FlowName": flow, "PostIDs": []})
        given = [search.take(name) for name in ("match", "start_date", "end_date")] if search is not None else []
        which = ", ".join(str(text_of_date(value)) for value in given if value is not None)
        proposal.missing.append(
            f"PostIDs of {flow}: '{page}_' and each post's number{which and f' (it searched: {which})'}"
        )
        proposal.remap("Comment", flow, planned[dataset])
    proposal.source["Posts"] = posts
    return proposal


def _propose_groups(source: ArgumentReader, number: int, planned: Planned) -> _Proposal:
    proposal = _Proposal({"SourceType": "TelegramGroup"})
    for one in source.take_calls("engagement_db_datasets"):
        dataset = one.take_text("engagement_db_dataset")
        # One source a group: others are added like it.
        if dataset is not None and dataset in planned and not proposal.remappings:
            flow = f"{dataset}_telegram"
            proposal.source |= {"FlowName": flow, "GroupID": 0, "ExportURLs": []}
            proposal.remap("Message", flow, planned[dataset])
    proposal.missing.append(
        "GroupID and ExportURLs, from exports of Telegram's desktop client; a source for each group"
    )
    return proposal


_TYPES: Final[dict[str, Callable[[ArgumentReader, int, Planned], _Proposal]]] = {
    "kobotoolbox_sources": _propose_kobo,
    "google_form_sources": _propose_form,
    "facebook_sources": _propose_comments,
    "telegram_group_sources": _propose_groups,
}
