"""Check selections of contacts and listening groups: every name that they use must be known."""

from collections.abc import Iterator, Mapping, Sequence

from engagement.configuration.code_schemes import Code
from engagement.configuration.coded_with import parse_condition, terms_of
from engagement.configuration.coding_plans import CodingConfiguration, CodingPlans
from engagement.configuration.contact_selections import ANY_EPISODE, ContactSelection
from engagement.configuration.function_names import LOCATION_LEVELS
from engagement.configuration.nearest import nearest
from engagement.configuration.origin_plans import find_known_values
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.plan_checks import find_repeated, find_same_files
from engagement.configuration.problems import Problem

OPT_IN = "opt_in"


def name_dataset(coding: CodingConfiguration) -> str:
    """Name the dataset of a coding: its AnalysisFileKey, or its field if it has none."""
    return coding.analysis_file_key or coding.coded_field


def find_datasets(plans: CodingPlans) -> dict[str, CodingConfiguration]:
    """Return every coding by the name of its dataset."""
    return {name_dataset(coding): coding for plan in plans.all for coding in plan.coding_configurations}


def find_episodes(plans: CodingPlans) -> dict[str, list[CodingConfiguration]]:
    """Return the codings of each episode by the name of its first one."""
    return {name_dataset(p.coding_configurations[0]): list(p.coding_configurations) for p in plans.rqa}


def find_place_codings(configuration: PipelineConfiguration, plans: CodingPlans) -> list[CodingConfiguration]:
    """Return the codings whose codes are places: of plans of places, and those that maps are drawn of."""
    analysis = configuration.automated_analysis
    drawn = {wanted.coded_field for wanted in analysis.maps} if analysis is not None else set()
    return [
        coding
        for plan in plans.survey
        for coding in plan.coding_configurations
        if plan.code_imputation_function in LOCATION_LEVELS
        or coding.location_level is not None
        or coding.coded_field in drawn
    ]


def find_meant_places(
    name: str, codings: Sequence[CodingConfiguration]
) -> list[tuple[CodingConfiguration, frozenset[str]]]:
    """Find the code ids that a place's name means in each coding that has it."""
    level, colon, place = name.partition(":")
    found = []
    for coding in codings:
        wanted = place if colon and level == name_dataset(coding) else name
        ids = frozenset(c.code_id for c in coding.code_scheme.codes if c.is_normal and c.string_value == wanted)
        if ids:
            found.append((coding, ids))
    return found


def is_opt_in(code: Code) -> bool:
    """Tell whether a code says that somebody opted in."""
    return OPT_IN in (code.meta_code, code.string_value)


