"""Find the part of a project's files that decides its analysis."""

import hashlib

from engagement.analysis.reuse.inputs import AnalysisFacts
from engagement.configuration import Project
from engagement.configuration.double_coding import second_dataset
from engagement.configuration.pipeline_configuration import AutomatedAnalysis, name_of_pipeline


def find_analysis_facts(project: Project) -> AnalysisFacts:
    """Find it for a project."""
    settings = project.configuration.automated_analysis or AutomatedAnalysis()
    given = settings.statistics.broadcast_calendar_file, settings.statistics.population_margins_file
    return AnalysisFacts(
        name_of_pipeline(project.configuration, project.path),
        project.configuration.time_zone_name,
        hashlib.sha256(repr((project.configuration, project.coding_plans)).encode()).hexdigest(),
        list(filter(None, given)),
        [wanted.boundaries for wanted in settings.maps if wanted.boundaries],
        _list_datasets(project),
    )


def _list_datasets(project: Project) -> list[str]:
    """List the datasets whose downloads from Coda tell who made each label."""
    datasets = {plan.coda_dataset for plan in project.coding_plans.all if plan.coda_dataset is not None}
    if project.configuration.double_coding is not None:
        datasets |= {second_dataset(name) for name in datasets}
    return sorted(datasets)
