"""Recovered messages as CSV, fetched end to end."""

import hashlib
import json

import pytest

from engagement.foundation.csv_cells import read_lines
from engagement.foundation.errors import InputError, ServiceError
from engagement.provenance import HIDDEN
from recovered_files import check_manifest, put

CSV = """\
Sender,Message,ReceivedOn
avf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11,"haa, waan
arkay",02/03/2026 08:15
avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,=1+1,01/03/2026 23:59:30
"""


class TestRecoveryCSV:
    @pytest.fixture(autouse=True)
    def source(self, project):
        project.sources = [{"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/s00e02.csv"]}]
        put(project, "s00e02.csv", CSV)

    def test_messages_become_records_in_order_of_time(self, project):
        project.fetch()
        key = ["avf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11", 1772428500000000, "haa, waan\narkay", 1]
        first, second = (record.values for record in project.read("s00e02"))
        assert (first["message"], first["received_on"]) == ("=1+1", "2026-03-01T23:59:30+03:00")
        assert second == {
            "avf_phone_id": "avf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11",
            "message": "haa, waan\narkay",
            "received_on": "2026-03-02T08:15:00+03:00",
            "run_id": hashlib.sha256(json.dumps(key).encode()).hexdigest(),
        }

    def test_lines_of_messages_that_are_held_stay(self, project):
        project.fetch()
        before = project.file("s00e02").read_bytes()
        stamp = project.file("s00e02").stat().st_mtime_ns
        project.fetch(user="somebody-else@example.org")
        assert project.file("s00e02").stat().st_mtime_ns == stamp
        put(project, "s00e02.csv", CSV + "avf-phone-uuid-30000000-53a4-4f6e-9a57-0d7c0a1f6f11,cusub,03/03/2026 10:00\n")
        project.fetch(user="somebody-else@example.org")
        after = project.file("s00e02").read_bytes()
        assert after.startswith(before)
        assert after.count(b"somebody-else") == 1
        check_manifest(project, "s00e02")

    def test_a_message_that_is_the_mark_that_hides_a_key_is_a_message(self, project):
        put(
            project,
            "s00e02.csv",
            CSV + f"avf-phone-uuid-30000000-53a4-4f6e-9a57-0d7c0a1f6f11,{HIDDEN},03/03/2026 10:00\n",
        )
        project.fetch()
        assert project.read("s00e02")[-1].values["message"] == f"'{HIDDEN}"

    def test_a_row_that_stands_twice_is_two_messages(self, project, caplog):
        put(
            project,
            "s00e02.csv",
            CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,=1+1,01/03/2026 23:59:30\n",
        )
        project.fetch()
        runs = [record.values for record in project.read("s00e02")]
        assert [run["message"] for run in runs] == ["=1+1", "=1+1", "haa, waan\narkay"]
        assert len({run["run_id"] for run in runs}) == 3
        assert "1 row with the sender, the time and the text of another" in caplog.text

    def test_a_byte_order_mark_and_windows_line_ends_are_read(self, project):
        put(project, "s00e02.csv", "\ufeff" + CSV.replace("\n", "\r\n"))
        project.fetch()
        assert [record.values["message"] for record in project.read("s00e02")] == ["=1+1", "haa, waan\r\narkay"]

    def test_phone_numbers_and_dates_are_told_by_row_and_column_all_at_once_and_never_shown(self, project):
        bad = (
            "Sender,Message,ReceivedOn\n"
            "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,haa,01/03/2026 10:00\n"
            "+252 61 5000001,maya,2026-03-01T10:00\n"
            "Amina,haa,31/02/2026 10:00\n"
        )
        put(project, "s00e02.csv", bad)
        with pytest.raises(InputError) as refused:
            project.fetch()
        text = str(refused.value)
        assert text.startswith("gs://recovered/s00e02.csv: 4 problem(s):")
        assert "row 3, column 'Sender': looks like a phone number; expected 'avf-phone-uuid-<uuid>'. Replace" in text
        assert "row 3, column 'ReceivedOn': not a date of this form; expected dd/mm/YYYY HH:MM" in text
        assert "row 4, column 'Sender': is no participant's uuid" in text
        assert "row 4, column 'ReceivedOn'" in text
        assert not any(secret in text for secret in ("5000001", "Amina", "maya", "2026-03-01"))
        assert not list(project.data_root.rglob("*s00e02*"))

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ("", "row 1: no column 'Sender', 'Message', 'ReceivedOn'"),
            ("+252615000001,haa,01/03/2026 10:00\n", "row 1: no column"),
            ("Sender,Message\n", "row 1: no column 'ReceivedOn'"),
            (
                CSV.encode() + b"avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,\xe9,01/03/2026 10:00\n",
                "line 5: not UTF-8",
            ),
            (CSV + 'avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,"haa"x,01/03/2026 10:00\n', "line 5: not CSV"),
            (
                CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,haa\n",
                "line 5, row 4: 2 cells; expected 3, as in the header",
            ),
            (CSV + "haa\n", "line 5, row 4: 1 cell; expected 3"),
            (
                CSV.replace("Sender", " sender "),
                "row 1: no column 'Sender'; expected 'Sender', 'Message', 'ReceivedOn', with a comma, a semicolon, a tab or | between them. Rename column 1, ' sender ', to 'Sender'.",
            ),
            (
                CSV.replace(",", ";").lower(),
                "Rename column 1, 'sender', to 'Sender' and column 2, 'message', to 'Message' and column 3, 'receivedon', to 'ReceivedOn'.",
            ),
            (CSV.replace("ReceivedOn", "Received On"), "Rename column 3, 'Received On', to 'ReceivedOn'."),
            # It may be a name that somebody wrote, where the header is missing.
            (CSV.replace("Sender", "Amender"), "Rename column 1, which is almost it, to 'Sender'."),
            # A quotation mark that is not closed in the last row.
            (
                CSV + 'avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,"haa,01/03/2026 10:00\n',
                "line 5: not CSV: a quotation mark opens a cell and is not closed; expected one behind the text as well. Close the quotation mark",
            ),
            (
                CSV + 'avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,"haa"x,01/03/2026 10:00\n',
                "line 5: not CSV: text stands behind the quotation mark that closes a cell",
            ),
            (
                CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11," + "a" * 200_000 + ",01/03/2026 10:00\n",
                "line 5: not CSV: a cell has more than 131072 characters",
            ),
        ],
    )
    def test_what_is_no_such_csv_is_told(self, project, content, found):
        # The limit of a cell is one for the whole process, and other readers raise it.
        list(read_lines([]))
        put(project, "s00e02.csv", content)
        with pytest.raises(InputError, match=r"gs://recovered/s00e02\.csv") as refused:
            project.fetch()
        assert found in str(refused.value)
        assert not any(secret in str(refused.value) for secret in ("252615000001", "Amender", "haa"))

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            # A text with a comma that nobody quoted: its end would be lost.
            (CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,biyo, dugsi,01/03/2026 10:00\n", "line 5, row 4: 4 cells; expected 3"),
            ("ReceivedOn,Sender,Message\n01/03/2026 10:00,avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,biyo, dugsi\n", "line 2, row 2: 4 cells; expected 3"),
            (CSV.replace("Message", "Sender", 1), "row 1: no column 'Message'"),
            (CSV.replace("ReceivedOn", "ReceivedOn,Message", 1), "row 1: column 'Message' stands there more than once"),
            (CSV.replace("ReceivedOn", "ReceivedOn,Note,Note", 1), "row 1: column number 4 stands there more than once"),
            ("Sender,Message,ReceivedOn\n", "row 1: a header and no row below it; expected at least one row"),
            (CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11;biyo;01/03/2026 10:00\n", "line 5, row 4: a semicolon stands between its cells; expected a comma"),
            (CSV.replace(",", ";") + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,biyo,01/03/2026 10:00\n", "row 4: a comma stands between"),
            # A quotation mark that is not closed takes in what follows.
            (CSV + 'avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,"biyo,01/03/2026 10:00\navf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11,haa,01/03/2026 10:00\n', "line 5: not CSV: a quotation mark opens a cell"),
            (
                CSV + 'avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,"biyo,01/03/2026 10:00\navf-participant-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11,"haa",01/03/2026 10:00\n',
                "line 5: not CSV: a quotation mark opens a cell that goes on to line 6",
            ),
            (
                CSV + 'avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,"biyo,01/03/2026 10:00\navf-participant-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11,",01/03/2026 10:00\n',
                "line 5, row 4: column 'Message' holds the rows that follow",
            ),
            (CSV + f"avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,{'a' * 10_001},01/03/2026 10:00\n", "line 5, row 4: column 'Message' has 10001 characters"),
            (CSV + f"avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,{'a' * 200_000},01/03/2026 10:00\n", "line 5"),
            (CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,a\0b,01/03/2026 10:00\n", "line 5: a character that is no text (NUL)"),
            (CSV.encode("utf-16-le"), "line 1: a character that is no text (NUL), as in UTF-16 without its byte order mark"),
            (b"\xff\xfe" + CSV.encode("utf-16-le") + b"\x00\xd8\n\x00", "line 5: not UTF-16"),
            ((CSV + "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,caf\xe9,01/03/2026 10:00\n").encode("cp1252"), "in Excel as 'CSV UTF-8"),
        ],
    )  # fmt: skip
    def test_a_row_that_is_not_whole_is_refused_and_nothing_of_it_is_shown(self, project, content, found):
        put(project, "s00e02.csv", content)
        with pytest.raises(InputError, match=r"gs://recovered/s00e02\.csv") as refused:
            project.fetch()
        assert found in str(refused.value)
        assert not any(secret in str(refused.value) for secret in ("biyo", "dugsi", "haa", "caf"))
        assert not list(project.data_root.rglob("*s00e02*"))

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_separators_and_encodings_of_spreadsheets_make_the_same_messages(self, project, separator, encoding):
        project.fetch()
        before = project.file("s00e02").read_bytes()
        cells = CSV.replace('"haa, waan\narkay"', "TEXT").replace(",", separator).replace("TEXT", '"haa, waan\narkay"')
        put(project, "s00e02.csv", cells.encode(encoding))
        project.fetch()
        assert project.file("s00e02").read_bytes() == before

    def test_empty_rows_and_cells_that_spreadsheets_add_are_read_over(self, project):
        project.fetch()
        before = project.file("s00e02").read_bytes()
        put(project, "s00e02.csv", CSV.replace("23:59:30", "23:59:30,, ") + ",,\n , ,,,\n")
        project.fetch()
        assert project.file("s00e02").read_bytes() == before

    def test_empty_columns_that_spreadsheets_add_are_read_over(self, project):
        put(
            project,
            "s00e02.csv",
            "Sender;Message;ReceivedOn;;\navf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11;haa;01/03/2026 10:00;;\n",
        )
        project.fetch()
        assert [record.values["message"] for record in project.read("s00e02")] == ["haa"]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("01/03/2026 24:00", "2026-03-02T00:00:00+03:00"),
            ("31/12/2026 24:00:00", "2027-01-01T00:00:00+03:00"),
            ("2026-03-01T10:00:00+03:00", "2026-03-01T10:00:00+03:00"),
            ("2026-03-01T07:00:00Z", "2026-03-01T10:00:00+03:00"),
            ("2026-03-01 07:00:00.250+00:00", "2026-03-01T10:00:00.250000+03:00"),
            ("2026-03-01T24:00:00+03:00", "2026-03-02T00:00:00+03:00"),
        ],
    )
    def test_times_are_read_in_every_form(self, project, written, read):
        put(
            project,
            "s00e02.csv",
            f"Sender,Message,ReceivedOn\navf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,haa,{written}\n",
        )
        project.fetch()
        assert [record.values["received_on"] for record in project.read("s00e02")] == [read]

    @pytest.mark.parametrize(
        "written",
        ["2026-03-01T10:00:00", "03/31/2026 10:00", "01/03/2026 25:00", "01/03/2026 24:01", "01/01/0001 00:00", "31/12/9999 24:00",
         "9999-12-31T24:00:00+03:00", "0001-01-01T00:00:00+03:00", "01/03/26 10:00", ""],
    )  # fmt: skip
    def test_times_of_other_forms_are_refused(self, project, written):
        put(
            project,
            "s00e02.csv",
            f"Sender,Message,ReceivedOn\navf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,haa,{written}\n",
        )
        with pytest.raises(
            InputError, match="line 2, row 2, column 'ReceivedOn': not a date of this form; expected dd/mm/YYYY"
        ):
            project.fetch()

    def test_keys_of_its_own_tell_a_source_from_others(self, project):
        project.sources[0]["Keys"] = {"Text": "gender_text", "Time": "gender_on", "RunID": "gender_run"}
        project.fetch()
        first, _ = (record.values for record in project.read("s00e02"))
        assert set(first) == {"avf_phone_id", "gender_text", "gender_on", "gender_run"}
        assert (first["gender_text"], first["gender_on"]) == ("=1+1", "2026-03-01T23:59:30+03:00")

    def test_a_file_that_shrank_replaces_nothing(self, project):
        project.fetch()
        put(project, "s00e02.csv", CSV[: CSV.rindex("avf-")])
        with pytest.raises(ServiceError, match="s00e02: 1 run, 2 before"):
            project.fetch()
        assert len(project.read("s00e02")) == 2
        project.fetch("--accept-shrinkage")
        assert len(project.read("s00e02")) == 1
