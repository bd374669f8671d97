"""Recovered messages that come again: exports that overlap, were saved again, or were fetched by an earlier version."""

import hashlib
import json

import pytest

from engagement.foundation.errors import ConfigurationError, InputError
from engagement.provenance import Metadata, encode_fresh_chain
from fetch_project import FetchProject

HEADER = "Sender,Message,ReceivedOn\n"
AMINA = "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11"
BILAN = "avf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11"


@pytest.fixture
def project(tmp_path):
    project = FetchProject(tmp_path, "no-rapidpro.invalid")
    (tmp_path / "embedded" / "storage" / "recovered").mkdir(parents=True)
    set_files(project, "a")
    return project


def set_files(project, *names, **settings):
    urls = [f"gs://recovered/{name}.csv" for name in names]
    project.sources = [{"SourceType": "RecoveryCSV", "ActivationFlowURLs": urls, **settings}]


def put(project, name, *rows, header=HEADER, encoding="utf-8"):
    path = project.folder / "embedded" / "storage" / "recovered" / f"{name}.csv"
    path.write_bytes((header + "".join(f"{row}\n" for row in rows)).encode(encoding))


def ids(project, name):
    return [record.values["run_id"] for record in project.read(name)]


def times(project, name):
    return [record.values["received_on"] for record in project.read(name)]


def earlier_line(**cells):
    """A line as earlier versions made it, from the cells of a row."""
    run_id = hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()
    day, clock = cells["ReceivedOn"].split()
    time = f"{'-'.join(reversed(day.split('/')))}T{clock if clock.count(':') == 2 else clock + ':00'}+03:00"
    data = {"avf_phone_id": cells["Sender"], "message": cells["Message"], "received_on": time, "run_id": run_id}
    return encode_fresh_chain([(data, Metadata("earlier", "2025-01-01T00:00:00+00:00", "somebody"))]) + "\n"


def hold(project, name, *lines):
    project.file(name).parent.mkdir(parents=True, exist_ok=True)
    project.file(name).write_text("".join(sorted(lines, key=lambda line: json.loads(line)[0]["Data"]["received_on"])))


class TestTheSameMessages:
    def test_a_message_sent_twice_in_a_minute_is_two_and_they_stay_when_rows_change_places(self, project):
        rows = [f"{AMINA},1,26/08/2026 08:15", f"{BILAN},1,26/08/2026 08:15", f"{AMINA},1,26/08/2026 08:15"]
        put(project, "a", *rows)
        project.fetch()
        before = project.file("a").read_bytes()
        assert len(set(ids(project, "a"))) == 3
        put(project, "a", *reversed(rows))
        project.fetch()
        assert project.file("a").read_bytes() == before

    def test_overlapping_exports_have_the_same_ids_for_what_they_share(self, project):
        set_files(project, "a", "b")
        put(project, "a", f"{AMINA},1,26/08/2026 08:15", f"{AMINA},1,26/08/2026 08:15", f"{BILAN},haa,26/08/2026 09:00")
        # Saved again by another program: other spelling of the time, a further column, other order, other line ends.
        put(
            project,
            "b",
            f'26/08/2026 08:15:00\t{AMINA}\t378\t"1"\r',
            f'26.08.2026 10:00:00\t{BILAN}\t378\t"maya"\r',
            header="ReceivedOn\tSender\tReceiver\tMessage\r\n",
            encoding="utf-16",
        )
        project.fetch()
        assert len(ids(project, "a") + ids(project, "b")) == 5
        # As many as the file with most of them has: two "1" and not three.
        assert len({*ids(project, "a"), *ids(project, "b")}) == 4

    def test_line_ends_in_a_text_that_a_program_changed_make_no_other_message(self, project):
        set_files(project, "a", "b")
        put(project, "a", f'{AMINA},"haa\nwaan",26/08/2026 08:15')
        put(project, "b", f'{AMINA},"haa\r\nwaan",26/08/2026 08:15')
        project.fetch()
        assert ids(project, "a") == ids(project, "b")
        assert project.read("b")[0].values["message"] == "haa\r\nwaan"

    def test_files_that_were_joined_with_their_headers_are_read(self, project, caplog):
        put(project, "a", f"{AMINA},1,26/08/2026 08:15", HEADER.strip(), f"{BILAN},1,27/08/2026 08:15")
        project.fetch()
        assert len(ids(project, "a")) == 2
        assert "the header stands 2 times in the file" in caplog.text


