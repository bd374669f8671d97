"""The manual lists what there is: scripts, stages, configuration keys, columns, exit statuses. What it refers to is there."""

import re
from pathlib import Path

import pytest

from engagement.__main__ import COMMANDS
from engagement.configuration.code_schemes import CodeScheme
from engagement.configuration.coding_plans import CodingPlansDocument
from engagement.configuration.model import Model, models_in
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.source_types import SOURCE_TYPES
from engagement.desk.recovery.formats import ExportFormat
from engagement.desk.update_manual import make_tables, renew
from engagement.foundation.errors import InputError
from engagement.pipeline.outputs.columns import COLUMNS
from example_project import DataRoot, episode_run
from manual_pages import ROOT, TEXTS

README = TEXTS["README.md"]
# Words that look like keys: values, and a setting of systemd's.
NO_KEYS = {"OnFailure", *SOURCE_TYPES}


@pytest.mark.parametrize("page", TEXTS)
def test_the_tables_made_from_the_code_are_up_to_date(page: str):
    assert renew(TEXTS[page]) == TEXTS[page], "run: PYTHONPATH=src .venv/bin/python -m engagement update-manual"


def test_each_table_stands_in_the_manual_once():
    places = re.findall(r"<!-- begin (.+) -->", "".join(TEXTS.values()))
    assert sorted(places) == sorted(make_tables())


def test_a_place_for_a_table_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="'begin colours' … 'end colours'; expected one name of configuration, "):
        renew("<!-- begin colours -->\n<!-- end colours -->\n")


def test_the_contents_of_a_page_list_its_sections_in_their_order():
    page = TEXTS["configurations/README.md"]
    listed = re.findall(r"^- \[(.+)\]\(#.+\)$", page[: page.index("\n## ")], re.M)
    assert listed == re.findall(r"^## (.+)$", page, re.M)


def anchors_of(text: str) -> set[str]:
    """The names that GitHub gives to headings."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page: str):
    for path, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", TEXTS[page]):
        if "://" in path:
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), (page, path)
        assert not anchor or anchor in anchors_of(target.read_text()), (page, path, anchor)


def test_every_key_in_the_text_is_one():
    keys: set[str] = set()

    def collect(model: type[Model]) -> None:
        for field in model.model_fields.values():
            keys.add(str(field.alias))
            for nested in models_in(field.annotation):
                collect(nested)

    for document in (PipelineConfiguration, CodingPlansDocument, CodeScheme, ExportFormat):
        collect(document)
    for page, text in TEXTS.items():
        for code in re.findall(r"`\"?([A-Z][\w.\[\]]+)\"?(?:: [^`]+)?`", text):
            names = re.findall(r"[A-Z][a-zA-Z]+", code) if "_" not in code else []
            assert {name for name in names if re.search("[a-z][A-Z]", name)} <= keys | NO_KEYS, (page, code)


def test_every_run_script_is_listed_and_every_listed_one_is_there():
    listed = set(re.findall(r"`run_scripts/(\w+\.sh)`", README))
    assert listed == {path.name for path in (ROOT / "run_scripts").glob("*.sh")}


def test_every_command_that_people_type_is_listed():
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE))
    # Called by scripts, or by those who change the program.
    others = {"container-plan", "plan-run", "sandbox-code", "sandbox-prepare", "sandbox-serve", "status"}
    assert listed == set(COMMANDS) - others - {"update-manual", "update-schemas"}


def test_every_column_of_the_outputs_is_described(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "biyo"))
    root.generate()
    families = {
        "<AnalysisFileKey>": r"(gender|age|age_category|sub_district|district|region|state|zone|operator)",
        "<AnalysisFileKey>_<StringValue>": r"rqa_s01e0\d_\w+",
        "<RawField>": r"\w+_raw",
        "<RunIDField>": r"\w+_run_id",
        "<dataset>_message_id": r"EXAMPLE_\w+_message_id",
    }
    described = {}
    for column in COLUMNS:
        described.setdefault(column.file, []).append(families.get(column.name, re.escape(column.name)))
    for path in root.outputs.rglob("*.csv"):
        file = "ICR/<ICRFilename>" if path.parent.name == "ICR" else path.name
        for name in path.read_text().splitlines()[0].replace('"', "").split(","):
            assert any(re.fullmatch(pattern, name) for pattern in described[file]), (path.name, name)


def test_every_exit_status_is_explained():
    for status in (0, 1, 2, 4, 10, 11, 12, 13, 14, 130, 143):
        assert f"| {status} |" in TEXTS["docs/runbook.md"]
