"""WriteBack of an engagement-database project, made from its rapid_pro_target, ready to be pasted.

It is not put into the configuration: an imported project begins to write to people's contacts only when somebody says so.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from engagement.configuration.value_types import FieldKey
from engagement.desk.project_import.edp.arguments import ArgumentReader, describe
from engagement.desk.project_import.evaluation.python_values import Call
from engagement.desk.project_import.migration import Migration, paste_ready

_KEY: Final = "rapid_pro_target"
_FIELD: Final = "rapid_pro_contact_field"
_CHECK_KEY: Final = TypeAdapter(FieldKey)
_WHAT: Final = (
    "answers and consent were written back to fields of RapidPro's contacts, as WriteBack does. Fields say yes, or hold codes with "
    "Values; texts are never written, and a field that has a value already keeps it. Put this into the configuration once you want it, "
    "and look at `write_back.sh --dry-run` first. An advert is a selection in Contacts, named in WriteBack.Contacts."
)


def tell_write_back(
    pipeline: ArgumentReader, raw_fields: Mapping[str, str], plans: Iterable[Mapping[str, Any]], migration: Migration
) -> None:
    """Tell what the old target is here, with its own keys.

    `raw_fields` are those of the datasets, `plans` those of demographics.
    """
    target = pipeline.take(_KEY)
    if target is None:
        return
    coded = {plan["RawField"]: plan["CodingConfigurations"][0]["CodedField"] for plan in plans}
    answers: list[dict[str, str]] = []
    left: list[str] = []
    sync = next(_calls_in(target, "sync_config"), None)
    for names, key in _datasets(sync, "normal_datasets"):
        fields = {coded[raw_fields[name]]: None for name in names if raw_fields.get(name) in coded}
        # One field for several questions would say yes of each.
        if len(fields) == 1 and _is_key(key):
            answers.append({"CodedField": next(iter(fields)), "Field": key})
        else:
            left.append(f"{key!r} of {', '.join(names)}")
    wanted: dict[str, Any] = {}
    for _, key in _datasets(sync, "consent_withdrawn_dataset"):
        if _is_key(key):
            wanted["Withdrawn"] = {"Field": key}
    if answers:
        wanted["Demographics"] = answers
    if sync is not None and sync.get("allow_clearing_fields") is True:
        wanted["AllowClearing"] = True
    if not wanted:
        example = {"Withdrawn": {"Field": "consent_withdrawn"}}
        told = f"It was {describe(target)}; for example:{paste_ready({'WriteBack': example})}"
        migration.to_decide(_KEY, f"{_WHAT} {told}")
        return
    rest = f" Left out, as it is of no one question here: {'; '.join(left)}." if left else ""
    migration.to_decide(_KEY, f"{_WHAT}{rest}{paste_ready({'WriteBack': wanted})}")


def _datasets(sync: Call | None, name: str) -> Iterator[tuple[list[str], str]]:
    """Give the datasets that an argument of the target names, and the key of their contact field."""
    value = sync.get(name) if sync is not None else None
    for dataset in value if isinstance(value, list | tuple) else [value]:
        field = dataset.get(_FIELD) if isinstance(dataset, Call) else None
        names = dataset.get("engagement_db_datasets") if isinstance(dataset, Call) else None
        key = (field.get("key") or next(iter(field.arguments), None)) if isinstance(field, Call) else None
        if isinstance(key, str) and isinstance(names, list | tuple):
            yield [name for name in names if isinstance(name, str)], key


def _calls_in(value: object, name: str) -> Iterator[Call]:
    for one in value if isinstance(value, list | tuple) else [value]:
        found = one.get(name) if isinstance(one, Call) else None
        if isinstance(found, Call):
            yield found


def _is_key(key: str) -> bool:
    try:
        _CHECK_KEY.validate_json(json.dumps(key))
    except ValidationError:
        return False
    return True
