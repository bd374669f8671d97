"""Files with phone numbers become files with uids, and no number goes anywhere else."""

import json
import logging
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from engagement.__main__ import main
from engagement.desk.de_identification import tables
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable

FIRST, SECOND = "252615000001", "252615000002"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with credentials and a file of a telecom."""
    (tmp_path / "key.json").write_text(json.dumps({"type": "embedded", "directory": "embedded"}))
    monkeypatch.chdir(tmp_path)
    write("a.csv", f"Sender,Message,ReceivedOn\n{FIRST},haa,x\n+252 61 5000002,maya,y\n{FIRST},=1+1,z\n")
    return tmp_path


def write(name, text, encoding="utf-8"):
    Path(name).write_bytes(text.encode(encoding))


def run(*options, files=("a.csv",)):
    return main(["de-identify", *files, "--column", "Sender", "--table", "SHOW", "--credentials", "key.json", *options])


def read(name="a_deidentified.csv"):
    return [line.split(",") for line in Path(name).read_text(encoding="utf-8").splitlines()]


def table(folder):
    return EmbeddedUuidTable(folder / "embedded", "SHOW")


def files_in(folder):
    return {path.name for path in folder.iterdir()} - {"key.json", "embedded"}


def check_nothing_shown(text):
    assert not any(secret in text for secret in ("5000001", "5000002", "500 0003", "haa", "maya"))


def test_numbers_become_the_uids_that_their_sms_have(work, capsys):
    known = table(work).uuids_for([FIRST])[FIRST]
    assert run() == 0
    rows = read()
    assert rows[0] == ["Sender", "Message", "ReceivedOn"]
    assert [row[0] for row in rows[1:]] == [known, table(work).find([SECOND])[SECOND], known]
    assert [row[1:] for row in rows[1:]] == [["haa", "x"], ["maya", "y"], ["=1+1", "z"]]
    assert stat.S_IMODE(Path("a_deidentified.csv").stat().st_mode) == 0o600
    check_nothing_shown("".join(capsys.readouterr()))


def test_a_table_that_is_not_there_yet_is_told_of_before_it_is_made(work, caplog):
    table(work).uuids_for([FIRST])
    assert run() == 0
    assert "no such uuid table" not in caplog.text
    write("b.csv", f"Sender,Message\n{FIRST},haa\n")
    assert run("--table", "SHOWS", files=("b.csv",)) == 0
    assert "--table 'SHOWS': there is no such uuid table yet; nearest: 'SHOW'. It is made now" in caplog.text


def test_a_number_that_changed_hands_is_its_latest_holder(work):
    table(work).uuids_for([FIRST, f"holder 2:{FIRST}"])
    assert run() == 0
    assert read()[1][0] == table(work).find([f"holder 2:{FIRST}"])[f"holder 2:{FIRST}"]


@pytest.mark.parametrize(
    ("cell", "country", "identity"),
    [
        ("'+252615000001", None, FIRST),
        ("tel:+252615000001", None, FIRST),
        ("252615000001.0", None, FIRST),
        ("00252615000001", None, FIRST),
        ("0615000001", "so", FIRST),
        ("615000001", "SO", FIRST),
        # In national form, and nobody says of which country: another id than its SMS have.
        ("0615000001", None, None),
        ("615000001", None, None),
        # Numbers that a spreadsheet cut, and what is none.
        ("2.52615E+11", "SO", None),
        ("252615000001.5", None, None),
        ("378", "SO", None),
        ("Amina", "SO", None),
        ("", "SO", None),
        ("252615000001 252615000002", None, None),
        ("avf-phone-uuid-0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11", None, None),
    ],
)
def test_a_number_is_read_as_spreadsheets_write_it_or_not_at_all(work, capsys, cell, country, identity):
    write("a.csv", f"Message,Sender\nx,{SECOND}\ny,{cell}\n")
    options = () if country is None else ("--country", country)
    if identity is None:
        assert run(*options) == 11
        told = capsys.readouterr().err
        assert "a.csv, column 'Sender': 1 of 2 rows have no usable phone number: line 3, row 3; expected" in told
        assert not cell or cell not in told
        assert files_in(work) == {"a.csv"}
        # Nothing was asked of the table, which gives a uid to whoever is asked for.
        assert not (work / "embedded").exists()
    else:
        assert run(*options) == 0
        assert read()[2][1] == table(work).find([identity])[identity]


@pytest.mark.parametrize(("choice", "cells"), [("leave-out", ["haa"]), ("blank", ["haa", "maya"])])
def test_rows_without_a_number_are_told_of_and_treated_as_asked(work, caplog, choice, cells):
    write("a.csv", f"Sender,Message\n{FIRST},haa\nAmina,maya\n")
    assert run("--without-number", choice) == 0
    assert [row[1] for row in read()[1:]] == cells
    assert read()[-1][0] != "Amina"
    assert "1 row without a usable phone number: line 3, row 3" in caplog.text
    assert "Amina" not in caplog.text


def test_numbers_in_texts_are_masked_if_asked_and_told_of_otherwise(work, caplog):
    write("a.csv", f"Sender,Message,Note\n{FIRST},wac 061 500 0003,25 jir\n{SECOND},maya,+252615000003\n")
    assert run("--mask-texts", "Message") == 0
    assert read()[1][1:] == ["wac [phone number]", "25 jir"]
    assert "a.csv, column 'Note': what looks like a phone number stays as it is in 1 cell; --mask-texts" in caplog.text
    assert "column 'Message'" not in caplog.text
    check_nothing_shown(caplog.text)


@pytest.mark.parametrize(
    ("name", "encoding", "separator", "options"),
    [
        ("b.tsv", "utf-16", "\t", ()),
        ("b.txt", "utf-8-sig", "|", ()),
        ("b.CSV", "cp1252", ";", ("--encoding", "cp1252")),
    ],
)
def test_every_form_becomes_a_csv(work, name, encoding, separator, options):
    rows = ["A report", separator.join(("Sender", "Message")), separator.join((FIRST, f'"caf\xe9{separator} haa"'))]
    write(name, "\r\n".join(rows), encoding)
    assert run(*options, "--output", "out.csv", files=(name,)) == 0
    uid = table(work).find([FIRST])[FIRST]
    text = f"caf\xe9{separator} haa"
    assert Path("out.csv").read_text(encoding="utf-8") == f"Sender,Message\n{uid},{text}\n"


def test_a_workbook_becomes_a_csv(work, capsys):
    workbook = openpyxl.Workbook()
    workbook.active.title = "MO"
    # As workbooks have it, without a zone.
    at = datetime(2026, 8, 26, 10, 5)  # noqa: DTZ001
    for cells in (["A report"], ["Sender", "Message", "On"], [252615000001, "haa", at]):
        workbook.active.append(cells)
    workbook.create_sheet("notes")
    workbook.save("b.xlsx")
    assert run("--output", "out.csv", files=("b.xlsx",)) == 11
    assert run("--output", "out.csv", "--sheet", "MO", files=("b.xlsx",)) == 0
    assert read("out.csv")[1] == [table(work).find([FIRST])[FIRST], "haa", "2026-08-26 10:05:00"]
    check_nothing_shown("".join(capsys.readouterr()))


def test_several_files_are_all_checked_before_one_is_written(work, capsys):
    write("b.csv", "Sender,Message\nAmina,haa\n")
    write("c.csv", f"Mobile,Message\n{SECOND},haa\n")
    assert run(files=("b.csv", "a.csv", "c.csv")) == 11
    told = capsys.readouterr().err
    assert "b.csv, column 'Sender': 1 of 1 rows" in told
    assert "c.csv, row 1: no column 'Sender'" in told
    assert files_in(work) == {"a.csv", "b.csv", "c.csv"}
    write("b.csv", f"Sender,Message\n{SECOND},haa\n")
    assert run(files=("a.csv", "b.csv")) == 0
    assert read("b_deidentified.csv")[1][0] == read()[2][0]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("Mobile,Message\n252615000001,haa\n", "row 1: no column 'Sender'"),
        ("252615000001,haa\n", "row 1: no column 'Sender'"),
        ("Sender,Message\n", "a header and no row below it"),
        (f"Sender,Message,{SECOND}\n252615000001,haa,\n", "the name of column 3 holds a phone number"),
        ("Sender,Calls of 0615 000 002\n252615000001,haa\n", "the name of column 2 holds a phone number"),
        ("Sender,Message\n252615000001,haa,maya\n", "line 2, row 2: 3 cells; expected 2"),
        ('Sender,Message\n252615000001,"haa\n252615000002,maya\n', "line 2: not CSV: a quotation mark"),
        ('Sender,Message\n252615000001,"haa\n252615000002,"\n', "line 2, row 2: a column holds the rows that follow"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_and_nothing_is_shown(work, capsys, content, found):
    write("a.csv", content)
    assert run() == 11
    told = capsys.readouterr().err
    assert found in told
    check_nothing_shown(told)
    assert files_in(work) == {"a.csv"}


def test_places_where_no_number_may_lie_and_files_that_are_there_are_refused(work, capsys):
    (work / "root" / "Raw Data").mkdir(parents=True)
    (work / "root" / "State").mkdir()
    for place in ("root/a.csv", "root/State/a.csv", "root/Raw Data/a.csv"):
        write(place, f"Sender\n{FIRST}\n")
        assert run(files=(place,)) == 2
        assert "in a data root" in capsys.readouterr().err
    assert run("--output", "root/new.csv") == 2
    Path("link").symlink_to("root")
    assert run("--output", "link/new.csv") == 2
    write("a_deidentified.csv", "mine")
    assert run() == 2
    assert "exists already" in capsys.readouterr().err
    assert Path("a_deidentified.csv").read_text() == "mine"
    write("a.xls", "")
    for wrong in (("b.csv",), ("a.xls",), ("a.csv", "key.json")):
        assert run(files=wrong) == 2
    assert run("--country", "Somalia", "--output", "o.csv") == 2
    assert run("--mask-texts", "Sender", "--output", "o.csv") == 2
    assert run("--output", "o.csv", files=("a.csv", "a.csv")) == 2


def test_a_process_that_is_killed_leaves_no_half_file_and_no_number(work):
    write("a.csv", "Sender,Message\n" + "".join(f"25261{number:07},haa\n" for number in range(15_000)))
    program = """
        import os, signal, sys
        from engagement.desk.de_identification import tables
        from engagement.__main__ import main
        encode, count = tables.encode_line, 0
        def dying(cells):
            global count
            count += 1
            if count == 12_000:
                os.kill(os.getpid(), signal.SIGKILL)
            return encode(cells)
        tables.encode_line = dying
        main(sys.argv[1:])
    """
    arguments = ["de-identify", "a.csv", "--column", "Sender", "--table", "SHOW", "--credentials", "key.json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    assert files_in(work) == {"a.csv", "a_deidentified.csv.partial"}
    content = (work / "a_deidentified.csv.partial").read_bytes()
    assert content.startswith(b"Sender,Message\n")
    assert re.search(rb"25261[0-9]{7}", content) is None
    assert stat.S_IMODE((work / "a_deidentified.csv.partial").stat().st_mode) == 0o600
    assert run() == 0
    assert files_in(work) == {"a.csv", "a_deidentified.csv"}
    assert len(read()) == 15_001


def test_the_table_is_asked_in_batches(work, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    sizes = []
    find = EmbeddedUuidTable.find
    monkeypatch.setattr(EmbeddedUuidTable, "find", lambda self, ids: (sizes.append(len(ids)), find(self, ids))[1])
    monkeypatch.setattr(tables, "_ROWS_A_BATCH", 100)
    write("a.csv", "Sender\n" + "".join(f"25261{number:07}\n" for number in range(350)))
    assert run() == 0
    assert max(sizes) == 100
    assert "a_deidentified.csv: 350 rows written" in caplog.text
