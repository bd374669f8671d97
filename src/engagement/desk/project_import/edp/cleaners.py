"""Our cleaners for the auto coders of an engagement-database project."""

import ast
import re
from typing import Final

from engagement.desk.project_import.cleaner_names import name_cleaner
from engagement.desk.project_import.edp.arguments import describe
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.evaluation.python_values import Call, Function
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.stubs import Stubs

_COMPARED_FUNCTION: Final = re.compile(r"clean_mogadishu_sub_district\s*(==|!=|is\b)")
_UNLESS: Final = "somali.district_unless_mogadishu_sub_district"


def find_cleaner(auto_coder: object, key: str, evaluator: Evaluator, stubs: Stubs, migration: Migration) -> str | None:
    """Return our name of the cleaner that an auto coder is, or calls.

    If nothing here is like it: None, and a stub. `key` is the AnalysisFileKey of the coding.
    """
    old = f"auto_coder of {key}"
    if isinstance(auto_coder, Function) and _COMPARED_FUNCTION.search(ast.unparse(auto_coder.node)):
        migration.changed(
            old,
            f"now {_UNLESS}. The old code compared the cleaner of sub-districts itself instead of its result, so it never "
            "proposed a district; now it does.",
        )
        return _UNLESS
    found = name_cleaner(auto_coder, evaluator)
    if found.name is None:
        # A function without a name is called after what it coded.
        name = found.old if found.old.isidentifier() else f"clean_{key}"
        where = f"{auto_coder.file}:{auto_coder.line}" if isinstance(auto_coder, Function | Call) else ""
        stub = stubs.add(name, where, "Cleaner", "text")
        migration.to_decide(
            old,
            f"no cleaner here is like {describe(auto_coder)}, so it is left out: coders see no proposals. To have them, fill in "
            f'{stub}() in functions.py and add "Cleaner": "functions:{stub}".',
        )
    elif found.wraps and found.name.endswith(".age"):
        migration.changed(old, f"{found.old} is now {found.name}, which gives ages from 10 to 99 alone.")
    elif found.wraps:
        migration.changed(old, f"now {found.name}, which {found.old} calls; what it did besides is left out.")
    else:
        migration.done(f"`{old}` is the Cleaner {found.name}.")
    return found.name
