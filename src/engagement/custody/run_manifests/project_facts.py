"""Find what stage 3 has to know of a project to see that it would make the same outputs again."""

from engagement.configuration import Project
from engagement.custody.run_manifests.recording import find_optional_packages, find_project_files, list_flows
from engagement.custody.run_manifests.same_inputs import OutputsFacts
from engagement.pipeline.coding.named_functions import has_project_functions
from engagement.processing.reuse.settings import digest_settings


def find_outputs_facts(project: Project) -> OutputsFacts:
    """Find it for a project."""
    return OutputsFacts(
        digest_settings(project),
        project.configuration.time_zone_name,
        list_flows(project.configuration),
        list(find_project_files(project)),
        sorted(find_optional_packages(project)),
        has_project_functions(project),
    )
