"""The table of stages: the help, the plan of a run and the needs of containers come from it.

It holds only names: a module is imported when its stage runs, so that the help imports none.
"""

import importlib
from typing import Any, NamedTuple


class Stage(NamedTuple):
    """A stage. `summary` is the first line of its module's docstring; `needs` and `plan` name functions.

    Without `needs` its container uses no service; without `plan` it is not part of a run of the pipeline. An optional one runs
    after the stage of its number, where the configuration asks for it.
    """

    number: int
    summary: str
    module: str
    needs: str | None
    plan: str | None
    is_profiled: bool = False
    is_optional: bool = False


STAGES = {
    "coda-get": Stage(
        number=1,
        summary="Download new messages and labels of every dataset from Coda",
        module="engagement.stages.coda_get",
        needs="engagement.stages.needs.add_coda",
        plan="engagement.stages.planning.coda.plan_get",
    ),
    "fetch-raw-data": Stage(
        number=2,
        summary="Fetch the project's new and changed flow runs, and save them de-identified",
        module="engagement.stages.fetch_raw_data",
        needs="engagement.stages.needs.add_sources",
        plan="engagement.stages.planning.fetch.plan_fetch",
        is_profiled=True,
    ),
    "generate-outputs": Stage(
        number=3,
        summary="Join, clean, code and fold the raw data; write CSVs, Coda files, ICR samples and traced data",
        module="engagement.stages.generate_outputs",
        needs="engagement.stages.needs.add_outputs",
        plan="engagement.stages.planning.outputs.plan_outputs",
        is_profiled=True,
    ),
    "coda-add": Stage(
        number=4,
        summary="Add the messages that Coda lacks to every dataset; what people did there is never changed",
        module="engagement.stages.coda_add",
        needs="engagement.stages.needs.add_coda",
        plan="engagement.stages.planning.coda.plan_add",
    ),
    "automated-analysis": Stage(
        number=5,
        summary="Make tables, graphs, maps and the report from stage 3's results",
        module="engagement.stages.automated_analysis",
        needs="engagement.stages.needs.add_analysis",
        plan="engagement.stages.planning.outputs.plan_analysis",
        is_profiled=True,
    ),
    "generate-analysis-graphs": Stage(
        number=5,
        summary="Redraw the graphs of the automated analysis; its tables, maps and report do not change",
        module="engagement.stages.generate_analysis_graphs",
        needs="engagement.stages.needs.add_drive",
        plan=None,
        is_profiled=True,
    ),
    "write-back": Stage(
        number=5,
        summary="Write back to RapidPro who withdrew, which questions are answered, and the groups of selections",
        module="engagement.stages.write_back",
        needs="engagement.stages.needs.add_write_back",
        plan="engagement.stages.planning.write_back.plan_write_back",
        is_optional=True,
    ),
    "backup-data-root": Stage(
        number=6,
        summary="Archive the data root, or restore an archive",
        module="engagement.stages.backup_data_root",
        needs=None,
        plan="engagement.stages.planning.archives.plan_backup",
    ),
    "upload-logs": Stage(
        number=7,
        summary="Upload a run's archive, memory profile and log to the addresses in the pipeline configuration",
        module="engagement.stages.upload_logs",
        needs="engagement.stages.needs.add_uploads",
        plan="engagement.stages.planning.archives.plan_uploads",
    ),
    "apply-retention": Stage(
        number=7,
        summary="Remove archives, logs, records, messages and rows of the uuid table that are over age",
        module="engagement.stages.apply_retention",
        needs="engagement.stages.needs.add_retention",
        plan="engagement.stages.planning.retention.plan_retention",
        is_optional=True,
    ),
}


def script_of(name: str) -> str:
    """Name a stage's run script.

    >>> script_of("coda-get"), script_of("write-back")
    ('1_coda_get.sh', 'write_back.sh')
    """
    number = "" if STAGES[name].is_optional else f"{STAGES[name].number}_"
    return f"{number}{name.replace('-', '_')}.sh"


def title_of(name: str) -> str:
    """Put a stage's name into words.

    >>> title_of("coda-get")
    'coda get'
    """
    return name.replace("-", " ")


def stages_of_a_run() -> dict[int, str]:
    """Map the numbers of a pipeline run's stages to their names; optional ones have none of their own."""
    return {stage.number: name for name, stage in STAGES.items() if stage.plan is not None and not stage.is_optional}


def optional_stages_after(number: int) -> list[str]:
    """Name the optional stages that follow a stage."""
    return [name for name, stage in STAGES.items() if stage.is_optional and stage.number == number]


def load_function(path: str) -> Any:
    """Import a function that the table names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
