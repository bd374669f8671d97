"""Settle what two old plans share and only one may have here: raw fields, ICR files, WS codes."""

from collections.abc import Iterator
from typing import Any

from engagement.desk.project_import.migration import Migration, paste_ready

_KINDS = ("RQACodingPlans", "DemographicCodingPlans", "FollowUpCodingPlans")


def settle_repeated_values(coding_plans: dict[str, Any], migration: Migration) -> None:
    """Change coding plans where two of them share a value, and note each change."""
    _merge_plans_of_one_dataset(coding_plans, migration)
    _drop_repeated_fields(coding_plans, migration)
    _rename_icr_files(list(_plans(coding_plans)), migration)
    _choose_ws_codes(list(_plans(coding_plans)), migration)


def _plans(coding_plans: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in _KINDS:
        yield from coding_plans[kind]


def _merge_plans_of_one_dataset(coding_plans: dict[str, Any], migration: Migration) -> None:
    """Make one plan of those of 2018 that code the same answers by one scheme each, like places."""
    for kind in _KINDS:
        kept: list[dict[str, Any]] = []
        merged: dict[str, dict[str, Any]] = {}
        for plan in coding_plans[kind]:
            first = next((other for other in kept if _codes_the_same_answers(other, plan)), None)
            if first is None:
                kept.append(plan)
                continue
            first["CodingConfigurations"] += plan["CodingConfigurations"]
            first |= {key: value for key, value in plan.items() if key not in first}
            merged[plan["RawField"]] = first
        coding_plans[kind] = kept
        for field, plan in merged.items():
            fields = ", ".join(coding["CodedField"] for coding in plan["CodingConfigurations"])
            migration.changed(
                f"plans of {field}",
                f"one plan with a coding configuration each now: {fields}. One raw field and one dataset of Coda have one plan here.",
            )
            if "CodeImputationFunction" not in plan:
                migration.to_decide(
                    f"plans of {field}",
                    f"if stages of the old project made some of {fields} follow from others, as a region from a district, name the "
                    'function that does it here: "CodeImputationFunction" is "somalia_location", "kenya_location" or "age_category".',
                )


def _codes_the_same_answers(first: dict[str, Any], second: dict[str, Any]) -> bool:
    fields = {coding["CodedField"] for coding in first["CodingConfigurations"]}
    return (
        all(first.get(key) == second.get(key) for key in ("RawField", "CodaFilename", "TimeField"))
        and not any(coding["CodedField"] in fields for coding in second["CodingConfigurations"])
        and not ("CodeImputationFunction" in first and "CodeImputationFunction" in second)
        and first.get("WSCode", second.get("WSCode")) == second.get("WSCode", first.get("WSCode"))
    )


def _drop_repeated_fields(coding_plans: dict[str, Any], migration: Migration) -> None:
    seen: set[str] = set()
    for kind in _KINDS:
        kept = []
        for plan in coding_plans[kind]:
            if plan["RawField"] in seen:
                migration.to_decide(
                    f"second plan of {plan['RawField']}",
                    "one field has one plan here; the first is kept. To keep this one, map its answers to a field of its own:"
                    f"{paste_ready(plan)}",
                )
            else:
                kept.append(plan)
            seen.add(plan["RawField"])
        coding_plans[kind] = kept


def _rename_icr_files(plans: list[dict[str, Any]], migration: Migration) -> None:
    taken = {plan["ICRFilename"] for plan in plans if "ICRFilename" in plan}
    seen: set[str] = set()
    for plan in plans:
        file = plan.get("ICRFilename")
        if file is None:
            continue
        if file in seen:
            base = plan["RawField"].removesuffix("_raw")
            new = next(n for n in (f"{base}.csv", *(f"{base}_{i}.csv" for i in range(2, 1000))) if n not in taken)
            migration.changed(f"icr_filename {file}", f"two plans had it; that of {plan['RawField']} is {new} now.")
            plan["ICRFilename"] = new
            taken.add(new)
        seen.add(file)


def _choose_ws_codes(plans: list[dict[str, Any]], migration: Migration) -> None:
    last = {plan["WSCode"]: plan["RawField"] for plan in plans if "WSCode" in plan}
    for plan in plans:
        code = plan.get("WSCode")
        if code is not None and last[code] != plan["RawField"]:
            del plan["WSCode"]
            migration.changed(
                f"ws_code {code}",
                f"{plan['RawField']} and {last[code]} had it; answers went to {last[code]}, and do so now. If they belong to "
                f"{plan['RawField']}, move the WSCode.",
            )
