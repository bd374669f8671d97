"""Stores of messages of other channels, which are answers as they are: no form, no questions."""

import json

from engagement.sources.context import FetchContext
from engagement.sources.operator_labels import OperatorLabels
from engagement.sources.submissions.earlier_lines import EarlierLines
from engagement.sources.submissions.flows import FlowsSource
from engagement.sources.submissions.lines import SubmissionLines
from engagement.sources.submissions.opened_stores import open_store
from engagement.sources.submissions.store import EPISODE, SubmissionStore


def state_file_name(source: FlowsSource, flow_name: str) -> str:
    """Name the file of a flow's state."""
    return f"{source.source_type} {flow_name}.sqlite"


def open_channel(
    source: FlowsSource, flow_name: str, field: str, package: str, context: FetchContext
) -> SubmissionStore:
    """Open the store of a flow of messages; `context.resources` closes it.

    What is held stays whatever changes in the source or in the operator scheme: not all of it could be fetched again.
    """
    scheme = context.project.coding_plans.operator_scheme
    operators = OperatorLabels(scheme) if scheme is not None else None
    lines = SubmissionLines(flow_name, None, operators, context.metadata(package))
    earlier = EarlierLines({EPISODE: context.raw_data_file(flow_name)})
    path = context.state_file(state_file_name(source, flow_name))
    store = open_store(path, flow_name, json.dumps([field]), lines, earlier, context.held_back)
    return context.resources.enter_context(store)
