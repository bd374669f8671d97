"""Find everything odd in a readable project: mistakes that operators miss for months."""

from collections.abc import Iterator
from dataclasses import replace

from engagement.configuration import CodingPlans
from engagement.configuration.loading import ProjectFiles, find_missing_optional_controls
from engagement.configuration.plan_places import placed_plans
from engagement.configuration.plan_warnings import find_plan_warnings
from engagement.configuration.problems import Problem
from engagement.configuration.scheme_checks import find_confused_ids
from engagement.configuration.unwritten_plans import find_unwritten_plans
from engagement.configuration.write_back_checks import find_write_back_warnings
from engagement.desk.checks.findings import Findings
from engagement.desk.checks.project_files import (
    find_boundary_problems,
    find_function_problems,
    find_participant_list_problems,
    find_statistics_file_problems,
)
from engagement.desk.checks.remapping_warnings import find_remapping_warnings
from engagement.desk.checks.result_warnings import find_result_warnings
from engagement.desk.checks.scheme_warnings import find_scheme_warnings
from engagement.desk.checks.settings_warnings import find_settings_warnings
from engagement.pipeline.coding.location_levels import find_level_problems
from engagement.pipeline.coding.locations import find_place_table


def find_project_warnings(files: ProjectFiles, findings: Findings) -> None:
    """Check pipeline configuration, coding plans and code schemes; never runs the project's own code."""
    configuration, plans = files.configuration, files.plans
    if configuration is None or plans is None or files.plans_path is None or files.schemes_folder is None:
        return
    findings.add_errors(files.path, find_boundary_problems(configuration, plans, files.path.parent))
    findings.add_errors(files.path, find_statistics_file_problems(configuration, plans, files.path.parent))
    findings.add_errors(files.path, find_participant_list_problems(configuration, files.path.parent))
    findings.add_errors(files.plans_path, find_function_problems(plans, files.path.parent))
    findings.add_errors(files.plans_path, _find_level_problems(plans))
    findings.add_warnings(files.path, find_settings_warnings(configuration, plans))
    findings.add_warnings(files.path, find_remapping_warnings(configuration, plans))
    findings.add_warnings(files.path, find_result_warnings(configuration))
    findings.add_warnings(files.path, find_write_back_warnings(configuration))
    findings.add_warnings(files.plans_path, find_unwritten_plans(configuration, plans))
    findings.add_warnings(files.plans_path, find_plan_warnings(plans, configuration.move_ws_messages))
    findings.add_warnings(files.plans_path, _find_unused_schemes(files))
    for file, missing in find_missing_optional_controls(files):
        text = (
            f"no control code {' and no '.join(missing)}; expected it in a scheme that coders use, who can't say so in its "
            "dataset. Add it."
        )
        findings.add_warnings(files.schemes_folder / file, [Problem("$.Codes", text)])
    if files.plans_document is not None:
        for file, problem, are_together in find_confused_ids(files.plans_document, files.schemes):
            findings.add_warnings(files.schemes_folder / file, [] if are_together else [problem])
    for file, problem in find_scheme_warnings(plans):
        findings.add_warnings(files.schemes_folder / file, [problem])


def _find_level_problems(plans: CodingPlans) -> Iterator[Problem]:
    """Find plans of places whose levels can't be determined: stage 3 would stop at them."""
    for at, plan in placed_plans(plans):
        table = find_place_table(plan)
        if table is not None:
            yield from (replace(problem, at=f"{at}.{problem.at}") for problem in find_level_problems(plan, table))


def _find_unused_schemes(files: ProjectFiles) -> Iterator[Problem]:
    for path in sorted(files.schemes_folder.glob("*.json")):  # type: ignore[union-attr]  # the caller checked
        if path.name not in files.schemes:
            yield Problem(
                "$.CodeSchemesDir",
                f"no plan uses {path.name!r} in it; expected every code scheme to be used. Name it in a plan; remove it if no message is labelled with it.",
            )
