"""Check a project's files for maps and statistics, and its own code, read but never run."""

import ast
from collections.abc import Iterator
from pathlib import Path

from engagement.analysis.maps.files import read_boundaries
from engagement.analysis.statistics.given_files import read_calendar, read_margins
from engagement.configuration import CodingPlans, PipelineConfiguration
from engagement.configuration.contact_selections import WithdrawnElsewhere
from engagement.configuration.function_names import is_project_function
from engagement.configuration.nearest import nearest
from engagement.configuration.plan_places import placed_configurations, placed_plans
from engagement.configuration.problems import Problem
from engagement.configuration.statistics_checks import find_margin_values
from engagement.delivery.selections.withdrawn import find_withdrawn
from engagement.foundation.errors import PipelineError
from engagement.processing.records.participant_links import load_links
from engagement.sources.participant_lists import read_participant_list


def find_boundary_problems(configuration: PipelineConfiguration, plans: CodingPlans, folder: Path) -> Iterator[Problem]:
    """Find errors in the files of boundaries."""
    schemes = {c.coded_field: c.code_scheme for plan in plans.survey for c in plan.coding_configurations}
    for position, wanted in enumerate(
        configuration.automated_analysis.maps if configuration.automated_analysis else ()
    ):
        scheme = schemes.get(wanted.coded_field)
        if wanted.boundaries is None or scheme is None:
            continue
        names = [(code.string_value, code.display_text, *code.match_values) for code in scheme.codes if code.is_normal]
        try:
            read_boundaries(folder / wanted.boundaries, names)
        except PipelineError as error:
            yield Problem(f"$.AutomatedAnalysis.Maps[{position}].Boundaries", str(error))


def find_statistics_file_problems(
    configuration: PipelineConfiguration, plans: CodingPlans, folder: Path
) -> Iterator[Problem]:
    """Find errors in the calendar of broadcasts, and in the population's margins."""
    if configuration.automated_analysis is None:
        return
    statistics = configuration.automated_analysis.statistics
    try:
        if statistics.broadcast_calendar_file is not None:
            read_calendar(folder / statistics.broadcast_calendar_file)
    except PipelineError as error:
        yield Problem("$.AutomatedAnalysis.Statistics.BroadcastCalendarFile", str(error))
    try:
        if statistics.population_margins_file is not None:
            read_margins(folder / statistics.population_margins_file, find_margin_values(configuration, plans))
    except PipelineError as error:
        yield Problem("$.AutomatedAnalysis.Statistics.PopulationMarginsFile", str(error))


def find_participant_list_problems(configuration: PipelineConfiguration, folder: Path) -> Iterator[Problem]:
    """Find errors in attendance, in lists of whom not to write to, and of who withdrew elsewhere."""
    places = [
        (f"$.ListeningGroups[{position}].Files[{number}]", name)
        for position, group in enumerate(configuration.listening_groups)
        for number, name in enumerate(group.files)
    ]
    places += [
        (f"$.Contacts[{position}].ExclusionFiles[{number}]", name)
        for position, selection in enumerate(configuration.contacts)
        for number, name in enumerate(selection.exclusion_files)
    ]
    elsewhere = configuration.withdrawn_elsewhere or WithdrawnElsewhere()
    places += [(f"$.WithdrawnElsewhere.Files[{number}]", name) for number, name in enumerate(elsewhere.files)]
    for number, name in enumerate(elsewhere.data_roots):
        try:
            find_withdrawn(folder / name, ())
        except PipelineError as error:
            yield Problem(f"$.WithdrawnElsewhere.DataRoots[{number}]", str(error))
    try:
        load_links(configuration, folder)
    except PipelineError as error:
        yield Problem("$.LinkedParticipants", str(error))
    for at, name in places:
        try:
            read_participant_list(folder / name, configuration.participant_prefix)
        except PipelineError as error:
            yield Problem(at, str(error))


def find_function_problems(plans: CodingPlans, folder: Path) -> Iterator[Problem]:
    """Find errors in the project's own cleaners and imputation functions."""
    for at, plan in placed_plans(plans):
        if plan.code_imputation_function is not None and is_project_function(plan.code_imputation_function):
            yield from _find_function(f"{at}.CodeImputationFunction", plan.code_imputation_function, folder)
    for at, _, configuration in placed_configurations(plans):
        if configuration.cleaner is not None and is_project_function(configuration.cleaner):
            yield from _find_function(f"{at}.Cleaner", configuration.cleaner, folder)


def _find_function(at: str, name: str, folder: Path) -> Iterator[Problem]:
    module, _, function = name.partition(":")
    path = folder.joinpath(*module.split(".")).with_suffix(".py")
    try:
        tree = ast.parse(path.read_bytes())
    except OSError:
        yield Problem(
            at, f"{name!r} needs {path}, which can't be read; expected a Python file. Write it, or change the name."
        )
        return
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        yield Problem(
            at, f"{path}, line {line or '?'}, is not valid Python; expected a module with {function!r}. Mend it."
        )
        return
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    names += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    names += [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    if function not in names and "*" not in names:
        yield Problem(
            at, f"{path} has no {function!r}; expected a function of that name{nearest(function, names)} Change it."
        )
