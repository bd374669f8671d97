"""Arguments of an engagement-database project's classes, by position or keyword."""

import ast
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

from engagement.desk.project_import.evaluation.python_values import Call, Foreign, Function, Member, Unknown
from engagement.desk.project_import.migration import Migration

# Parameters of the classes whose arguments were seen without keywords.
_POSITIONS: Final[dict[str, tuple[str, ...]]] = {
    "FlowResultConfiguration": (
        "flow_name", "flow_result_field", "engagement_db_dataset", "created_after_inclusive", "created_before_exclusive",
    ),
    "CSVSource": ("gs_url", "engagement_db_datasets", "timezone"),
    "CSVDatasetConfiguration": ("engagement_db_dataset", "start_date", "end_date"),
    "TrafficLabel": ("start_date", "end_date", "label"),
    "UuidFilter": ("uuid_file_url",),
    "MapConfiguration": ("analysis_location", "region_filter", "legend_position"),
    "RapidProClientConfiguration": ("domain", "token_file_url"),
    "RapidProSource": ("rapid_pro", "sync_config"),
    "AgeCategoryConfiguration": ("age_analysis_dataset", "categories"),
    "CodingConfiguration": ("code_scheme", "analysis_dataset"),
    "CodeSchemeConfiguration": ("code_scheme", "auto_coder", "coda_code_schemes_count"),
    "GoogleDriveUploadConfiguration": ("credentials_file_url", "drive_dir"),
    "ArchiveConfiguration": ("archive_upload_bucket", "bucket_dir_path"),
    "KoboToolBoxQuestionConfiguration": ("data_column_name", "engagement_db_dataset"),
    "QuestionConfiguration": ("engagement_db_dataset", "question_titles"),
    "FacebookDataset": ("engagement_db_dataset",),
    "TelegramGroupDataset": ("engagement_db_dataset",),
}  # fmt: skip
# The same argument was called otherwise in some versions.
_OTHER_NAMES: Final = {
    "flow": "flow_name", "result": "flow_result_field", "flow_result": "flow_result_field", "result_name": "flow_result_field",
    "flow_result_name": "flow_result_field", "dataset": "engagement_db_dataset", "url": "gs_url",
    "csv_url": "gs_url", "datasets": "engagement_db_datasets", "start": "start_date", "end": "end_date",
    "coding_configurations": "coding_configs",
}  # fmt: skip


class ArgumentReader:
    """The arguments of one call. Each is taken by its name; `tell_rest` names those that nobody took."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.place = f"{call.file}:{call.line}"
        names = _POSITIONS.get(call.name, ())
        given = {names[n] if n < len(names) else f"argument {n + 1}": v for n, v in enumerate(call.arguments)}
        given |= {_OTHER_NAMES.get(key, key): value for key, value in call.keywords.items()}
        self._left: dict[str, object] = given
        self._unread: dict[str, object] = {}

    def take(self, name: str) -> Any:
        """Take an argument; None if it was not given."""
        return self._left.pop(name, None)

    def take_text(self, name: str) -> str | None:
        """Take an argument that is a text; None if it was not given. Anything else stays for `tell_rest`."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, str):
            self._unread[name] = value
        return value if isinstance(value, str) else None

    def take_call(self, name: str) -> "ArgumentReader | None":
        """Take an argument that a class makes, if any. Anything else stays for `tell_rest`."""
        value = self._left.pop(name, None)
        if is_made_by_class(value):
            return ArgumentReader(value)
        if value is not None:
            self._unread[name] = value
        return None

    def take_calls(self, name: str) -> list["ArgumentReader"]:
        """Take an argument that is a list of what classes make. Anything else in it stays for `tell_rest`."""
        value = self._left.pop(name, None)
        items = value if isinstance(value, list | tuple) else [] if value is None else [value]
        unread = [item for item in items if not is_made_by_class(item)]
        if unread:
            self._unread[name] = unread
        return [ArgumentReader(item) for item in items if is_made_by_class(item)]

    def unread(self, name: str) -> object:
        """Return what of an argument was taken and could not be read; None if all of it could."""
        return self._unread.get(name)

    def tell_rest(self, migration: Migration, texts: dict[str, tuple[str, str]]) -> None:
        """Note each argument that nobody took, with the words of `texts`, and what can't be read."""
        for name, value in self._left.items():
            # An empty list asked for nothing, so nothing is lost with it.
            if value is None or value in ([], (), {}):
                continue
            section, text = texts.get(name, ("to_decide", "no such setting is known here, so it was left out."))
            old = name if name in texts else f"{self.call.name}.{name} ({self.place})"
            note = migration.dropped if section == "dropped" else migration.to_decide
            note(old, f"{text} It was {describe(value)}.")
        for name, value in self._unread.items():
            items = value if isinstance(value, list) else [value]
            what = "; ".join(str(item) if isinstance(item, Unknown) else describe(item) for item in items)
            migration.to_decide(
                f"{self.call.name}.{name} ({self.place})",
                f"it can't be read, so it was left out: {what}. Write it out and import again.",
            )


def is_made_by_class(value: object) -> TypeGuard[Call]:
    """Tell whether a value is made by a class; other calls are of functions that can't be read."""
    return isinstance(value, Call) and value.name[:1].isupper()


def describe(value: object) -> str:
    """Write a value as the old file has it, in code marks."""
    return f"`{_source_of(value)}`"


def _source_of(value: object) -> str:
    if isinstance(value, Call):
        keywords = (f"{key}={_source_of(item)}" for key, item in value.keywords.items())
        return f"{value.name}({', '.join([*map(_source_of, value.arguments), *keywords])})"
    if isinstance(value, Foreign):
        return value.last
    if isinstance(value, Function):
        return ast.unparse(value.node) if isinstance(value.node, ast.Lambda) else value.name
    if isinstance(value, Member):
        return f"{_source_of(value.owner)}.{value.name}"
    if isinstance(value, Unknown):
        return f"{value.file}:{value.line}"
    if isinstance(value, list | tuple):
        inner = ", ".join(map(_source_of, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_source_of(key)}: {_source_of(item)}" for key, item in value.items()) + "}"
    return repr(value)


def text_of_date(value: object) -> object:
    """Return the text of a date as `isoparse("…")` has it; anything else as it is."""
    if isinstance(value, Call) and value.name in ("isoparse", "parse", "fromisoformat") and value.arguments:
        return value.arguments[0]
    return describe(value) if isinstance(value, Call | Unknown | Foreign | Member) else value


def scheme_path(value: object) -> str | None:
    """Return the path of a code scheme below code_schemes/, as `load_code_scheme("…")` names it."""
    for call in value.inside() if isinstance(value, Call) else ():
        texts = [text for text in (*call.arguments, *call.keywords.values()) if isinstance(text, str)]
        if texts:
            return texts[0].removeprefix("code_schemes/").removesuffix(".json") + ".json"
    return None


def datasets_in(value: object) -> Iterator[str]:
    """Yield the datasets that the calls in a value fill."""
    for item in value if isinstance(value, list | tuple) else (value,):
        if not isinstance(item, Call):
            continue
        for call in item.inside():
            name = ArgumentReader(call).take("engagement_db_dataset")
            if isinstance(name, str):
                yield name
