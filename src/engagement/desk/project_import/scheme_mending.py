"""Change as little as possible of an old code scheme, where this pipeline refuses it as it is."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from engagement.configuration.control_codes import CONTROL_CODES, ControlCode, find_meant
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.scheme_files import SchemeFile

_ADMINISTRATOR: Final = (
    "Coda has the old version: its administrator sets the new one there before stage 4 (`scheme push`)."
)


def mend_schemes(schemes: list[SchemeFile], migration: Migration) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    """Return the code schemes' files by name, and the ControlCodes that the coding plans have to declare.

    A scheme that needs no change stays byte for byte.
    """
    files: dict[str, bytes] = {}
    own: dict[str, str] = {}
    control_ids = _collect_control_ids(schemes)
    for scheme in schemes:
        codes = scheme.document["Codes"]
        kept = _drop_doubles(scheme, codes, migration)
        changes = [
            len(kept) < len(codes),
            _mend_meta_codes(scheme, kept, migration),
            _add_control_codes(scheme, kept, control_ids, migration),
        ]
        _tell_of_repeated(scheme, kept, migration)
        _collect_own(scheme, kept, own, migration)
        if any(changes):
            document = {**scheme.document, "Codes": kept}
            files[scheme.name] = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
        else:
            files[scheme.name] = scheme.content
    _tell_of_one_id(schemes, migration)
    return files, [{"Code": code, "Meaning": meaning} for code, meaning in own.items()]


def _collect_control_ids(schemes: list[SchemeFile]) -> dict[str, str]:
    return {
        str(code["ControlCode"]): str(code["CodeID"])
        for scheme in reversed(schemes)
        for code in scheme.document["Codes"]
        if code.get("ControlCode") and code.get("CodeID")
    }


def _drop_doubles(scheme: SchemeFile, codes: list[dict[str, Any]], migration: Migration) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for code in codes:
        if code in kept:
            migration.changed(
                f"{scheme.name}: {code.get('StringValue')}",
                f"the code {code.get('CodeID')!r} stood there twice, alike; the first is kept. {_ADMINISTRATOR}",
            )
        else:
            kept.append(code)
    return kept


def _mend_meta_codes(scheme: SchemeFile, codes: list[dict[str, Any]], migration: Migration) -> bool:
    changed = False
    for position, code in enumerate(codes):
        meta = code.get("MetaCode")
        if meta is not None and code.get("CodeType") == "Normal":
            codes[position] = {key: value for key, value in code.items() if key != "MetaCode"}
            changed = True
            migration.changed(
                f"{scheme.name}: {code.get('StringValue')}",
                f"a Normal code with the MetaCode {meta!r}: the MetaCode is left out, the code stays Normal. {_ADMINISTRATOR}",
            )
    seen: set[str] = set()
    for position, code in enumerate(codes):
        meta = code.get("MetaCode")
        if meta is not None and meta in seen:
            name = next(name for n in range(2, 1000) if (name := f"{meta}_{n}") not in seen)
            codes[position] = {**code, "MetaCode": name}
            changed = True
            migration.changed(
                f"{scheme.name}: {code.get('StringValue')}",
                f"its MetaCode {meta!r} is another code's too; it is {name!r} now. {_ADMINISTRATOR}",
            )
        seen.add(codes[position].get("MetaCode") or "")
    return changed


def _add_control_codes(
    scheme: SchemeFile, codes: list[dict[str, Any]], control_ids: dict[str, str], migration: Migration
) -> bool:
    missing = [c for c in ControlCode if c in scheme.needs and not any(code.get("ControlCode") == c for code in codes)]
    for control in missing:
        # At the end: the columns of the other codes stay where they are.
        codes.append(_make_control_code(control, codes, control_ids))
        migration.changed(
            f"{scheme.name}: {control}",
            f"the scheme had no code {control}; the standard one is added, because the pipeline sets it itself. {_ADMINISTRATOR} "
            "A MULTIPLE question gets a column for it.",
        )
    return bool(missing)


def _make_control_code(
    control: ControlCode, codes: list[dict[str, Any]], control_ids: dict[str, str]
) -> dict[str, Any]:
    entry = CONTROL_CODES[control]
    number, numbers = entry.numeric_value, {str(code.get("NumericValue")) for code in codes}
    while str(number) in numbers:
        number -= 1
    code_id = control_ids.get(control) or f"code-{control}-{hashlib.sha256(control.encode()).hexdigest()[:8]}"
    return {
        "CodeID": code_id,
        "CodeType": "Control",
        "ControlCode": str(control),
        "DisplayText": entry.display_text,
        "NumericValue": number,
        "StringValue": str(control),
        "VisibleInCoda": entry.visible_in_coda,
    }


def _tell_of_repeated(scheme: SchemeFile, codes: list[dict[str, Any]], migration: Migration) -> None:
    """Note what stands on two codes and can't be changed without asking: labels, and columns, hang on it."""
    remedies: dict[str, tuple[Callable[[dict[str, Any]], Iterable[Any]], str]] = {
        "CodeID": (lambda code: [code.get("CodeID")], "Labels name the id: keep it on the code that coders mean."),
        "StringValue": (lambda code: [code.get("StringValue")], "They would share a column: rename one."),
        "ControlCode": (lambda code: filter(None, [code.get("ControlCode")]), "Keep the code that has labels."),
        "MatchValues": (lambda code: code.get("MatchValues") or (), "A cleaner can't tell them apart: remove one."),
        "NumericValue": (lambda code: [code.get("NumericValue")], "Both stay, as Coda has them; `check` warns of it."),
    }
    for key, (values_of, remedy) in remedies.items():
        first: dict[Any, str] = {}
        for code in codes:
            for value in map(str, values_of(code)):
                if value in first:
                    names = f"{first[value]!r} and {code.get('StringValue')!r}"
                    migration.to_decide(f"{scheme.name}: {key} {value}", f"stands on {names}. {remedy}")
                first.setdefault(value, str(code.get("StringValue")))


def _collect_own(scheme: SchemeFile, codes: list[dict[str, Any]], own: dict[str, str], migration: Migration) -> None:
    for code in codes:
        control = code.get("ControlCode")
        if isinstance(control, str) and code.get("CodeType") == "Control" and find_meant(control) is None:
            own.setdefault(control, str(code.get("DisplayText") or control))
            migration.changed(
                f"{scheme.name}: {control}",
                "a control code of the project's own: the scheme stays, and ControlCodes of coding_plans.json declares it. "
                f"Change its Meaning there, {own[control]!r}, if it means something else.",
            )


def _tell_of_one_id(schemes: list[SchemeFile], migration: Migration) -> None:
    first: dict[str, str] = {}
    for scheme in schemes:
        other = first.setdefault(scheme.scheme_id, scheme.name)
        if other != scheme.name:
            migration.to_decide(
                f"SchemeID {scheme.scheme_id}",
                f"{other} and {scheme.name} have it both. It stays: labels name it, and are read by dataset. Don't use both schemes in "
                "one plan.",
            )
