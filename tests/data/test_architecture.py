"""The rules of the house: imports go down and never in a circle, files are small, and few modules write to the disk."""

import ast
import functools
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "engagement"
# Top to bottom: a room imports from the rooms below it, and from itself.
ROOMS = (
    "__main__", "desk", "stages", "custody", "delivery", "analysis", "labelling", "sandbox", "processing", "pipeline",
    "sources", "services", "configuration", "provenance", "foundation",
)  # fmt: skip
MODULES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    """A module's name below the package: "pipeline.folding.fold"."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def nodes_of(source: str) -> tuple[ast.AST, ...]:
    """A module's syntax tree from its root, each module's once."""
    return tuple(ast.walk(ast.parse(source)))


NAMES = {name_of(path): path for path in MODULES}


def imported_modules(path: Path) -> Iterator[str]:
    """The project's own modules that a module imports, those that it imports in functions included."""
    for node in nodes_of(path.read_text()):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engagement"):
            base = (node.module or "").removeprefix("engagement").lstrip(".")
            for alias in node.names:
                module = f"{base}.{alias.name}".lstrip(".")
                yield module if module in NAMES else base
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("engagement.") for alias in node.names if alias.name.startswith("engagement.")
            )


IMPORTS = {name: set(imported_modules(path)) - {name} for name, path in NAMES.items()}


def find_circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("name", NAMES)
def test_imports_go_down_the_list(name: str):
    room = name.partition(".")[0]
    if room == "__init__":
        assert not IMPORTS[name]
        return
    above = set(ROOMS[: ROOMS.index(room)])
    assert not {imported for imported in IMPORTS[name] if imported.partition(".")[0] in above}


def test_no_files_import_each_other_in_a_circle():
    assert find_circle(IMPORTS) == []


def test_no_rooms_inside_a_room_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = {}
    for name, imported in IMPORTS.items():
        room = ".".join(name.split(".")[:2])
        graph.setdefault(room, set()).update(".".join(other.split(".")[:2]) for other in imported)
    # A package's own modules are in it.
    assert find_circle({room: others - {room} for room, others in graph.items()}) == []


def test_a_circle_is_found():
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert not find_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_no_module_holds_two_subjects():
    assert not {name for name, path in NAMES.items() if len(path.read_text().splitlines()) > 300}
    scripts = (ROOT / "run_scripts").rglob("*.sh")
    assert [str(path) for path in scripts if len(path.read_text().splitlines()) > 300] == []


# Where files are opened for writing: what is written beside and replaced, files that grow, and services' own.
WRITERS = {
    "custody.backups.encryption",
    "custody.backups.restore",
    "custody.restore_drills.kept_configuration",
    "delivery.selections.number_files",
    "desk.previews.runs",
    "desk.reproduction.rebuilding",
    "foundation.cluster_jobs",
    "foundation.files",
    "foundation.working_lock",
    "pipeline.outputs.analysis_parts",
    "pipeline.outputs.parts",
    "processing.records.raw_files",
    "services.coda.embedded",
    "services.storage.upload_sessions",
    "services.uuid_tables.embedded",
    "services.uuid_tables.embedded_key",
    "sources.rapidpro.state.line_log",
    "sources.state_databases",
}
OPENING = {"open", "fdopen", "TemporaryFile", "NamedTemporaryFile", "ZipFile", "GzipFile"}
WRITING = {"write_text", "write_bytes", "touch", "mkstemp", "symlink_to", "hardlink_to"}


def writes_files(source: str) -> bool:
    """Whether a module opens a file for writing, or makes one, in any of the ways in which Python does."""
    for node in nodes_of(source):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
        texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        if name in OPENING and any(len(text) <= 4 and set(text) & set("wax+") for text in texts):
            return True
        if name in WRITING or ast.unparse(function) == "os.open":
            return True
    return False


def test_few_modules_write_files():
    assert {name for name, path in NAMES.items() if writes_files(path.read_text())} == WRITERS


@pytest.mark.parametrize(
    "source",
    [
        "open(path, 'w')",
        "path.open(mode='ab')",
        "path.write_text('')",
        "os.open(path, os.O_CREAT)",
        "gzip.open(p, 'wt')",
    ],
)
def test_another_writer_is_noticed(source: str):
    assert writes_files(source)


def test_readers_are_no_writers():
    assert not writes_files("open(path); path.open('rb'); open(path, encoding='ascii'); path.read_text()")


