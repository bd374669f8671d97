"""Sources of messages of old configurations: flat keys of one workspace, and lists of sources."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from engagement.configuration.model import Model
from engagement.configuration.source_types import load_models
from engagement.desk.project_import.migration import Migration, paste_ready

# Old key at the top of the file -> key of a RapidPro source.
_FLAT_KEYS: Final = {
    "RapidProDomain": "Domain",
    "RapidProBaseURL": "Domain",
    "RapidProTokenFileURL": "TokenFileURL",
    "ActivationFlowNames": "ActivationFlowNames",
    "SurveyFlowNames": "SurveyFlowNames",
    "RapidProTestContactUUIDs": "TestContactUUIDs",
}
_FLOW_LISTS: Final = ("ActivationFlowNames", "SurveyFlowNames")
_URL_LISTS: Final = ("ActivationFlowURLs", "SurveyFlowURLs")
_ABSENT: Final = {
    "Facebook": "Its answers are missing until you add a source FacebookComments.",
    "ShaqadoonCSV": "CSV files of Shaqadoon are not read here. Name them in a source Spreadsheet, with their columns; or "
    "save them with the columns Sender, Message and ReceivedOn for a RecoveryCSV source.",
}


def keys_of(model: type[Model]) -> frozenset[str]:
    """Return the JSON keys of a model of the configuration."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def dictionaries_in(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a list with their positions; nothing for what is no list."""
    yield from ((n, item) for n, item in enumerate(value if isinstance(value, list) else []) if isinstance(item, dict))


def convert_sources(old: dict[str, Any], migration: Migration) -> list[dict[str, Any]]:
    """Take the keys of sources out of `old`, and return them as RawDataSources."""
    sources = _convert_flat_keys(old, migration)
    urls = old.pop("RecoveryCSVURLs", None)
    if urls:
        sources.append({"SourceType": "RecoveryCSV", "ActivationFlowURLs": urls})
        migration.changed("RecoveryCSVURLs", "now a source of SourceType RecoveryCSV.")
    known = {name: keys_of(model) for name, model in _models_by_type().items()}
    given = old.pop("RawDataSources", [])
    for number, source in dictionaries_in(given):
        place, name = f"RawDataSources[{number}]", source.get("SourceType")
        if name not in known:
            what = _ABSENT.get(str(name), "There is no such source here, so its messages are missing.")
            more = _propose_comments(source) if name == "Facebook" else ""
            migration.to_decide(f"{place} ({name})", f"{what} It was:{paste_ready(source)}{more}")
            continue
        new = {key: value for key, value in source.items() if key in known[name]}
        for key in source.keys() - new.keys():
            migration.dropped(f"{place}.{key}", _loss_of(key, source[key]))
        sources.append(new)
    _add_test_contacts(old, sources, migration)
    name_contacts(sources, migration)
    for source in sources:
        _remove_doubles(source, migration)
        _tell_long_endings(source, migration)
    if not sources:
        migration.to_decide(
            "RawDataSources", "none of the old sources exists here. Add one, or the project has no messages."
        )
    return sources


def _propose_comments(source: dict[str, Any]) -> str:
    """Write the source that an old one of Facebook becomes, but for the posts that it found."""
    page, posts = source.get("PageID"), []
    remappings: list[dict[str, Any]] = []
    for number, dataset in dictionaries_in(source.get("Datasets")):
        flow = str(dataset.get("Name") or f"facebook_{number + 1}")
        posts.append({"FlowName": flow, "PostIDs": []})
        remappings += [
            {"RapidProKey": f"Comment ({part}) - {flow}", "PipelineKey": f"<{what} of the episode's plan>"}
            | ({"IsActivationMessage": True} if part == "Text" else {})
            for part, what in (("Text", "RawField"), ("Time", "TimeField"), ("Run ID", "RunIDField"))
        ]
    if not posts:
        return ""
    new = {"SourceType": "FacebookComments", "TokenFileURL": source.get("TokenFileURL") or "", "Posts": posts}
    return (
        f"\n\nIt becomes this. Fill in PostIDs, {str(page) + '_'!r} and each post's number, and the fields of the plans; a token of "
        f"the page from long ago has expired.{paste_ready({'RawDataSources': [new], 'RapidProKeyRemappings': remappings})}"
    )


def _models_by_type() -> dict[str, type[Model]]:
    return {str(model.model_fields["source_type"].examples[0]): model for model in load_models()}  # type: ignore[index]


