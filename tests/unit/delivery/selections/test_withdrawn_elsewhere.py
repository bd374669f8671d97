"""Whoever withdrew in another project that shares the uuid table is in no selection here."""

import logging
from pathlib import Path

import pytest

from engagement.desk.checks.project_files import find_participant_list_problems
from engagement.foundation.errors import ConfigurationError, InputError, PipelineError
from example_project import uid_of
from selection_project import WITHDREW, make_data_root, names_of, people_of, select, write_selections

OTHERS = ["amina", "bashir", "caasha", "daahir", "ebla", "faarax", "gacal", "hodan"]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data_root(tmp_path_factory.mktemp("other_show")).path


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    made = make_data_root(tmp_path_factory.mktemp("show"))
    # Here nobody withdrew.
    for path in (made.path / "Coded Coda Files").glob("*s01e02*"):
        path.unlink()
    made.generate(accept_lost_withdrawals=True)
    return made


def choose(here, **elsewhere):
    write_selections(here.configuration.parent.parent, WithdrawnElsewhere=elsewhere)
    return select(here)


def test_who_withdrew_in_another_data_root_is_in_no_selection(here, there):
    assert WITHDREW in names_of(choose(here))
    selected = choose(here, DataRoots=[str(there)])
    assert names_of(selected) == OTHERS
    assert selected.steps[1] == ("did not withdraw in another project", 9)
    assert "1 withdrew there by " in selected.notes[0]
    assert "1 of them known here" in selected.notes[0]


def test_a_list_of_ids_does_the_same(here):
    (here.configuration.parent / "gone.csv").write_text(f"uid\n{uid_of('amina')}\n{uid_of('nobody')}\n")
    selected = choose(here, Files=["gone.csv"])
    assert names_of(selected) == [*OTHERS[1:], WITHDREW]
    assert selected.notes == ("gone.csv: 2 line(s), 1 known here",)


def test_a_list_of_which_nobody_is_known_here_is_a_warning(here, caplog):
    (here.configuration.parent / "far.csv").write_text(f"uid\n{uid_of('nobody')}\n")
    with caplog.at_level(logging.WARNING):
        assert names_of(choose(here, Files=["far.csv"])) == [*OTHERS, WITHDREW]
    assert "WithdrawnElsewhere: far.csv: none of its 1 id is known here" in caplog.text


def spoil_nothing(notes: Path) -> None:
    pass


def remove_participants(notes: Path) -> None:
    (notes / "participants.array").unlink()


def cut_participants(notes: Path) -> None:
    path = notes / "participants.array"
    path.write_bytes(path.read_bytes()[:-3])


def make_older(notes: Path) -> None:
    (notes / "notes.json").write_text('{"version": 0}')


@pytest.mark.parametrize(
    ("spoil", "keys", "error", "found"),
    [
        (spoil_nothing, {"DataRoots": ["nowhere"]}, InputError, "not there; expected stage 3's notes"),
        (remove_participants, {"DataRoots": ["copy"]}, InputError, "can't be read"),
        (cut_participants, {"DataRoots": ["copy"]}, InputError, "can't be read"),
        (make_older, {"DataRoots": ["copy"]}, InputError, "'version' is 0"),
        (spoil_nothing, {"Files": ["missing.csv"]}, ConfigurationError, "no such file"),
    ],
)
def test_what_can_not_be_read_stops_and_check_finds_it(here, there, spoil, keys, error, found):
    folder = here.configuration.parent
    notes = folder / "copy" / "State" / "outputs"
    notes.mkdir(parents=True, exist_ok=True)
    for path in (there / "State" / "outputs").iterdir():
        if path.is_file():
            (notes / path.name).write_bytes(path.read_bytes())
    spoil(notes)
    with pytest.raises(PipelineError, match=found) as caught:
        choose(here, **keys)
    assert caught.type is error
    (problem,) = find_participant_list_problems(people_of(here).project.configuration, folder)
    assert problem.at == f"$.WithdrawnElsewhere.{next(iter(keys))}[0]"
