"""Settle what two old plans share and only one may have here: raw fields, ICR files, WS codes."""

from collections.abc import Iterator
from typing import Any

from engagement.desk.project_import.migration import Migration, paste_ready

_KINDS = ("RQACodingPlans", "DemographicCodingPlans", "FollowUpCodingPlans")


def settle_repeated_values(coding_plans: dict[str, Any], migration: Migration) -> None:
    """Change coding plans where two of them share a value, and note each change."""
    _drop_repeated_fields(coding_plans, migration)
    _rename_icr_files(list(_plans(coding_plans)), migration)
    _choose_ws_codes(list(_plans(coding_plans)), migration)


def _plans(coding_plans: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in _KINDS:
        yield from coding_plans[kind]


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
