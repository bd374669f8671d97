"""Tables in delimited text: what is read, and what is refused by its line."""

import io
import tracemalloc

import pytest

from engagement.foundation.errors import InputError
from engagement.sources.tables.delimited import DelimitedTable

HEADER = "Sender,Message,ReceivedOn"
WANTED = ("Sender", "Message", "ReceivedOn")


def open_table(content, encoding=None, wanted=WANTED):
    data = content if isinstance(content, bytes) else content.encode()
    return DelimitedTable(io.BytesIO(data), "a.csv", wanted, encoding, is_row=lambda cells: cells[0].startswith("id-"))


def read(content, encoding=None, wanted=WANTED):
    table = open_table(content, encoding, wanted)
    rows = [row.cells for row in table.rows()]
    table.problems.refuse()
    return rows


def refusal(content, encoding=None, wanted=WANTED):
    with pytest.raises(InputError) as refused:
        read(content, encoding, wanted)
    return str(refused.value)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-marked"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_separator_encoding_and_line_end_gives_the_same_cells(separator, encoding, line_end):
    lines = [HEADER.replace(",", separator), separator.join(("id-1", f'"a{separator} caf\xe9 مرحبا"', "x"))]
    text = line_end.join([*lines, ""])
    content = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-marked" else text.encode(encoding)
    assert read(content) == [["id-1", f"a{separator} caf\xe9 مرحبا", "x"]]


def test_the_separator_is_that_of_the_header_alone():
    # The texts have more semicolons than the table has commas.
    assert read(f"{HEADER}\nid-1,a;b;c;d;e;f,x\n") == [["id-1", "a;b;c;d;e;f", "x"]]


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-1", "cp850", "mac-roman", "utf-16-le"])
def test_another_encoding_is_read_where_it_is_configured(encoding):
    assert read(f"{HEADER}\nid-1,caf\xe9,x\n".encode(encoding), encoding)[0][1] == "caf\xe9"


@pytest.mark.parametrize("content", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_mark_and_utf_8_come_before_the_configured_encoding(content):
    assert read(f"{HEADER}\nid-1,caf\xe9,x\n".encode(content), "cp1252")[0][1] == "caf\xe9"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("caf\xe9", "cp1252"), ("it\u2019s", "cp1252"), ("مرحبا بكم", "cp1256"), ("caf\xe9", "cp850")],
)
def test_what_is_no_utf_8_is_refused_with_a_hint_and_never_guessed(text, encoding):
    lines = f"{HEADER}\n" + "id-1,maya,x\r\n" * 20_000 + f"id-2,{text},x\n"
    found = refusal(lines.encode(encoding))
    assert found.startswith(f"a.csv, line 20002: not UTF-8 text, it looks like {encoding}; expected")
    assert f"set Encoding to '{encoding}'" in found
    assert text not in found


def test_bytes_that_the_configured_encoding_lacks_are_refused_by_line():
    assert refusal(f"{HEADER}\nid-1,caf\xe9\x81,x\n".encode("latin-1"), "cp1252").startswith(
        "a.csv, line 2: not cp1252 text"
    )


def test_titles_above_the_header_and_headers_of_joined_files_are_passed_over():
    table = open_table(f"MO report 378\n\n{HEADER}\nid-1,a,x\n\ufeff{HEADER}\n{HEADER},,\nid-2,b,y\n")
    rows = list(table.rows())
    assert [(row.place, row.cells[0]) for row in rows] == [("line 4, row 4", "id-1"), ("line 7, row 7", "id-2")]
    assert (table.repeated_headers, table.problems.count) == (2, 0)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", "row 1: a header and no row below it"),
        (f"{HEADER}\n,,\n", "row 1: a header and no row below it"),
        ("id-1,a,b,x\n", "line 2, row 2: 4 cells; expected 3"),
        ("id-1\n", "line 2, row 2: 1 cell; expected 3"),
        ("id-1|a|x\n", "line 2, row 2: a vertical bar stands between its cells; expected a comma"),
        ("id-1,a\0b,x\n", "line 2: a character that is no text (NUL)"),
        ('id-1,"a,x\nid-2,b,x\n', "line 2: not CSV: a quotation mark opens a cell that goes on to line 3"),
        ('id-1,"a,x\nid-2,b,",x\n', "line 2, row 2: column 'Message' holds the rows that follow"),
        # Rows of which `is_row` knows nothing.
        ('id-1,"a' + "\nz-2,b,y" * 6 + '",x\n', "line 2, row 2: column 'Message' holds the rows that follow"),
        (f"id-1,{'a' * 10_001},x\n", "line 2, row 2: column 'Message' has 10001 characters"),
        (
            'id-1,"' + "b\n" * 40_000 + "c" * 90_000 + "\n",
            "line 2: not CSV: a quotation mark opens a cell that goes on",
        ),
        ("a" * 2_000_000, "line 2: more than 1048576 characters without a line end"),
    ],
)
def test_what_can_not_be_read_is_refused_by_line(body, found):
    assert found in refusal(f"{HEADER}\n{body}")


def test_a_letter_of_many_lines_is_a_text():
    letter = "salaan,\n\n" * 8
    assert read(f'{HEADER}\nid-1,"{letter}",x\n') == [["id-1", letter, "x"]]


def test_all_broken_rows_are_counted_and_twenty_are_named():
    found = refusal(f"{HEADER}\n" + "id-1,a\n" * 25 + "id-1,a,x\n").split("\n")
    assert found[0] == "a.csv: 25 problem(s):"
    assert (len(found), found[20][:17], found[21]) == (22, "  line 21, row 21", "  … and 5 more")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("sender;message;receivedon", "Rename column 1, 'sender', to 'Sender' and column 2"),
        ("Sender,Message", "row 1: no column 'ReceivedOn'"),
        ("Sender,Message,ReceivedOn,Message", "row 1: column 'Message' stands there more than once"),
        ("A title\nSender,Massage,ReceivedOn", "row 2: no column 'Message'"),
        (
            "Sender,Text,ReceivedOn,0712000001",
            "The other columns are 'Text'. Make the names in the file and those asked for the same.",
        ),
        # One column alone may be a message, and the others a participant's.
        ("Amina,Message", "Name the columns in the first row, or ask for those that it has."),
    ],
)
def test_a_header_without_all_columns_is_refused(header, found):
    told = refusal(f"{header}\nid-1,a,x\n")
    assert found in told
    assert "Amina" not in told
    assert "0712000001" not in told


def test_a_quotation_mark_across_blocks_and_letters_across_blocks_are_whole():
    # Blocks end within letters and within line ends.
    for shift in range(4):
        text = "é" * 40_000
        rows = read(f"{HEADER}\r\n{'x' * shift},b,c\r\n" + f"id-1,{text[:9000]},x\r\n" * 20)
        assert [row[1] for row in rows[1:]] == [text[:9000]] * 20


def test_a_large_file_takes_little_memory():
    class Endless(io.RawIOBase):
        """A file of 5 MB that is made when it is read."""

        def __init__(self):
            self.position, self.line = 0, b"id-1,some text that people send,01/03/2026 10:00\n"

        def readable(self):
            return True

        def seek(self, position, whence=0):
            self.position = position
            return position

        def read(self, size=-1):
            if self.position == 0:
                self.position = 1
                return f"{HEADER}\n".encode()
            if self.position * len(self.line) * 1000 > 5_000_000:
                return b""
            self.position += 1
            return self.line * 1000

    table = DelimitedTable(Endless(), "a.csv", WANTED)
    tracemalloc.start()
    count = sum(1 for _ in table.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count > 90_000
    assert peak < 1_500_000
