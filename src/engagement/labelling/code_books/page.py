"""The code book as one HTML page of questions, code schemes and columns.

It needs no network, runs no script, and prints well.
"""

from collections.abc import Sequence
from pathlib import Path

from engagement.configuration import CodeScheme, CodingPlan, Project
from engagement.configuration.pipeline_configuration import name_of_pipeline
from engagement.labelling.code_books.dictionary import (
    FILES,
    DictionaryEntry,
    describe_sources,
    say_kind,
    used_control_codes,
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def make_page(project: Project, dictionary: Sequence[DictionaryEntry]) -> str:
    """Build the whole page as HTML."""
    # Imported here, so other scheme commands do not load the page templates.
    from engagement.foundation.pages import render_page

    schemes = _all_schemes(project)
    return render_page(
        Path(__file__).with_name("page.html.jinja"),
        title=f"Code book of {name_of_pipeline(project.configuration, project.path)}",
        policy=_POLICY,
        start=project.configuration.project_start_date.isoformat(),
        end=project.configuration.project_end_date.isoformat(),
        control_codes=used_control_codes(schemes),
        questions=[
            (plan.raw_field, say_kind(plan), describe_sources(project, plan), _name_schemes(plan))
            for plan in project.coding_plans.all
        ],
        schemes=[(scheme, _list_codes(scheme)) for scheme in schemes],
        files={
            file: [(entry.column, entry.type, entry.meaning) for entry in dictionary if entry.file == file]
            for file in FILES
        },
    )


def _name_schemes(plan: CodingPlan) -> str:
    return ", ".join(configuration.code_scheme.name for configuration in plan.coding_configurations)


def _list_codes(scheme: CodeScheme) -> list[tuple[str, int, str, str, str]]:
    return [
        (code.string_value, code.numeric_value, code.display_text, str(code.code_type), code.code_id)
        for code in scheme.codes
    ]


def _all_schemes(project: Project) -> list[CodeScheme]:
    """Return the schemes whose codes appear in columns, in column order, each once."""
    schemes = {
        configuration.code_scheme_file: configuration.code_scheme
        for plan in project.coding_plans.all
        for configuration in plan.coding_configurations
    }
    return list(schemes.values())
