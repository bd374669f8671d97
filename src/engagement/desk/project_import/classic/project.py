"""Import a classic project: a JSON configuration, and coding plans in Python."""

from pathlib import Path

from engagement.desk.project_import.classic.configuration_keys import convert_configuration
from engagement.desk.project_import.classic.plans import convert_plans
from engagement.desk.project_import.classic.radio_show_ranges import read_radio_show_ranges, tell_edited_stages
from engagement.desk.project_import.coda_datasets import read_dataset_names
from engagement.desk.project_import.configuration_and_plans import settle_with_plans
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.old_folders import read_configuration
from engagement.desk.project_import.problems import ImportProblems
from engagement.desk.project_import.writing import ImportedProject
from engagement.foundation.errors import ConfigurationError


def import_classic_project(root: Path, configuration_file: Path, migration: Migration) -> ImportedProject:
    """Convert the pipeline of a JSON configuration with its coding plans and code schemes.

    Raises
    ------
    ConfigurationError
        With all that can't be read, each with file and line.
    """
    old = read_configuration(configuration_file, root)
    name = old.get("PipelineName")
    pipeline = name if isinstance(name, str) else ""
    evaluator = Evaluator(root, {"pipeline_name": pipeline})
    problems = ImportProblems()
    datasets = read_dataset_names(root)
    plans = convert_plans(
        evaluator, configuration_file, pipeline or configuration_file.stem, datasets, problems, migration
    )
    if plans is None:
        problems.refuse(str(root))
        raise ConfigurationError(f"{root}: no coding plans; expected those of {pipeline!r}. Give the whole old folder.")
    ranges = read_radio_show_ranges(evaluator, migration)
    if ranges:
        old = {**old, "TimestampRemappings": [*(old.get("TimestampRemappings") or []), *ranges]}
    tell_edited_stages(evaluator, migration)
    configuration = convert_configuration(old, plans.constants, migration)
    settle_with_plans(configuration, plans.coding_plans, migration)
    return ImportedProject(configuration, plans.coding_plans, plans.schemes, plans.functions, plans.local_names)
