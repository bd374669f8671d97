"""Where messages came from as the analysis sees it: questions that each message answers by itself."""

import enum
from collections.abc import Iterable, Sequence

from engagement.configuration.code_schemes import CodeType
from engagement.configuration.coding_plans import CodingPlan
from engagement.configuration.column_plans import make_column_plan
from engagement.configuration.control_codes import ControlCode
from engagement.configuration.field_names import AMBIVALENT
from engagement.configuration.plan_kinds import PlanKind


class OriginColumn(enum.StrEnum):
    """What is told of a message: the type of its source, or the channel that its sender wrote by."""

    SOURCE = "source"
    CHANNEL = "channel"


NOT_KNOWN = str(ControlCode.NA)


def make_origin_plan(column: str, values: Sequence[str]) -> CodingPlan:
    """Make the plan of a column; nobody writes to it, so it has no texts and no dataset in Coda.

    `values` are those that the column has, in any order; participants with several are ambivalent.
    """
    names = [*sorted(set(values) - {NOT_KNOWN, AMBIVALENT}), *({AMBIVALENT} & set(values)), NOT_KNOWN]
    codes = [
        {
            "CodeID": name,
            "CodeType": CodeType.CONTROL if name == NOT_KNOWN else CodeType.NORMAL,
            "ControlCode": name if name == NOT_KNOWN else None,
            "DisplayText": {AMBIVALENT: "several", NOT_KNOWN: "not known"}.get(name, name),
            "NumericValue": number,
            "StringValue": name,
            "VisibleInCoda": False,
        }
        for number, name in enumerate(names, 1)
    ]
    return make_column_plan(PlanKind.DEMOGRAPHIC, column, codes)


def find_known_values(column: str, source_types: Iterable[str]) -> tuple[str, ...] | None:
    """List the values that a column can have, given the sources; None of channels, which are many.

    >>> find_known_values("source", ["RapidPro", "KoboToolbox", "RapidPro"]), find_known_values("channel", ["RapidPro"])
    (('KoboToolbox', 'RapidPro', 'ambivalent', 'NA'), None)
    """
    return (*sorted(set(source_types)), AMBIVALENT, NOT_KNOWN) if column == OriginColumn.SOURCE else None


def is_origin_plan(plan: CodingPlan) -> bool:
    """Tell whether a plan is that of a column in OriginColumns: its scheme is in no file."""
    return plan.raw_field in tuple(OriginColumn) and not any(c.code_scheme_file for c in plan.coding_configurations)
