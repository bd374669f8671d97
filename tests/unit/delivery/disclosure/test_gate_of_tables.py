"""What of the three tables may go to Drive, on invented tables and on those of an invented project."""

import csv
import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.configuration import load_project
from engagement.configuration.disclosure import Disclosure, PhoneNumberPolicy
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.rare_combinations import find_rare_participants
from engagement.delivery.disclosure.rows import WITHHELD
from engagement.delivery.disclosure.tables import pass_tables
from engagement.delivery.disclosure.verdict import judge, write_findings
from engagement.foundation.errors import DisclosureError, InputError
from engagement.pipeline.coding.cleaning.phone_numbers import MASK
from example_project import DataRoot, coda_message, episode_run, label, survey_run, uid_of, write_project

NUMBER = "0615000001"
STOP = Disclosure(PhoneNumbers=PhoneNumberPolicy.STOP)
GENDERS = {"a": "nin", "b": "nin", "c": "naag", "d": "nin"}


def message_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Season:
    """Outputs of the example project, and what the gate makes of them."""

    def __init__(self, folder: Path, **disclosure: object) -> None:
        configuration = write_project(
            folder / "configuration", lambda document: document.update(Disclosure=disclosure) if disclosure else None
        )
        self.root = DataRoot(folder, configuration)
        self.root.write_runs(
            episode_run("a", f"i soo wac {NUMBER}", run_id=1),
            episode_run("a", f"+252 61 {NUMBER[3:]}", run_id=2),
            episode_run("b", "biyo 25000", run_id=3),
            episode_run("c", "caafimaad", run_id=4),
            episode_run("d", "jooji", run_id=5),
            *(survey_run(name, 100 + n, gender=text, age="25") for n, (name, text) in enumerate(GENDERS.items())),
        )
        self.root.write_coded("s01e01", coda_message("jooji", label("episode1", "STOP")))
        self.root.write_coded(
            "gender", coda_message("nin", label("gender", "man")), coda_message("naag", label("gender", "woman"))
        )
        self.root.generate()
        self.copies = folder / "copies"
        self.copies.mkdir()

    @property
    def project(self):
        return load_project(self.root.configuration)

    def pass_tables(self) -> DisclosureFindings:
        return pass_tables(self.project, self.root.outputs, self.copies)

    def copy(self, name: str) -> list[dict[str, str]]:
        with (self.copies / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.root.outputs / f"{name}.csv"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


@pytest.fixture
def season(tmp_path):
    return Season(tmp_path)


def test_copies_hold_no_phone_number_and_are_the_same_otherwise(season):
    before = {path.name: path.read_bytes() for path in season.root.outputs.glob("*.csv")}
    season.pass_tables()
    # Ids of short answers could be guessed: the index stays here.
    assert before.keys() - {path.name for path in season.copies.iterdir()} == {"messages_index.csv"}
    for name in sorted(path.name for path in season.copies.iterdir()):
        content = before[name]
        copy = (season.copies / name).read_text()
        assert NUMBER not in copy
        assert NUMBER[3:] not in copy
        # The apostrophe that guards a + goes with the number that it guarded.
        masked = content.decode().replace(NUMBER, MASK).replace(f"'+252 61 {NUMBER[3:]}", MASK)
        assert copy == masked.replace(f"+252 61 {NUMBER[3:]}", MASK)
    assert {path.name: path.read_bytes() for path in season.root.outputs.glob("*.csv")} == before


def test_messages_with_a_phone_number_are_named_by_their_ids(season, tmp_path):
    findings = season.pass_tables()
    ids = {message_id(f"i soo wac {NUMBER}"), message_id(f"+252 61 {NUMBER[3:]}")}
    assert findings.texts == {("EXAMPLE_s01e01", found) for found in ids}
    write_findings(tmp_path / "State" / "found.csv", findings)
    found = (tmp_path / "State" / "found.csv").read_text()
    assert NUMBER not in found
    assert sorted(found.splitlines()[1:]) == sorted(f"phone number,EXAMPLE_s01e01,{found}" for found in ids)


def test_allowed_phone_numbers_pass(tmp_path):
    season = Season(tmp_path, PhoneNumbers="allow")
    assert season.pass_tables() == DisclosureFindings()
    copies = sorted(season.copies.iterdir())
    assert len(copies) >= 3
    for copy in copies:
        # One message begins with +: copies are safe for spreadsheets.
        guarded = (season.root.outputs / copy.name).read_bytes().replace(b",+", b",'+")
        assert copy.read_bytes() == guarded


def test_stop_holds_everything_back_and_lists_ids(season, tmp_path):
    findings = season.pass_tables()
    with pytest.raises(DisclosureError) as held:
        judge(findings, STOP, "Upload of the tables", tmp_path / "list.csv")
    assert message_id(f"i soo wac {NUMBER}") in str(held.value)
    assert "2 problem(s)" in str(held.value)
    assert NUMBER not in str(held.value)
    judge(DisclosureFindings(), STOP, "Upload of the tables", tmp_path / "list.csv")


def test_logs_count_and_name_no_one(season, tmp_path, caplog):
    judge(season.pass_tables(), season.project.configuration.disclosure, "Upload", tmp_path / "list.csv")
    assert "Masked phone numbers in 2 message(s)" in caplog.text
    assert NUMBER not in caplog.text


def test_participants_who_withdrew_pass_as_numbers_alone(season):
    assert season.pass_tables().withdrawn == []
    assert "jooji" not in (season.copies / "messages.csv").read_text()
    assert [row["uid"] for row in season.copy("messages")].count("STOP") == 1


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        # A participant's row whose cells were not all emptied.
        ("messages", "STOP,true,STOP", f"{uid_of('d')},true,STOP", "messages.csv, row 5: the participant withdrew"),
        # Production still has someone whom the individuals lack.
        ("production", uid_of("c"), uid_of("d"), "production.csv, row 4: the participant is not in individuals.csv"),
        ("messages", uid_of("c"), uid_of("d"), "messages.csv, row 4: the participant is not in individuals.csv"),
        ("messages", uid_of("c"), "STOP", "messages.csv, row 4: the participant is not in individuals.csv"),
    ],
)
@pytest.mark.parametrize("policy", PhoneNumberPolicy)
def test_rows_of_participants_who_withdrew_are_always_held_back(season, tmp_path, name, old, new, told, policy):
    season.replace(name, old, new)
    findings = season.pass_tables()
    with pytest.raises(DisclosureError, match=told) as held:
        judge(findings, Disclosure(PhoneNumbers=policy), "Upload", tmp_path / "list.csv")
    assert "avf-phone-uuid" not in str(held.value)


