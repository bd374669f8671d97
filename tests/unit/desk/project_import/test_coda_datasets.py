"""Names of datasets in Coda, read from scripts of every shape that was seen; all scripts here are invented."""

from pathlib import Path

import pytest

from engagement.desk.project_import.coda_datasets import read_dataset_names
from engagement.desk.project_import.migration import Migration

LOOP = """
PROJECT_NAME="FARAX"
DATASETS=(
    "s01e01"
    # "s01e02"
    "gender" "age"
)
for DATASET in ${DATASETS[@]}
do
    pipenv run python get.py "$1" "${PROJECT_NAME}_${DATASET}" messages >"$3/Coded Coda Files/$DATASET.json"
done
"""
SHAPES = {
    "loop with a prefix": (LOOP, {"s01e01": "FARAX_s01e01", "gender": "FARAX_gender", "age": "FARAX_age"}),
    "no prefix": (
        'for DATASET in "X_age" "X_gender"; do python get.py "$AUTH" "$DATASET" messages > "$D/$DATASET.json"; done',
        {"X_age": "X_age", "X_gender": "X_gender"},
    ),
    "two projects, one after the other": (
        LOOP + 'PROJECT_NAME="SHARED"\nDATASETS=(location)\nfor D in "${DATASETS[@]}"; do\n'
        '  python get.py $A "${PROJECT_NAME}_$D" messages >"$R/Coded Coda Files/${D}.json"\ndone\n',
        {"s01e01": "FARAX_s01e01", "gender": "FARAX_gender", "age": "FARAX_age", "location": "SHARED_location"},
    ),
    "incremental: the file stands elsewhere in the loop": (
        'DATASETS=("s01e01")\nfor DATASET in ${DATASETS[@]}; do\n  FILE="$DATA_ROOT/Coded Coda Files/$DATASET.json"\n'
        '  if [ -e "$FILE" ]; then\n    MESSAGES=$(python get.py --previous-export-file-path "$FILE" "$AUTH" "P_${DATASET}" messages)\n'
        '    echo "$MESSAGES" >"$FILE"\n  else\n    python get.py "$AUTH" "P_${DATASET}" messages >"$FILE"\n  fi\ndone\n',
        {"s01e01": "P_s01e01"},
    ),
    "one line a dataset": (
        'python get.py "$AUTH" "P_age" messages > "$ROOT/Coded Coda Files/age.json"\n'
        'python get.py "$AUTH" P_sex messages >"$ROOT/Coded Coda Files/gender.json"\n',
        {"age": "P_age", "gender": "P_sex"},
    ),
    "a line that goes on in the next": (
        'python get.py "$AUTH" \\\n    "P_age" messages \\\n    > "$ROOT/age.json"\n',
        {"age": "P_age"},
    ),
    "a variable for the name": (
        'declare -a ALL=(age)\nALL+=(gender)\nfor D in "${ALL[@]}"; do\n  NAME="P_${D}"\n'
        '  python get.py "$AUTH" "$NAME" messages >"$R/$D.json"\ndone\n',
        {"age": "P_age", "gender": "P_gender"},
    ),
    "a default": (
        'PROJECT=${PROJECT:-P}\npython get.py a "${PROJECT}_age" messages >age.json',
        {"age": "P_age"},
    ),
    "a usage text with an apostrophe": (
        "usage() {\n  cat <<EOF\nIt doesn't matter (\nEOF\n}\n" + LOOP,
        {"s01e01": "FARAX_s01e01", "gender": "FARAX_gender", "age": "FARAX_age"},
    ),
}


def project(folder: Path, **scripts: str) -> Path:
    for name, text in scripts.items():
        path = folder / "run_scripts" / f"{name}.sh"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("shape", SHAPES)
def test_names_are_read_from_scripts_of_all_shapes(tmp_path: Path, shape: str):
    text, expected = SHAPES[shape]
    names = read_dataset_names(project(tmp_path, **{"1_coda_get": text}))
    assert {old: [download.name for download in found] for old, found in names.downloads.items()} == {
        old: [name] for old, name in expected.items()
    }


def test_a_changed_name_says_which_line_it_comes_from(tmp_path: Path):
    names, migration = read_dataset_names(project(tmp_path, **{"1_coda_get": LOOP})), Migration()
    assert names.name_file("gender.json", "FARAX", migration) == "FARAX_gender.json"
    assert "run_scripts/1_coda_get.sh:10" in migration.lines("Changed")[0]


def test_a_name_that_stays_needs_no_line(tmp_path: Path):
    script = "python get.py a P_age messages > P_age.json"
    names, migration = read_dataset_names(project(tmp_path, **{"1_coda_get": script})), Migration()
    assert names.name_file("P_age.json", "P", migration) == "P_age.json"
    # A dataset of another season: no script puts anything before the names.
    assert names.name_file("P_gender.json", "P", migration) == "P_gender.json"
    assert "`" not in migration.as_markdown().replace("`check`", "")


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ('PROJECT_NAME="$4"\npython get.py a "${PROJECT_NAME}_age" messages > age.json', "$4"),
        ('python get.py a "${PROJECT_NAME}_age" messages > age.json', "PROJECT_NAME"),
        ("python get.py a P_age messages > age.json; python get.py a Q_age messages > age.json", "'P_age' and 'Q_age'"),
        # Both branches are read, because only the caller knows which one runs.
        (
            'if [ "$2" = x ]; then P=P; else P=Q; fi\npython get.py a ${P}_age messages > age.json',
            "'P_age' and 'Q_age'",
        ),
        ("python get.py a P_gender messages > gender.json", "no script downloads 'age'"),
        ("docker run coda-get", "no download from Coda"),
    ],
)
def test_a_name_that_is_not_sure_is_left_to_a_person(tmp_path: Path, script: str, word: str):
    names, migration = read_dataset_names(project(tmp_path, **{"1_coda_get": script})), Migration()
    assert names.name_file("age.json", "P", migration) in ("age.json", "P_age.json")
    assert word in "\n".join(migration.lines("To decide"))


def test_of_two_scripts_that_of_the_pipeline_counts(tmp_path: Path):
    line = "python get.py a {}_age messages > age.json"
    names = read_dataset_names(
        project(tmp_path, **{"1_kismayo_coda_get": line.format("K"), "1_baidoa_coda_get": line.format("B")})
    )
    assert names.name_file("age.json", "FARAX-kismayo", Migration()) == "K_age.json"
    assert names.name_file("age.json", "FARAX-baidoa", Migration()) == "B_age.json"


def test_without_scripts_names_stay(tmp_path: Path):
    assert read_dataset_names(tmp_path).name_file("age.json", "P", Migration()) == "age.json"