class TestWhatAnEarlierVersionFetched:
    def test_no_byte_changes(self, project):
        first = {"Sender": AMINA, "Message": "1", "ReceivedOn": "26/08/2026 08:15", "Receiver": "378"}
        second = {"Sender": BILAN, "Message": "haa, =1+1", "ReceivedOn": "27/08/2026 08:15:30", "Receiver": "378"}
        hold(project, "a", earlier_line(**first), earlier_line(**second))
        before = project.file("a").read_bytes()
        put(
            project,
            "a",
            f"378,{AMINA},1,26/08/2026 08:15",
            f'378,{BILAN},"haa, =1+1",27/08/2026 08:15:30',
            header="Receiver,Sender,Message,ReceivedOn\n",
        )
        project.fetch()
        project.fetch()
        assert project.file("a").read_bytes() == before

    def test_a_repetition_that_it_left_out_is_added_and_the_others_keep_their_ids(self, project):
        row = {"Sender": AMINA, "Message": "1", "ReceivedOn": "26/08/2026 08:15"}
        hold(project, "a", earlier_line(**row))
        (known,) = ids(project, "a")
        for rows in (3, 2, 3):
            put(project, "a", *[f"{AMINA},1,26/08/2026 08:15"] * rows)
            project.fetch("--accept-shrinkage")
            assert len(set(ids(project, "a"))) == rows
            assert known in ids(project, "a")

    def test_another_export_takes_over_the_ids(self, project):
        # The file that was fetched before, a copy that spells the time in another way, and a new one.
        hold(project, "a", earlier_line(Sender=AMINA, Message="1", ReceivedOn="26/08/2026 08:15"))
        hold(project, "b", earlier_line(Sender=AMINA, Message="1", ReceivedOn="26/08/2026 08:15:00"))
        known, doubled = ids(project, "a"), ids(project, "b")
        assert known != doubled
        set_files(project, "a", "b", "c")
        put(project, "a", f"{AMINA},1,26/08/2026 08:15")
        put(project, "b", f"{AMINA},1,26/08/2026 08:15:00")
        put(project, "c", f"{AMINA},1,2026-08-26T05:15:00Z", f"{BILAN},haa,26/08/2026 08:15")
        for _ in range(2):
            project.fetch()
            assert ids(project, "a") == ids(project, "b") == known
            assert known[0] in ids(project, "c")

    def test_two_rows_that_it_told_apart_by_other_columns_stay_two(self, project):
        rows = [{"Sender": AMINA, "Message": "1", "ReceivedOn": "26/08/2026 08:15", "N": n} for n in "12"]
        hold(project, "a", *(earlier_line(**row) for row in rows))
        known = set(ids(project, "a"))
        put(
            project,
            "a",
            f"{AMINA},1,26/08/2026 08:15,1",
            f"{AMINA},1,26/08/2026 08:15,2",
            header="Sender,Message,ReceivedOn,N\n",
        )
        project.fetch()
        assert set(ids(project, "a")) == known

    def test_damaged_lines_are_written_again(self, project):
        hold(project, "a", earlier_line(Sender=AMINA, Message="1", ReceivedOn="26/08/2026 08:15"))
        project.file("a").write_bytes(project.file("a").read_bytes() + b'[{"Data": 1}]\n[]\n\xff\n')
        put(project, "a", f"{AMINA},1,26/08/2026 08:15")
        project.fetch("--accept-shrinkage")
        assert len(ids(project, "a")) == 1


class TestTimes:
    def test_the_order_of_the_date_is_configured(self, project):
        set_files(project, "a", TimeFormat="mm/dd/YY")
        put(project, "a", f"{AMINA},1,8/9/26 8:15", f"{AMINA},2,8/26/26 8:15")
        project.fetch()
        assert times(project, "a") == ["2026-08-09T08:15:00+03:00", "2026-08-26T08:15:00+03:00"]

    def test_one_row_of_another_order_is_refused_by_its_place(self, project):
        set_files(project, "a", TimeFormat="mm/dd/YYYY")
        put(project, "a", f"{AMINA},1,08/26/2026 8:15", f"{AMINA},2,26/08/2026 8:15")
        with pytest.raises(
            InputError, match="line 3, row 3, column 'ReceivedOn': .*; expected mm/dd/YYYY HH:MM .*Mend"
        ):
            project.fetch()

    def test_another_format_that_all_rows_have_is_named(self, project):
        put(project, "a", f"{AMINA},1,08/09/2026 8:15", f"{AMINA},2,08/26/2026 8:15")
        with pytest.raises(InputError, match="line 3, row 3.* All 2 times fit mm/dd/YYYY: set TimeFormat to it"):
            project.fetch()

    def test_a_format_that_alone_fits_is_found_when_asked_and_two_are_refused(self, project):
        set_files(project, "a", TimeFormat="auto")
        put(project, "a", f"{AMINA},1,8/9/26 8:15", f"{AMINA},2,8/26/26 8:15")
        project.fetch()
        assert times(project, "a")[0] == "2026-08-09T08:15:00+03:00"
        put(project, "a", f"{AMINA},1,8/9/26 8:15", f"{AMINA},2,8/10/26 8:15")
        before = project.file("a").read_bytes()
        with pytest.raises(InputError) as refused:
            project.fetch()
        assert "2026-09-08 08:15 if it is dd/mm/YY, 2026-08-09 08:15 if it is mm/dd/YY" in str(refused.value)
        assert project.file("a").read_bytes() == before

    def test_odd_times_are_named_and_taken(self, project, caplog):
        put(project, "a", f"{AMINA},1,26/08/2031 08:15", f"{AMINA},2,26/08/2021 08:15")
        project.fetch()
        assert len(ids(project, "a")) == 2
        assert "Flow 'a': 1 time before ProjectStartDate (line 3, row 3)" in caplog.text
        put(project, "a", f"{AMINA},1,26/08/2091 08:15", f"{AMINA},2,26/08/2026 08:15")
        project.fetch()
        assert "Flow 'a': 1 time in the future (line 2, row 2)" in caplog.text

    def test_another_name_of_a_format_or_an_encoding_is_refused_with_those_that_there_are(self, project):
        put(project, "a", f"{AMINA},1,26/08/2026 08:15")
        for key in ("TimeFormat", "Encoding"):
            set_files(project, "a", **{key: "d/m/y"})
            with pytest.raises(ConfigurationError, match=rf"{key}: 'd/m/y' should be .*(mm/dd/YYYY|cp1252)"):
                project.fetch()


def test_an_encoding_is_read_where_it_is_configured(project):
    put(project, "a", f"{AMINA};caf\xe9;26/08/2026 08:15", header=HEADER.replace(",", ";"), encoding="cp1252")
    with pytest.raises(InputError, match="line 2: not UTF-8 text, it looks like cp1252"):
        project.fetch()
    set_files(project, "a", Encoding="cp1252")
    project.fetch()
    assert project.read("a")[0].values["message"] == "caf\xe9"