def test_answers_that_too_few_share_are_withheld_in_all_three_tables(tmp_path):
    season = Season(tmp_path, KAnonymity=2, Columns=["gender", "age"])
    findings = season.pass_tables()
    assert findings.rare == {uid_of("c")}
    for name in ("individuals", "messages", "production"):
        rows = {row["uid"]: row for row in season.copy(name)}
        withheld = {column for column, cell in rows[uid_of("c")].items() if cell == WITHHELD}
        # The age category and what was written tell as much as the age.
        expected = {"gender_raw", "age_raw", "gender", "age", "age_category"} & rows[uid_of("c")].keys()
        assert withheld == expected
        assert WITHHELD not in rows[uid_of("b")].values()
    assert "naag" not in (season.copies / "production.csv").read_text()


def test_rare_combinations_stop_the_upload_where_stop_is_set(tmp_path):
    season = Season(tmp_path, KAnonymity=2, Columns=["gender"], PhoneNumbers="stop")
    with pytest.raises(
        DisclosureError, match=f"participant {uid_of('c')}: a combination that too few participants share"
    ):
        judge(season.pass_tables(), season.project.configuration.disclosure, "Upload", tmp_path / "list.csv")


def test_columns_without_k_withhold_nothing(tmp_path):
    season = Season(tmp_path, Columns=["gender"])
    assert not season.pass_tables().rare
    assert WITHHELD not in (season.copies / "individuals.csv").read_text()


def test_outputs_without_a_column_that_is_to_be_counted_are_an_input_error(tmp_path):
    season = Season(tmp_path, KAnonymity=2, Columns=["gender"])
    season.replace("individuals", ",gender,", ",sex,")
    with pytest.raises(InputError, match=r"individuals\.csv: no column 'gender', which Disclosure\.Columns names"):
        season.pass_tables()


@pytest.mark.parametrize("damage", ["missing", "other", "binary", "short"])
def test_a_table_that_is_none_is_an_input_error(season, damage):
    path = season.root.outputs / "messages.csv"
    if damage == "missing":
        path.unlink()
    else:
        content = {"other": b"name,text\n", "binary": b"uid,\xff\xfe\n", "short": path.read_bytes() + b"a,false\n"}
        path.write_bytes(content[damage])
    with pytest.raises(InputError, match=r"messages\.csv"):
        season.pass_tables()


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("pq"), st.sampled_from("uv")), max_size=30),
    st.integers(2, 6),
)
def test_rare_participants_are_those_whose_combination_is_counted_fewer_than_k(answers, fewest):
    rows = [(str(number), list(answer)) for number, answer in enumerate(answers)]
    rare = find_rare_participants(lambda: rows, [0, 2], fewest)
    counts = Counter((first, last) for first, _, last in answers)
    assert rare == {uid for uid, (first, _, last) in rows if counts[first, last] < fewest}


@pytest.mark.slow
def test_a_long_season_passes_in_little_memory(season, tmp_path):
    """The same rows 20,000 times over, in a process that may not have much more memory than it starts with."""
    for name, times in (("messages", 20_000), ("production", 20_000)):
        path = season.root.outputs / f"{name}.csv"
        header, *rows = path.read_text().splitlines(keepends=True)
        path.write_text(header + "".join(rows) * times)
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from engagement.configuration import load_project\n"
        "from engagement.delivery.disclosure.tables import pass_tables\n"
        "project = load_project(Path(sys.argv[1]))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "pass_tables(project, Path(sys.argv[2]), Path(sys.argv[3]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    source = Path(__file__).resolve().parents[4] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program, season.root.configuration, season.root.outputs, season.copies],
        env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (season.copies / "messages.csv").stat().st_size > 5 * 2**20
    assert int(done.stdout) < 6 * 1024, "KiB more than before"
