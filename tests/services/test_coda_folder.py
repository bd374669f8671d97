"""What only the embedded Coda folder can be asked: its clock, its names, and files that somebody damaged."""

from datetime import timedelta

import pytest

from coda_examples import START, code_scheme, label, message, read, write
from engagement.foundation.errors import InputError, ServiceError
from engagement.services.coda.embedded import FolderCoda


def folder_at(directory, *times):
    """A folder whose clock shows these times, one a change."""
    clock = iter(times)
    return FolderCoda(directory, clock=lambda: next(clock))


def test_a_change_is_never_stamped_before_the_newest_one_even_when_the_clock_was_set_back(tmp_path):
    coda = folder_at(tmp_path, START, START - timedelta(days=1), START - timedelta(days=2))
    coda.create_dataset("show", [], [])
    coda.add_messages("show", [message(1)])
    coda.save_labels("show", [message(1, [label("code-health")])])
    coda.add_messages("show", [message(2)])
    updated = coda.read_messages("show", START)
    assert [(item["Text"], len(item["Labels"])) for item in updated] == [("jawaab 1", 1), ("jawaab 2", 0)]


def test_saving_labels_keeps_numbers_and_counts_them(tmp_path):
    coda = folder_at(tmp_path, START, START + timedelta(hours=1))
    coda.create_dataset("show", ["coder@example.org"], [code_scheme()])
    coda.add_messages("show", [message(1), message(2)])
    coda.save_labels("show", [message(2, [label("code-NC")], Text="not looked at"), message(3, [label("code-NC")])])
    assert coda.read_messages("show", START + timedelta(hours=1)) == [
        message(2, [label("code-NC")], SequenceNumber=1, LastUpdated="2026-03-01T10:00:00.000000+00:00")
    ]
    assert len(coda.read_messages("show")) == 2
    assert read(tmp_path / "coda" / "show.metrics.json")["not_coded_messages"] == 1
    assert read(tmp_path / "coda" / "show.users.json") == ["coder@example.org"]


def test_a_dataset_may_not_have_the_name_of_another_ones_segment(tmp_path):
    coda = FolderCoda(tmp_path)
    coda.create_dataset("show", [], [])
    coda.add_messages("show", [message(1)])
    with pytest.raises(ServiceError, match="'show_2' has the name of a segment of dataset 'show'"):
        coda.create_dataset("show_2", [], [])
    coda.create_dataset("show_two", [], [])
    coda.create_dataset("age_2", [], [])
    with pytest.raises(ServiceError, match="'age_2' has the name of a segment of dataset 'age'"):
        coda.create_dataset("age", [], [])


def test_numbers_that_are_missing_are_passed_over(tmp_path):
    coda = FolderCoda(tmp_path)
    write(tmp_path / "coda" / "show.json", [message(1), message(2, SequenceNumber=None), message(3, SequenceNumber=8)])
    coda.add_messages("show", [message(4)])
    assert coda.read_messages("show")[-1]["SequenceNumber"] == 9


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("show.users.json", {"users": []}),
        ("show.code_schemes.json", code_scheme()),
        ("show.code_schemes.json", [{"Name": "no id"}]),
        ("show.code_schemes.json", [{"SchemeID": "Scheme-a", "Codes": ["code-a"]}]),
    ],
)
def test_a_damaged_file_beside_the_messages_is_named(tmp_path, name, content):
    coda = FolderCoda(tmp_path)
    coda.create_dataset("show", [], [])
    path = write(tmp_path / "coda" / name, content)
    with pytest.raises(InputError) as error:
        coda.add_messages("show", [message(1)])
    assert str(path) in str(error.value)
    assert coda.read_messages("show") == []
