"""Plan stages 3 and 5: what they would read, and upload to Drive, without asking Drive."""

from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import count_of
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS
from engagement.pipeline.outputs.workbooks import workbook_target
from engagement.stages.planning.context import PlanContext, say_size


def plan_outputs(context: PlanContext) -> Iterator[str]:
    """Write the lines about stage 3."""
    configuration = context.project.configuration
    names = [*configuration.activation_flows, *configuration.survey_flows]
    files = [context.data_root / "Raw Data" / f"{name}.jsonl" for name in names]
    there = [path for path in files if path.is_file()]
    yield f"raw data as it is now: {len(there)} of {len(files)} flows, {say_size(sum(map(_size, there)))}"
    datasets = [plan.coda_filename for plan in context.project.coding_plans.all if plan.coda_filename is not None]
    coded = [name for name in datasets if (context.data_root / "Coded Coda Files" / name).is_file()]
    yield f"coders' labels of {len(coded)} of {len(datasets)} datasets; Outputs/ will be rebuilt"
    upload = configuration.drive_upload
    if upload is not None:
        for path in (upload.production_upload_path, upload.messages_upload_path, upload.individuals_upload_path):
            yield f"Drive: {path}, where it changed"
            if configuration.spreadsheet_files:
                yield f"Drive: {workbook_target(path)}, where it changed"


def plan_analysis(context: PlanContext) -> Iterator[str]:
    """Write the lines about stage 5."""
    folder = context.data_root / "Outputs" / AUTOMATED_ANALYSIS
    # The stage keeps its JSON files for itself.
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"] if folder.is_dir() else []
    yield f"Outputs/{AUTOMATED_ANALYSIS}/ will be rebuilt; it holds {count_of(len(files), 'file')} now"
    upload = context.project.configuration.drive_upload
    target = None if upload is None else upload.automated_analysis_dir or upload.analysis_graphs_dir
    if target is not None:
        yield f"Drive: all of them to {target}/, where they changed"


def _size(path: Path) -> int:
    return path.stat().st_size