def find_selection_problems(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find unknown and repeated names in selections and listening groups, each with its JSON path."""
    groups = configuration.listening_groups
    yield from find_repeated(
        [(f"$.ListeningGroups[{position}].Name", group.name.casefold()) for position, group in enumerate(groups)],
        "listening group",
    )
    columns = {column for plan in plans.all for column in plan.columns()}
    for position, column in enumerate(configuration.origin_columns):
        at = f"$.OriginColumns[{position}]"
        if column in configuration.origin_columns[:position]:
            yield Problem(at, f"{str(column)!r} is there twice; expected it once. Remove one.")
        elif column in columns:
            yield Problem(
                at,
                f"{str(column)!r} is a column of a coding plan already; expected none of that name. Rename that, or leave this out.",
            )
    for position, group in enumerate(groups):
        if group.column in columns:
            yield Problem(
                f"$.ListeningGroups[{position}].Name",
                f"{group.column!r} is a column of a coding plan already; expected another name. Change it.",
            )
    selections = configuration.contacts
    names = [(f"$.Contacts[{position}].Name", selection.name) for position, selection in enumerate(selections)]
    yield from find_repeated(names, "selection")
    yield from find_same_files(names, "selection")
    by_name = {selection.name: selection for selection in selections}
    for position, selection in enumerate(selections):
        at = f"$.Contacts[{position}]"
        for key, text in _find_problems(configuration, plans, selection):
            yield Problem(f"{at}.{key}", text)
        yield from _find_exclusion_problems(at, selection, by_name)


def _find_problems(
    configuration: PipelineConfiguration, plans: CodingPlans, selection: ContactSelection
) -> Iterator[tuple[str, str]]:
    """Find problems of one selection: each the key, and the text."""
    episodes, datasets = find_episodes(plans), find_datasets(plans)
    for number, name in enumerate(selection.took_part_in):
        if name not in (ANY_EPISODE, *episodes):
            yield f"TookPartIn[{number}]", _unknown(name, "episode", [ANY_EPISODE, *episodes])
    if selection.coded_with is not None:
        types = [source.source_type for source in configuration.raw_data_sources]
        for term in dict.fromkeys(terms_of(parse_condition(selection.coded_with))):
            if term.dataset in configuration.origin_columns:
                values = find_known_values(term.dataset, types)
                if values is not None and term.code not in values:
                    yield "CodedWith", _unknown(term.code, f"value of {term.dataset!r}", values)
            elif term.dataset not in datasets:
                yield "CodedWith", _unknown(term.dataset, "dataset", [*datasets, *configuration.origin_columns])
            elif not term.is_in(datasets[term.dataset].code_scheme):
                codes = [code.string_value for code in datasets[term.dataset].code_scheme.codes]
                yield "CodedWith", _unknown(term.code, f"code of {term.dataset!r}", codes)
    places = find_place_codings(configuration, plans)
    for number, name in enumerate(selection.places):
        if not find_meant_places(name, places):
            pairs = [
                (name_dataset(one), c.string_value) for one in places for c in one.code_scheme.codes if c.is_normal
            ]
            known = [f"{level}:{place}" if ":" in name else place for level, place in pairs]
            yield f"Places[{number}]", _unknown(name, "place", known)
    if selection.opted_in:
        schemes = [coding.code_scheme for codings in episodes.values() for coding in codings]
        if not any(is_opt_in(code) for scheme in schemes for code in scheme.codes):
            yield (
                "OptedIn",
                f"no scheme of an episode has a code {OPT_IN!r}; expected one. Leave it out, or add the code.",
            )
    names = [group.name for group in configuration.listening_groups]
    for number, name in enumerate(selection.listening_groups):
        if name not in names:
            yield f"ListeningGroups[{number}]", _unknown(name, "listening group", names)
    operators = [] if plans.operator_scheme is None else [c.string_value for c in plans.operator_scheme.codes]
    for number, name in enumerate(selection.operators):
        if name not in operators:
            yield f"Operators[{number}]", _unknown(name, "operator of OperatorScheme", operators)
    sample = selection.sample
    strata = [*datasets, *configuration.origin_columns]
    if sample is not None and sample.stratify_by is not None and sample.stratify_by not in strata:
        yield "Sample.StratifyBy", _unknown(sample.stratify_by, "dataset", strata)
    if selection.to is not None and selection.to.group is None and selection.to.field is None:
        yield "To", "neither Group nor Field; expected one or both. Add one, or remove To."


def _unknown(name: str, what: str, known: Sequence[str] | Mapping[str, object]) -> str:
    return f"{name!r} is no {what}; expected one{nearest(name, known)} Change it."


def _find_exclusion_problems(
    at: str, selection: ContactSelection, by_name: Mapping[str, ContactSelection]
) -> Iterator[Problem]:
    for number, name in enumerate(selection.excluded_selections):
        place = f"{at}.ExcludedSelections[{number}]"
        if name not in by_name:
            yield Problem(place, _unknown(name, "selection", by_name))
        elif _leads_to(selection.name, name, by_name):
            yield Problem(
                place,
                f"{name!r} leaves out {selection.name!r} in turn; expected no such circle. Remove one of the two.",
            )


def _leads_to(wanted: str, name: str, by_name: Mapping[str, ContactSelection]) -> bool:
    """Tell whether a selection leaves out another, directly or through others."""
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current == wanted:
            return True
        if current not in seen and current in by_name:
            seen.add(current)
            waiting += by_name[current].excluded_selections
    return False
