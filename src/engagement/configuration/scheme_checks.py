"""Check how the plans use the code schemes."""

from collections.abc import Iterator

from engagement.configuration.code_schemes import CodeScheme
from engagement.configuration.coding_plans import CodingPlansDocument
from engagement.configuration.control_codes import ControlCode
from engagement.configuration.imputation_checks import AGE_RANGE, Schemes
from engagement.configuration.plan_checks import placed_configurations, placed_plans
from engagement.configuration.problems import AtStake, Problem


def find_scheme_use_problems(document: CodingPlansDocument, schemes: Schemes) -> Iterator[tuple[str, Problem]]:
    """Find errors in the plans' use of code schemes, with the file of each."""
    yield from _find_missing_controls(document, schemes)
    yield from ((file, problem) for file, problem, are_together in find_confused_ids(document, schemes) if are_together)
    for _, _, plan in placed_plans(document):
        if plan.code_imputation_function == "age_category" and len(plan.coding_configurations) == 2:
            file = plan.coding_configurations[1].code_scheme
            scheme = schemes.get(file)
            if scheme is not None:
                yield from ((file, problem) for problem in _find_range_problems(scheme))


def _find_missing_controls(document: CodingPlansDocument, schemes: Schemes) -> Iterator[tuple[str, Problem]]:
    needed: dict[str, set[ControlCode]] = {}
    for _, plan, configuration in placed_configurations(document):
        codes = {ControlCode.NA, ControlCode.NC}
        if plan.coda_filename is not None:
            codes |= {ControlCode.NR, ControlCode.CE}
        needed.setdefault(configuration.code_scheme, set()).update(codes)
    if document.operator_scheme is not None:
        needed.setdefault(document.operator_scheme, set()).update({ControlCode.NA, ControlCode.NC})
    if document.ws_correct_dataset_scheme is not None:
        needed.setdefault(document.ws_correct_dataset_scheme, set()).add(ControlCode.CE)
    for file, codes in needed.items():
        scheme = schemes.get(file)
        missing = sorted(code for code in codes if scheme is not None and scheme.find_control(code) is None)
        if missing:
            yield (
                file,
                Problem("$.Codes", f"no control code {' and no '.join(missing)}; expected it in this scheme. Add it."),
            )


def find_confused_ids(document: CodingPlansDocument, schemes: Schemes) -> Iterator[tuple[str, Problem, bool]]:
    """Find schemes with confusable labels: the same id, or a numbered copy's; with the later one's file.

    The last item is true if one dataset is labelled with both. Otherwise no harm is done: labels are read by dataset.
    """
    placed = [(file, scheme) for file, scheme in schemes.items() if scheme is not None]
    for position, (file, scheme) in enumerate(placed):
        for other_file, other in placed[:position]:
            are_together = _are_in_one_dataset(document, file, other_file)
            if scheme.scheme_id == other.scheme_id:
                text = f"{scheme.scheme_id!r} is also that of {other_file!r}; expected one id a scheme. {_say_remedy(are_together)}"
                yield file, Problem("$.SchemeID", text, at_stake=AtStake(scheme.scheme_id)), are_together
            elif scheme.owns(other.scheme_id) or other.owns(scheme.scheme_id):
                copy, primary = (other, file) if scheme.owns(other.scheme_id) else (scheme, other_file)
                text = (
                    f"{copy.scheme_id!r} is what Coda calls a copy of {primary!r}; expected an id that does not end in '-' and a "
                    f"number. {_say_remedy(are_together)}"
                )
                at = other_file if copy is other else file
                yield at, Problem("$.SchemeID", text, at_stake=AtStake(copy.scheme_id)), are_together


def _say_remedy(are_together: bool) -> str:
    if are_together:
        return (
            "One dataset is labelled with both. Give a new id to the scheme that no message is labelled with: labels under an id "
            "that changes count for nothing, and have to be made again."
        )
    return (
        "Leave both if messages are labelled with them, as labels are read by dataset, and a new id would lose them; else give "
        "one a new id."
    )


def _are_in_one_dataset(document: CodingPlansDocument, file: str, other: str) -> bool:
    """Check if coders label one dataset with both schemes: the wrong-scheme scheme is in every dataset."""
    for _, _, plan in placed_plans(document):
        used = {configuration.code_scheme for configuration in plan.coding_configurations}
        if plan.coda_filename is not None and document.ws_correct_dataset_scheme is not None:
            used.add(document.ws_correct_dataset_scheme)
        if {file, other} <= used:
            return True
    return False


def _find_range_problems(scheme: CodeScheme) -> Iterator[Problem]:
    """Find errors in the age ranges of a scheme of age categories."""
    ranges: list[tuple[int, int, str]] = []
    for position, code in enumerate(scheme.codes):
        for value in code.match_values:
            match = AGE_RANGE.fullmatch(value)
            if match is None:
                continue
            at, youngest, oldest = f"$.Codes[{position}].MatchValues", int(match[1]), int(match[2])
            if youngest > oldest:
                yield Problem(at, f"{value!r} ends before it begins; expected the younger age first. Change it.")
            for first, last, other in ranges:
                if first <= oldest and youngest <= last:
                    yield Problem(
                        at, f"{value!r} overlaps with {other!r}; expected each age in one category. Change one."
                    )
            ranges.append((youngest, oldest, value))
    if not ranges:
        yield Problem(
            "$.Codes",
            "no match value like '18 to 35'; expected one on each category, as 'age_category' reads it. Add them.",
        )
