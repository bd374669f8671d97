"""Runs of run_pipeline.sh in a clone whose stages only write down how they were called."""

import re

PIPELINE = "run_pipeline.sh"
LATER_SCRIPTS = ("5_automated_analysis.sh", "6_backup_data_root.sh", "7_upload_logs.sh")
RUN_ID = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z-([0-9a-f]{40}|unknown)")


def run_pipeline(clone, *options, **variables):
    return clone.run_on_host(PIPELINE, *options, *clone.pipeline_arguments, **variables)


def names_of(calls):
    return [call[0] for call in calls]
