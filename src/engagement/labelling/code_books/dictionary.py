"""The data dictionary: every column of a project's messages.csv, individuals.csv and production.csv."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields

from engagement.configuration import (
    Code,
    CodeScheme,
    CodingConfiguration,
    CodingMode,
    CodingPlan,
    ControlCode,
    PlanKind,
    Project,
)
from engagement.configuration.control_codes import ControlCodeEntry, entry_of, rank_of
from engagement.configuration.field_names import AMBIVALENT, CONSENT_FIELD, FETCHED_FIELDS, UID_FIELD
from engagement.configuration.function_names import LOCATION_WITH_ZONE
from engagement.configuration.origin_plans import NOT_KNOWN, OriginColumn, find_known_values
from engagement.configuration.raw_keys import read_result_key
from engagement.pipeline.coding.guesses import find_guessed_positions
from engagement.pipeline.coding.locations import has_elsewhere
from engagement.pipeline.outputs.columns import COLUMNS

FILES = ("messages.csv", "individuals.csv", "production.csv")
QUESTION_KINDS = {
    PlanKind.RQA: "answer to an episode",
    PlanKind.DEMOGRAPHIC: "answer about the participant",
    PlanKind.FOLLOW_UP: "answer to a follow-up question",
}
_CHANNEL = "the scheme of the contact's URN in RapidPro, or the kind of another source"
_WITHDRAWN = "STOP: the participant withdrew consent"


@dataclass(frozen=True)
class DictionaryEntry:
    """A column of a file; several values, codes or sources are separated by ;.

    For a column about a single code of a MULTIPLE coding, `code`, `numeric_value` and `code_id` are that code's.
    """

    file: str
    column: str
    type: str
    meaning: str
    possible_values: str = ""
    missing_values: str = ""
    source: str = ""
    code_scheme: str = ""
    code: str = ""
    numeric_value: str = ""
    code_id: str = ""


HEADER = tuple(field.name for field in fields(DictionaryEntry))


def entry_cells(entry: DictionaryEntry) -> tuple[str, ...]:
    """Return the entry as a row under HEADER."""
    return astuple(entry)


def make_dictionary(project: Project) -> list[DictionaryEntry]:
    """Return an entry for each column of each file, in column order."""
    plans = project.coding_plans.all
    entries = []
    for file in FILES[:2]:
        entries += [
            DictionaryEntry(file, UID_FIELD, "identifier", _meaning(file, UID_FIELD), missing_values=_WITHDRAWN),
            DictionaryEntry(file, CONSENT_FIELD, "true or false", _meaning(file, CONSENT_FIELD), "true; false"),
        ]
        entries += [entry for plan in plans for entry in _plan_entries(file, plan, describe_sources(project, plan))]
        entries += _entries_behind_plans(file, project)
    file = FILES[2]
    entries.append(DictionaryEntry(file, UID_FIELD, "identifier", _meaning(file, UID_FIELD)))
    entries += [_text_entry(file, plan, describe_sources(project, plan)) for plan in plans]
    return entries


def _entries_behind_plans(file: str, project: Project) -> Iterator[DictionaryEntry]:
    """Make the entries of OriginColumns, then of listening groups: nobody was asked."""
    configuration = project.configuration
    types = [source.source_type for source in configuration.raw_data_sources]
    for origin in configuration.origin_columns:
        known = find_known_values(origin, types) or ("any name of a channel, like tel or telegram", AMBIVALENT)
        yield DictionaryEntry(
            file,
            origin,
            "one value",
            _meaning(file, origin),
            possible_values="; ".join(value for value in known if value != NOT_KNOWN),
            missing_values=f"{NOT_KNOWN} (not known); {_WITHDRAWN}",
            source="the message's source in the configuration" if origin == OriginColumn.SOURCE else _CHANNEL,
        )
    for group in configuration.listening_groups:
        yield DictionaryEntry(
            file,
            group.column,
            "true or false",
            _meaning(file, "listening_group_<Name>"),
            possible_values="true; false",
            missing_values=_WITHDRAWN,
            source=", ".join(group.files),
        )


def _meaning(file: str, name: str) -> str:
    """Return the manual's description of a column, or of a family of columns."""
    return next(column.meaning for column in COLUMNS if (column.file, column.name) == (file, name))


def _plan_entries(file: str, plan: CodingPlan, source: str) -> Iterator[DictionaryEntry]:
    for configuration in plan.coding_configurations:
        if configuration.analysis_file_key is None:
            continue
        if configuration.coding_mode is CodingMode.SINGLE:
            yield _single_entry(file, plan, configuration, source)
        else:
            yield from _multiple_entries(file, plan, configuration, source)
    yield _text_entry(file, plan, source)


def _single_entry(file: str, plan: CodingPlan, configuration: CodingConfiguration, source: str) -> DictionaryEntry:
    scheme = configuration.code_scheme
    return DictionaryEntry(
        file,
        str(configuration.analysis_file_key),
        "one code",
        f"{scheme.name}: the code of the {say_kind(plan)}, by its string value{_say_what_is_no_answer(plan, configuration)}",
        possible_values="; ".join(describe_code(code) for code in scheme.codes if code.control_code is None),
        missing_values="; ".join(describe_code(code) for code in scheme.codes if code.control_code is not None),
        source=_coded_source(plan, configuration, source),
        code_scheme=scheme.name,
    )


