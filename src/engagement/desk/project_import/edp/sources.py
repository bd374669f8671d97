"""Sources of an engagement-database project: where its datasets come from, as sources and remappings."""

from dataclasses import dataclass, field
from typing import Any, Final

from engagement.configuration.iso_times import read_iso_time
from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS, category_of
from engagement.desk.project_import.classic.old_dates import convert_date
from engagement.desk.project_import.classic.old_sources import name_contacts
from engagement.desk.project_import.edp.arguments import ArgumentReader, describe, text_of_date
from engagement.desk.project_import.edp.fields import PlannedDataset
from engagement.desk.project_import.edp.other_sources import ask_for_other_sources
from engagement.desk.project_import.migration import Migration, paste_ready

_UUID_FILTER: Final = {
    "uuid_filter": (
        "to_decide",
        "it kept only the participants of a list. Here all participants of the flows are read.",
    ),
    "rapid_pro": ("to_decide", "the workspace can't be read from the file."),
}


@dataclass
class ConvertedSources:
    """What the sources became.

    `fed` are the datasets that they fill; `asked` names what would fill others, once the owner adds it.
    """

    sources: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    survey_answers: list[dict[str, Any]] = field(default_factory=list)
    time_ranges: list[dict[str, Any]] = field(default_factory=list)
    fed: set[str] = field(default_factory=set)
    asked: dict[str, str] = field(default_factory=dict)
    time_zones: dict[str, None] = field(default_factory=dict)

    @property
    def remappings(self) -> list[dict[str, Any]]:
        """Return all remappings, the participant's id first."""
        return [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}, *self.answers, *self.survey_answers]


def convert_edp_sources(
    pipeline: ArgumentReader, planned: dict[str, PlannedDataset], project_start: object, migration: Migration
) -> ConvertedSources:
    """Convert the sources of a pipeline; `planned` are the datasets that its analysis reads."""
    converted = ConvertedSources()
    for number, source in enumerate(pipeline.take_calls("rapid_pro_sources")):
        _convert_rapid_pro(f"rapid_pro_sources[{number}]", source, planned, converted, project_start, migration)
    name_contacts(converted.sources, migration)
    _convert_csv(pipeline.take_calls("csv_sources"), planned, converted, migration)
    ask_for_other_sources(pipeline, planned, converted.asked, migration)
    return converted


def _convert_rapid_pro(
    place: str,
    source: ArgumentReader,
    planned: dict[str, PlannedDataset],
    converted: ConvertedSources,
    project_start: object,
    migration: Migration,
) -> None:
    client, sync = source.take_call("rapid_pro"), source.take_call("sync_config")
    new: dict[str, Any] = {"SourceType": "RapidPro"}
    if client is not None:
        new |= {"Domain": client.take_text("domain"), "TokenFileURL": client.take_text("token_file_url")}
        client.tell_rest(migration, {})
    unused: dict[str, list[str]] = {}
    # Whether any of a flow's results answers an episode: its runs are messages then, whichever result comes first.
    flows: dict[str, bool] = {}
    for result in sync.take_calls("flow_result_configurations") if sync is not None else []:
        flow, name, dataset = (result.take(key) for key in ("flow_name", "flow_result_field", "engagement_db_dataset"))
        _check_creation(result, f"{place}: {flow}", project_start, migration)
        result.tell_rest(migration, {})
        plan = planned.get(dataset) if isinstance(dataset, str) else None
        if plan is None or not isinstance(flow, str) or not isinstance(name, str):
            unused.setdefault(flow if isinstance(flow, str) else describe(flow), []).append(
                dataset if isinstance(dataset, str) else describe(dataset)
            )
            continue
        flows[flow] = flows.get(flow, False) or plan.is_answer
        converted.fed.add(dataset)
        _add_result(plan, flow, category_of(name), converted)
    new["ActivationFlowNames"] = [flow for flow, is_answer in flows.items() if is_answer]
    new["SurveyFlowNames"] = [flow for flow, is_answer in flows.items() if not is_answer]
    for flow, datasets in unused.items():
        reading = flow in flows
        migration.dropped(
            f"{place}: {flow}",
            f"its results for {', '.join(datasets)} are in no analysis dataset, so "
            + ("they get no column." if reading else "the flow is not fetched."),
        )
    for reader in (source, sync):
        if reader is not None:
            reader.tell_rest(migration, _UUID_FILTER)
    if flows:
        converted.sources.append(new)


def _add_result(plan: PlannedDataset, flow: str, category: str, converted: ConvertedSources) -> None:
    def remap(part: str, field_name: str) -> dict[str, Any]:
        return {"RapidProKey": f"{category} ({part}) - {flow}", "PipelineKey": field_name}

    if plan.is_answer:
        kept, found = (
            converted.answers,
            [
                {**remap("Text", plan.raw_field), "IsActivationMessage": True},
                remap("Run ID", plan.run_id_field),
                remap("Time", plan.time_field),
            ],
        )
    else:
        kept, found = converted.survey_answers, [remap("Text", plan.raw_field), remap("Time", plan.time_field)]
    # Shared lists of results may name one twice.
    kept += [remapping for remapping in found if remapping not in kept]