def _loss_of(key: str, value: Any) -> str:
    if key == "SourceName":
        return f"{value!r} was a label for logs. Here logs name the source's host."
    return f"a source has no such key here; it was {value!r}."


def _convert_flat_keys(old: dict[str, Any], migration: Migration) -> list[dict[str, Any]]:
    if not old.keys() & {"RapidProDomain", "RapidProBaseURL"}:
        return []
    source: dict[str, Any] = {"SourceType": "RapidPro"}
    for flat, key in _FLAT_KEYS.items():
        if flat not in old:
            continue
        value = old.pop(flat)
        source[key] = host_of(value) if key == "Domain" and isinstance(value, str) else value
        migration.changed(flat, f"now {key} of a source of SourceType RapidPro.")
    return [source]


def host_of(address: str) -> str:
    """Return the host of a server's address; http:// stays, because https:// is the default.

    >>> host_of("https://textit.in/api/v2/"), host_of("textit.in"), host_of("http://localhost:8000/")
    ('textit.in', 'textit.in', 'http://localhost:8000')
    """
    match = re.fullmatch(r"(?P<scheme>http://)?(https://)?(?P<host>[^/]+)(/.*)?", address)
    return address if match is None else f"{match['scheme'] or ''}{match['host']}"


def _add_test_contacts(old: dict[str, Any], sources: list[dict[str, Any]], migration: Migration) -> None:
    contacts = old.pop("RapidProTestContactUUIDs", None)
    if not contacts:
        return
    workspaces = [source for source in sources if source["SourceType"] == "RapidPro"]
    for source in workspaces:
        source["TestContactUUIDs"] = [*source.get("TestContactUUIDs", []), *contacts]
    if workspaces:
        migration.changed("RapidProTestContactUUIDs", "now TestContactUUIDs of each RapidPro source.")
    else:
        migration.to_decide("RapidProTestContactUUIDs", f"no RapidPro source to carry them.{paste_ready(contacts)}")


def name_contacts(sources: list[dict[str, Any]], migration: Migration) -> None:
    """Give each workspace one name for what the fetch keeps of its contacts."""
    workspaces = [source for source in sources if source["SourceType"] == "RapidPro"]
    taken: dict[str, tuple[Any, Any]] = {}
    for source in workspaces:
        if name := source.get("ContactsFileName"):
            workspace = _workspace_of(source)
            if taken.setdefault(name, workspace) != workspace:
                migration.changed(
                    f"ContactsFileName {name}", "two workspaces shared the name; the later one has another now."
                )
                del source["ContactsFileName"]
    for source in workspaces:
        if source.get("ContactsFileName"):
            continue
        workspace = _workspace_of(source)
        name = next((name for name, owner in taken.items() if owner == workspace), None) or _free_name(source, taken)
        taken[name] = workspace
        source["ContactsFileName"] = name
        migration.changed(
            "ContactsFileName", f"{source.get('Domain')} had none; it is {name!r} now, one name a workspace."
        )


def _workspace_of(source: dict[str, Any]) -> tuple[Any, Any]:
    return source.get("Domain"), source.get("TokenFileURL")


def _free_name(source: dict[str, Any], taken: dict[str, tuple[Any, Any]]) -> str:
    token = PurePosixPath(str(source.get("TokenFileURL") or "")).stem
    start = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"[-_]?token$", "", token)).strip("_").lower()
    base = f"{start}_contacts" if start else "contacts"
    return next(name for n in range(len(taken) + 1) if (name := base if n == 0 else f"{base}_{n + 1}") not in taken)


def _remove_doubles(source: dict[str, Any], migration: Migration) -> None:
    seen: set[str] = set()
    for key in (*_FLOW_LISTS, *_URL_LISTS):
        values = source.get(key)
        if not isinstance(values, list):
            continue
        kept = []
        for value in values:
            if isinstance(value, str) and value in seen:
                migration.changed(f"{key}: {value}", "was listed twice; the first stays.")
            else:
                kept.append(value)
                seen.add(str(value))
        source[key] = kept


def _tell_long_endings(source: dict[str, Any], migration: Migration) -> None:
    for key in _URL_LISTS:
        for url in source.get(key) or ():
            name = str(url).rsplit("/", 1)[-1]
            if name.count(".") > 1:
                migration.changed(
                    f"{key}: {url}",
                    f"its flow was called {name.split('.')[0]!r}; here only the last ending is cut: {name.rsplit('.', 1)[0]!r}.",
                )
