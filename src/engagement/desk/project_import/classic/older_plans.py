"""Plans of 2018 and 2019, which hold one code scheme, or one of yes and no and one of reasons."""

from engagement.desk.project_import.evaluation.python_values import Call

_NAMES = ("code_scheme", "coded_field", "analysis_file_key", "cleaner")


def is_older_plan(plan: Call) -> bool:
    """Check if a plan names its code scheme itself."""
    return "coding_configurations" not in plan.keywords and "code_scheme" in plan.keywords


def split_older_plan(plan: Call) -> list[Call]:
    """Return the coding configurations of such a plan, as later plans have them."""
    mode = "SINGLE" if plan.get("run_id_field") is None else "MULTIPLE"
    found = []
    if plan.get("binary_code_scheme") is not None:
        keywords = {name: plan.get(f"binary_{name}") for name in _NAMES[:3]}
        found.append(_make(plan, {**keywords, "coding_mode": "SINGLE", "folding_mode": "YES_NO_AMB"}))
    fold = "MATRIX" if mode == "MULTIPLE" else "ASSERT_EQUAL"
    found.append(_make(plan, {name: plan.get(name) for name in _NAMES} | {"coding_mode": mode, "folding_mode": fold}))
    return found


def _make(plan: Call, keywords: dict[str, object]) -> Call:
    return Call("CodingConfiguration", (), keywords, plan.file, plan.line)