def say_kind(plan: CodingPlan) -> str:
    """Describe a plan's texts: answers, or values derived from the phone number or channel."""
    return (
        "phone number or channel (nobody was asked)" if plan.raw_field in FETCHED_FIELDS else QUESTION_KINDS[plan.kind]
    )


def _say_what_is_no_answer(plan: CodingPlan, configuration: CodingConfiguration) -> str:
    """Describe codes that do not come from an answer, starting with ;."""
    position = plan.coding_configurations.index(configuration)
    says = ""
    if has_elsewhere(plan, position):
        says += "; NC also of those whose place has none of these: they live elsewhere"
    if position in find_guessed_positions(plan):
        source = (
            "the mobile operator of those who named no place"
            if plan.code_imputation_function == LOCATION_WITH_ZONE
            else f"what {plan.code_imputation_function} gives those who did not answer"
        )
        says += f"; may be a guess from {source}, which is no answer"
    return f"{says} (how many: value_origins.csv)" if says else ""


def _multiple_entries(
    file: str, plan: CodingPlan, configuration: CodingConfiguration, source: str
) -> Iterator[DictionaryEntry]:
    scheme = configuration.code_scheme
    owner = "any of the participant's answers has" if file == FILES[1] else "the answer has"
    for column, code in zip(configuration.columns(), scheme.codes, strict=True):
        yield DictionaryEntry(
            file,
            column,
            "0 or 1",
            f"{scheme.name}: whether {owner} the code {describe_code(code)}{_say_what_is_no_answer(plan, configuration)}",
            possible_values="1 (it has); 0 (it has not)",
            missing_values=_missing_of_matrix(scheme, str(configuration.analysis_file_key)),
            source=_coded_source(plan, configuration, source),
            code_scheme=scheme.name,
            code=code.string_value,
            numeric_value=str(code.numeric_value),
            code_id=code.code_id,
        )


def _missing_of_matrix(scheme: CodeScheme, key: str) -> str:
    names = [f"{key}_{code.string_value}" for code in scheme.codes if code.control_code is not None]
    return f"{_WITHDRAWN}; else a 1 in one of {', '.join(names)}" if names else _WITHDRAWN


def _text_entry(file: str, plan: CodingPlan, source: str) -> DictionaryEntry:
    missing = ["empty: no answer, or an answer without text"]
    if file != FILES[2]:
        missing.append(_WITHDRAWN)
    family = _meaning(file, "<RawField>")
    return DictionaryEntry(
        file,
        plan.raw_field,
        "text",
        f"{say_kind(plan)}: {family}",
        possible_values="any text",
        missing_values="; ".join(missing),
        source=source,
    )


def _coded_source(plan: CodingPlan, configuration: CodingConfiguration, source: str) -> str:
    steps = [f"{plan.raw_field}, from {source}"]
    if configuration.cleaner is not None:
        steps.append(f"the cleaner {configuration.cleaner} proposes codes")
    if plan.coda_dataset is not None:
        steps.append(f"coders label it in Coda as {plan.coda_dataset}")
    if plan.code_imputation_function is not None:
        steps.append(f"{plan.code_imputation_function} completes it")
    return "; ".join(steps)


def describe_sources(project: Project, plan: CodingPlan) -> str:
    """Describe the sources of a plan's texts: RapidPro results and flows, or other keys of the raw data."""
    if plan.raw_field in FETCHED_FIELDS:
        return "the first digits of the participant's phone number, or the channel that they wrote by"
    keys = [
        remapping.rapid_pro_key
        for remapping in project.configuration.rapid_pro_key_remappings
        if remapping.pipeline_key == plan.raw_field
    ]
    sources = list(dict.fromkeys(map(_describe_key, keys)))
    ranges = [
        remapping
        for remapping in project.configuration.timestamp_remappings
        if remapping.show_pipeline_key_to_remap_to == plan.raw_field
    ]
    if ranges:
        sources.append(f"answers to other episodes in {len(ranges)} time range(s) of TimestampRemappings")
    return " and ".join(sources) or "no flow of this season"


def _describe_key(rapid_pro_key: str) -> str:
    result = read_result_key(rapid_pro_key)
    if result is None:
        return f"raw key {rapid_pro_key!r}"
    return f"result {result.category!r} ({result.part}) of flow {result.flow!r}"


def describe_code(code: Code) -> str:
    """Describe a code by its string value, its number and, if informative, its display text."""
    shown = "" if code.display_text == code.string_value else f" ({code.display_text})"
    # Control codes are often shown as "NC (not coded)".
    if code.display_text.startswith(f"{code.string_value} ("):
        shown = code.display_text.removeprefix(code.string_value)
    return f"{code.string_value} = {code.numeric_value}{shown}"


def used_control_codes(schemes: Sequence[CodeScheme]) -> list[tuple[str, str]]:
    """Return the schemes' control codes, each with its meaning in a table."""
    used = {
        code.control_code: entry_of(code.control_code)
        for scheme in schemes
        for code in scheme.codes
        if code.control_code
    }

    def order(item: tuple[str, ControlCodeEntry]) -> tuple[bool, int, tuple[int, str]]:
        """Sort as in a scheme, by number; the project's own come last."""
        control, entry = item
        return control not in ControlCode, -entry.numeric_value, rank_of(control)

    return [(str(control), entry.meaning) for control, entry in sorted(used.items(), key=order)]