def test_no_room_needs_the_analysis():
    # A stage runs it; the checks look at the boundaries of a project's maps; selections of contacts read its tables.
    users = {
        name.partition(".")[0]
        for name, imported in IMPORTS.items()
        if any(other.startswith("analysis") for other in imported)
    }
    assert users <= {"analysis", "stages", "desk", "delivery"}


def public_names(source: str) -> Iterator[str]:
    """Names of the classes and of the aliases of types that a module defines for others."""
    for node in nodes_of(source)[0].body:
        names = [node.name] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        yield from (name for name in names if re.fullmatch("[A-Z]+[a-z]\\w*", name))


def test_no_name_of_a_class_has_two_meanings():
    places: dict[str, list[str]] = {}
    for module, path in NAMES.items():
        for name in public_names(path.read_text()):
            places.setdefault(name, []).append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_classes_and_aliases_of_types_are_public_names():
    source = "class Run: pass\nclass _Run: pass\nRow = dict[str, Any]\nNUMBER = 1\ndef make():\n    Inner = int"
    assert list(public_names(source)) == ["Run", "Row"]


def asks_for_a_source_type(source: str) -> bool:
    """Whether a module asks of which type a source is, in any of the ways in which Python does; `RawDataSource` is no type."""
    for node in nodes_of(source):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            if re.search(r"(?<!\bRawData)Source\b", ast.unparse(node.args[1])):
                return True
        elif isinstance(node, ast.MatchClass):
            if re.search(r"(?<!\bRawData)Source$", ast.unparse(node.cls)):
                return True
        elif isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            if any(re.search(r"\bsource_type$|^type\(.*source\)$|(?<!\bRawData)Source$", side) for side in sides):
                return True
    return False


def test_nobody_asks_for_the_type_of_a_source():
    # What sources differ in, `RawDataSource` and the parts of their packages say.
    assert [name for name, path in NAMES.items() if asks_for_a_source_type(path.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "isinstance(source, RapidProSource)",
        "isinstance(s, model.RapidProSource | RecoveryCSVSource)",
        "source.source_type == 'RapidPro'",
        "source.source_type in ('RapidPro',)",
        "type(source) is RapidProSource",
        "match source:\n    case RapidProSource():\n        pass",
    ],
)
def test_a_question_for_the_type_of_a_source_is_noticed(source: str):
    assert asks_for_a_source_type(source)


def test_to_ask_whether_something_is_a_source_at_all_is_no_question_for_its_type():
    assert not asks_for_a_source_type("issubclass(model, RawDataSource)\ncls is RawDataSource")


def test_the_first_line_of_a_docstring_is_under_100_characters():
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [(name, node) for name, path in NAMES.items() for node in nodes_of(path.read_text())]
    texts = [(name, ast.get_docstring(node) or "") for name, node in nodes if isinstance(node, kinds)]
    assert [(name, text) for name, text in texts if len(text.partition("\n")[0]) >= 100] == []


def test_bad_input_is_never_asserted_away():
    for path in MODULES:
        assert not [node for node in nodes_of(path.read_text()) if isinstance(node, ast.Assert)], path


# Python's own writer leaves CR unquoted before 3.12.3, and nothing but `foundation.csv_cells` guards against formulas.
OTHER_CSV_WRITERS = {"writer", "DictWriter", "to_csv", "writerow", "writerows"}


def other_csv_writers(source: str) -> list[str]:
    nodes = nodes_of(source)
    names = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    names += [alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    return [name for name in names if name in OTHER_CSV_WRITERS]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_csv_is_written_by_the_one_module(path: Path):
    assert other_csv_writers(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import csv\ncsv.writer(file).writerow(cells)",
        "from csv import DictWriter",
        "table.to_csv(path)",
        "import csv as c\nwrite = c.writer",
    ],
)
def test_another_writer_of_csv_is_noticed(source: str):
    assert other_csv_writers(source)


def test_html_is_made_by_the_one_module():
    # The gate before Drive, and a search for a person, look into pages that are made already.
    makers = {str(path.relative_to(SOURCE)) for path in MODULES if "html.escape(" in path.read_text()}
    assert makers == {"foundation/pages.py", "delivery/disclosure/pages.py", "desk/held_data/copies.py"}
    assert [path for path in MODULES if "jinja2" in path.read_text()] == [SOURCE / "foundation" / "pages.py"]


def test_nobody_takes_nel_or_u2028_in_a_text_for_a_line_end():
    # `splitlines` does, for text; these two use it on bytes of our own JSON, which has none, and on a docstring.
    allowed = {"sources/recovery_csv/fetch.py", "desk/update_manual.py"}
    found = {str(path.relative_to(SOURCE)) for path in MODULES if ".splitlines(" in path.read_text()}
    assert found <= allowed
