"""The code book as one HTML page: questions, code schemes, columns; it needs no network, runs no script, and prints well."""

from collections.abc import Iterator, Sequence

from engagement.analysis.report_html import Markup, element, join
from engagement.code_books.dictionary import FILES, Entry, describe_sources, say_kind, used_control_codes
from engagement.configuration import CodeScheme, CodingPlan, Project
from engagement.configuration.pipeline_configuration import name_of_pipeline

_STYLE = """
body { margin: 0 auto; max-width: 62rem; padding: 1rem; color: #1f2933; background: #fff;
  font: 1rem/1.5 system-ui, "Noto Sans", sans-serif; overflow-wrap: break-word; }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 2px solid #0072b2; padding-top: 0.75rem; }
table { border-collapse: collapse; width: 100%; margin: 0.75rem 0; font-size: 0.85rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.25rem; }
th, td { border-bottom: 1px solid #dde2e7; padding: 0.25rem 0.6rem 0.25rem 0; text-align: left; vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
nav a { margin-right: 1.5rem; }
.note { color: #5f6b76; font-size: 0.9rem; }
@media print {
  body { max-width: none; font-size: 9pt; } thead { display: table-header-group; }
  tr { break-inside: avoid; } h2, h3, caption { break-after: avoid; } nav { display: none; }
}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def make_page(project: Project, dictionary: Sequence[Entry]) -> str:
    """The whole page, as HTML."""
    title = f"Code book of {name_of_pipeline(project.configuration, project.path)}"
    body = join([_introduce(project, title), _questions(project), _schemes(project), _columns(dictionary)])
    head = join(
        [
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            element("style", Markup(_STYLE)),
        ]
    )
    page = element("html", element("head", head), element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _introduce(project: Project, title: str) -> Markup:
    configuration = project.configuration
    start, end = configuration.project_start_date, configuration.project_end_date
    links = (("questions", "Questions"), ("schemes", "Code schemes"), ("columns", "Columns"))
    return join(
        [
            element("h1", title),
            element(
                "p",
                f"Messages from {start.isoformat()} until before {end.isoformat()}. messages.csv has a row for each "
                "message, individuals.csv one for each participant, production.csv the messages as they were written. "
                "Every column is named below, and described in full in data_dictionary.csv.",
            ),
            element("nav", join(element("a", name, href=f"#{anchor}") for anchor, name in links)),
            element("h2", "Missing values and codes about the coding"),
            _table(("Code", "Where a table holds it"), used_control_codes(_all_schemes(project))),
        ]
    )


def _questions(project: Project) -> Markup:
    rows = [
        (plan.raw_field, say_kind(plan), describe_sources(project, plan), ", ".join(_scheme_names(plan)))
        for plan in project.coding_plans.all
    ]
    return join(
        [
            element("h2", "Questions", id="questions"),
            _table(("Field", "What it is", "Where it comes from", "Code schemes"), rows),
        ]
    )


def _scheme_names(plan: CodingPlan) -> Iterator[str]:
    return (configuration.code_scheme.name for configuration in plan.coding_configurations)


def _all_schemes(project: Project) -> list[CodeScheme]:
    """The schemes whose codes come out in columns, in the order of the columns; each once."""
    schemes = {
        configuration.code_scheme_file: configuration.code_scheme
        for plan in project.coding_plans.all
        for configuration in plan.coding_configurations
    }
    return list(schemes.values())


def _schemes(project: Project) -> Markup:
    tables = []
    for scheme in _all_schemes(project):
        rows = [
            (code.string_value, code.numeric_value, code.display_text, str(code.code_type), code.code_id)
            for code in scheme.codes
        ]
        tables += [
            element("h3", scheme.name),
            element("p", f"{scheme.scheme_id}, version {scheme.version}, {len(scheme.codes)} codes", class_="note"),
            _table(("String value", "Number", "What coders see", "Type", "Code id"), rows),
        ]
        if scheme.documentation is not None:
            tables.append(element("p", f"Explained at {scheme.documentation.uri}", class_="note"))
    return join([element("h2", "Code schemes", id="schemes"), *tables])


def _columns(dictionary: Sequence[Entry]) -> Markup:
    parts = [
        element("h2", "Columns", id="columns"),
        element(
            "p",
            "Where consent_withdrawn is true every other cell is STOP; production.csv has none of these participants. "
            "Values, missing values and sources of each column are in data_dictionary.csv; they are "
            "those of its code scheme and of its question above.",
        ),
    ]
    for file in FILES:
        rows = [(entry.column, entry.type, entry.meaning) for entry in dictionary if entry.file == file]
        parts += [element("h3", file), _table(("Column", "Type", "Meaning"), rows)]
    return join(parts)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    kinds = ["number" if isinstance(cell, int) else None for cell in (rows[0] if rows else header)]
    head = (element("th", name, scope="col", class_=kind) for name, kind in zip(header, kinds, strict=True))
    body = (
        element("tr", join(element("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True)))
        for row in rows
    )
    return element("table", element("thead", element("tr", join(head))), element("tbody", join(body)))
