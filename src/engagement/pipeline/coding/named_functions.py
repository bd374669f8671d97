"""The project's own functions that the coding plans name, without loading any."""

import itertools
from collections.abc import Iterator

from engagement.configuration import Project
from engagement.configuration.function_names import is_project_function


def has_project_functions(project: Project) -> bool:
    """Tell whether the coding plans name the project's own functions."""
    return any(True for _ in itertools.chain(cleaner_names(project), imputation_names(project)))


def cleaner_names(project: Project) -> Iterator[str]:
    """Name the project's own cleaners."""
    for plan in project.coding_plans.all:
        for configuration in plan.coding_configurations:
            if configuration.cleaner is not None and is_project_function(configuration.cleaner):
                yield configuration.cleaner


def imputation_names(project: Project) -> Iterator[str]:
    """Name the project's own imputation functions."""
    for plan in project.coding_plans.all:
        name = plan.code_imputation_function
        if name is not None and is_project_function(name):
            yield name
