"""Settings of an engagement-database project's analysis: uploads, time ranges and maps."""

import ast
from typing import Any, Final

from engagement.desk.project_import.classic.configuration_keys import convert_traffic_labels
from engagement.desk.project_import.edp.arguments import ArgumentReader, describe, text_of_date
from engagement.desk.project_import.evaluation.python_values import Function
from engagement.desk.project_import.migration import Migration, paste_ready

# Level of our maps -> its name there. Other levels have no boundaries here.
_MAP_LEVELS: Final = {
    "MOGADISHU_SUB_DISTRICT": "mogadishu_sub_district",
    "SOMALIA_DISTRICT": "district",
    "SOMALIA_REGION": "region",
    "KENYA_WARD": "ward",
    "KENYA_CONSTITUENCY": "constituency",
    "KENYA_COUNTY": "county",
}
_OF_ANALYSIS: Final = {
    "cross_tabs": ("dropped", "tables of one demographic by another. statistics/ has those of each theme by each demographic."),
    "analysis_dashboard_upload": ("dropped", "outputs are not uploaded to the dashboard."),
    "membership_group_configuration": (
        "to_decide", "each group was a column; there are none here. Join its files to individuals.csv by uid where needed.",
    ),
    "membership_groups": ("to_decide", "each group was a column; there are none here."),
}  # fmt: skip


def convert_analysis(
    analysis: ArgumentReader, locations: dict[str, str], demographics: list[str], migration: Migration
) -> dict[str, Any]:
    """Return DriveUpload and AutomatedAnalysis. `locations` are coded fields by their old level."""
    found: dict[str, Any] = {}
    drive = analysis.take_call("google_drive_upload")
    if drive is not None:
        folder = (drive.take_text("drive_dir") or "").strip("/")
        found["DriveUpload"] = {
            "DriveCredentialsFileURL": drive.take_text("credentials_file_url"),
            "ProductionUploadPath": f"{folder}/production.csv",
            "MessagesUploadPath": f"{folder}/messages.csv",
            "IndividualsUploadPath": f"{folder}/individuals.csv",
            "AutomatedAnalysisDir": f"{folder}/automated_analysis",
        }
        migration.changed("google_drive_upload", f"now DriveUpload, with a file each in {folder!r}.")
        drive.tell_rest(migration, {})
    settings: dict[str, Any] = {}
    maps = _convert_maps(analysis, locations, migration)
    if maps:
        settings["Maps"] = maps
    labels = [_read_label(label, migration) for label in analysis.take_calls("traffic_labels")]
    if labels:
        settings["TrafficLabels"] = convert_traffic_labels(labels, "traffic_labels", migration)
    if analysis.take("enable_experimental_regression_analysis"):
        migration.to_decide(
            "enable_experimental_regression_analysis",
            "logistic regressions need the demographics that explain the themes. Choose a few and add to "
            f"AutomatedAnalysis:{paste_ready({'Statistics': {'Predictors': demographics}})}",
        )
    if settings:
        found["AutomatedAnalysis"] = settings
    analysis.tell_rest(migration, _OF_ANALYSIS)
    return found


def _read_label(label: ArgumentReader, migration: Migration) -> dict[str, Any]:
    found = {
        "StartDate": text_of_date(label.take("start_date")),
        "EndDate": text_of_date(label.take("end_date")),
        "Label": label.take_text("label"),
    }
    label.tell_rest(migration, {})
    return found


def _convert_maps(analysis: ArgumentReader, locations: dict[str, str], migration: Migration) -> list[dict[str, Any]]:
    wanted = analysis.take_calls("maps")
    if not wanted:
        # An empty list asked for none, nothing asked for all; the reader does not tell them apart.
        return _maps_of_all(analysis, locations, migration)
    found = []
    for item in wanted:
        name = describe(item.take("analysis_location")).strip("`").rpartition(".")[2].strip("'\"")
        level, field, places = _MAP_LEVELS.get(name), locations.get(name), item.take("region_filter")
        if level is None:
            migration.to_decide(
                f"maps: {name}", "no boundaries of this level come with the pipeline. Bring them as Boundaries of Maps."
            )
        elif field is None:
            migration.to_decide(f"maps: {name}", "no plan codes places of this level, so that the map was left out.")
        else:
            found.append({"Level": level, "CodedField": field} | _read_filter(places, level, migration))
        item.tell_rest(migration, {"legend_position": ("dropped", "legends have one place here.")})
    return found


def _maps_of_all(analysis: ArgumentReader, locations: dict[str, str], migration: Migration) -> list[dict[str, Any]]:
    if analysis.call.get("maps") is not None:
        return []
    found = [
        {"Level": _MAP_LEVELS[name], "CodedField": field} for name, field in locations.items() if name in _MAP_LEVELS
    ]
    if found:
        migration.changed(
            "maps", f"none were named, which meant all: now {', '.join(item['Level'] for item in found)}."
        )
    for name in sorted(locations.keys() - _MAP_LEVELS.keys()):
        migration.dropped(
            f"maps: {name}", "no boundaries of this level come with the pipeline. Bring them as Boundaries of Maps."
        )
    return found


def _read_filter(value: object, level: str, migration: Migration) -> dict[str, Any]:
    """Turn `lambda place: place in {…}` into OnlyIn."""
    if value is None:
        return {}
    old = f"region_filter of {level}"
    node = value.node.body if isinstance(value, Function) and isinstance(value.node, ast.Lambda) else None
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.Eq):
        right = node.comparators[0]
        items = right.elts if isinstance(right, ast.Set | ast.List | ast.Tuple) else [right]
        places = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if places and len(places) == len(items):
            places = sorted(places) if isinstance(right, ast.Set) else places
            migration.changed(old, f"now OnlyIn {places}. It was {describe(value)}.")
            return {"OnlyIn": places}
    migration.to_decide(old, f"the map shows all places now. It was {describe(value)}: name them in OnlyIn of Maps.")
    return {}