def _check_creation(result: ArgumentReader, place: str, project_start: object, migration: Migration) -> None:
    for key, where in (("created_after_inclusive", "before"), ("created_before_exclusive", "from")):
        value = text_of_date(result.take(key))
        if value is None:
            continue
        date = convert_date(value, f"{place}: {key}", migration)
        if key == "created_after_inclusive" and _is_not_later(date, project_start):
            migration.changed(f"{place}: {key}", f"{date!r} is not needed: the project starts later.")
        else:
            migration.to_decide(
                f"{place}: {key}",
                f"runs created {where} {date!r}{' on' if where == 'from' else ''} did not count. Here every message between "
                "ProjectStartDate and ProjectEndDate counts: check these dates.",
            )


def _is_not_later(date: object, project_start: object) -> bool:
    try:
        return read_iso_time(str(date)) <= read_iso_time(str(project_start))
    except ValueError:
        return False


def _convert_csv(
    sources: list[ArgumentReader], planned: dict[str, PlannedDataset], converted: ConvertedSources, migration: Migration
) -> None:
    urls: dict[str, None] = {}
    for number, source in enumerate(sources):
        url, zone, place = source.take_text("gs_url"), source.take_text("timezone"), f"csv_sources[{number}]"
        for dataset in source.take_calls("engagement_db_datasets"):
            name = dataset.take_text("engagement_db_dataset")
            dates = [text_of_date(dataset.take(key)) for key in ("start_date", "end_date")]
            dataset.tell_rest(migration, {})
            plan = planned.get(name or "")
            if plan is None or name is None:
                migration.dropped(place, f"{url!r} fills {name!r}, which no analysis dataset reads.")
            elif not plan.is_answer or dates == [None, None]:
                converted.asked.setdefault(name, place)
                _ask_for_keys(place, str(url), name, plan, dates, migration)
            else:
                urls[str(url)] = None
                converted.fed.add(name)
                _add_range(place, dates, plan, converted, migration)
        if isinstance(zone, str) and str(url) in urls:
            converted.time_zones[zone] = None
        source.tell_rest(migration, {})
    if urls:
        text, time, run_id = DEFAULT_RECOVERED_KEYS
        converted.sources.append({"SourceType": "RecoveryCSV", "ActivationFlowURLs": list(urls)})
        converted.answers += [
            {"RapidProKey": text, "PipelineKey": "recovered_raw", "IsActivationMessage": True},
            {"RapidProKey": run_id, "PipelineKey": "recovered_run_id"},
            {"RapidProKey": time, "PipelineKey": "sent_on"},
        ]
        migration.changed(
            "csv_sources",
            "now a RecoveryCSV source with TimestampRemappings. A message in no range is in no episode, as before"
            + (
                ". The ranges hold for all the files: a message counts by its time, whichever file it is in."
                if len(urls) > 1
                else "."
            ),
        )


def _add_range(
    place: str, dates: list[Any], plan: PlannedDataset, converted: ConvertedSources, migration: Migration
) -> None:
    found: dict[str, Any] = {"TimeKey": DEFAULT_RECOVERED_KEYS[1], "ShowPipelineKeyToRemapTo": plan.raw_field}
    for key, old, date in zip(
        ("RangeStartInclusive", "RangeEndExclusive"), ("start_date", "end_date"), dates, strict=True
    ):
        if date is not None:
            found[key] = convert_date(date, f"{place}.{old}", migration)
    if found in converted.time_ranges:
        return
    for other in converted.time_ranges:
        if other["ShowPipelineKeyToRemapTo"] != plan.raw_field and _overlap(found, other):
            migration.to_decide(
                place,
                f"its range for {plan.raw_field!r} overlaps with one for {other['ShowPipelineKeyToRemapTo']!r}, and only the "
                'time tells them apart. Give one file Keys of its own, as in the manual\'s "Recovered files of several questions".',
            )
    converted.time_ranges.append(found)


def _overlap(first: dict[str, Any], second: dict[str, Any]) -> bool:
    try:
        starts = [read_iso_time(item.get("RangeStartInclusive", "1900-01-01T00:00Z")) for item in (first, second)]
        ends = [read_iso_time(item.get("RangeEndExclusive", "9000-01-01T00:00Z")) for item in (first, second)]
    except (ValueError, TypeError):
        return False
    return max(starts) < min(ends)


def _ask_for_keys(
    place: str, url: str, dataset: str, plan: PlannedDataset, dates: list[Any], migration: Migration
) -> None:
    """Ask to bring a file whose messages all answer one question: it needs raw keys of its own."""
    keys = {"Text": f"message_{dataset}", "Time": f"received_on_{dataset}", "RunID": f"run_id_{dataset}"}
    flows = "ActivationFlowURLs" if plan.is_answer else "SurveyFlowURLs"
    remappings: list[dict[str, Any]] = [
        {"RapidProKey": keys["Text"], "PipelineKey": plan.raw_field}
        | ({"IsActivationMessage": True} if plan.is_answer else {}),
        {"RapidProKey": keys["Time"], "PipelineKey": plan.time_field},
    ]
    if plan.is_answer:
        remappings.append({"RapidProKey": keys["RunID"], "PipelineKey": plan.run_id_field})
    source = {"SourceType": "RecoveryCSV", flows: [url], "Keys": keys}
    limits = [f"{word} {date!r}" for word, date in zip(("from", "before"), dates, strict=True) if date is not None]
    which = f"messages of {url!r} sent {' and '.join(limits)}" if limits else f"all messages of {url!r}"
    further = " Take out the others: with keys of its own, all messages of a file count." if limits else ""
    migration.to_decide(
        place,
        f"{which} answer {dataset!r}.{further} If the file is still needed, add it with keys of its own:"
        f"{paste_ready({'RawDataSources': [source], 'RapidProKeyRemappings': remappings})}",
    )
