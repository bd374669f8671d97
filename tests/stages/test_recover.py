"""What a telecom received and RapidPro lacks is found, and comes in through a recovery file."""

import json
import re
import stat
from datetime import datetime, timedelta

import openpyxl
import pytest

from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS
from engagement.pipeline.messages.recovered import drop_known_messages
from engagement.provenance import TracedData
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from recovery_project import METADATA, NUMBERS, START, Recovery


@pytest.fixture
def work(tmp_path):
    return Recovery(tmp_path)


def traced(values):
    record = TracedData()
    record.append(values, METADATA)
    return record


def message(number, text, seconds=0):
    return NUMBERS[number], text, START + timedelta(seconds=seconds)


def later(messages, seconds=30):
    return [(number, text, time + timedelta(seconds=seconds)) for number, text, time in messages]


def test_missing_messages_come_in_once_and_are_known_then(work, capsys):
    sent = [message(number, f"jawaab {number}", 60 * number) for number in range(10)]
    work.export(sent)
    work.arrive(later(sent[:4] + sent[7:]))
    assert work.recover() == 0
    assert [text for text, _ in work.written()] == ["jawaab 4", "jawaab 5", "jawaab 6"]
    assert work.rows()[0] == {
        "Sender": work.uid(NUMBERS[4]), "Message": "jawaab 4", "ReceivedOn": "2026-03-02T08:04:00+03:00",
    }  # fmt: skip
    assert stat.S_IMODE(work.output.stat().st_mode) == 0o600
    out = capsys.readouterr().out
    assert "10 messages received by the telecom: 7 in RapidPro, 0 there late, 0 recovered before, 3 missing" in out
    assert "Outage from 2026-03-02 08:04 to 2026-03-02 08:06: 3 messages" in out
    assert re.search(r"2026-03-02 +10 +7 +- +- +3 +-\n +08:00 +10 +7 +- +- +3 +-\n", out)

    recovery = {"SourceType": "RecoveryCSV", "ActivationFlowURLs": [work.output.as_uri()], "SurveyFlowURLs": []}
    work.project.sources = [recovery]
    work.project.fetch()
    work.project.sources = [work.project.source, recovery]
    work.project.arguments()
    work.output.unlink()
    assert work.recover() == 0
    assert not work.output.exists()
    assert "7 in RapidPro, 0 there late, 3 recovered before, 0 missing" in capsys.readouterr().out
    names = [path for path in work.folder.rglob("*") if path.is_file() and path.name != "export.csv"]
    assert not [path for path in names if b"25261550" in path.read_bytes()]


@pytest.mark.parametrize(
    ("exported", "arrived"),
    [
        ("waa caf? fiican", "waa café fiican"),
        ("mahadsanid ???? dhammaan", "mahadsanid 🙏🏾 dhammaan"),
        ("laba sadar", "laba\n  sadar"),
        ("HAA", "haa"),
        ("biyo &amp; nabad", "biyo & nabad"),
        ("x" * 160, "x" * 300),
        ("7", "007"),
        ("#NAME?", "=1+1"),
        ("2.52615E+11", "252615000001"),
        ("waxaan rabnaa biyo", "waxaan rabnaa, “biyo”!"),
    ],
)
def test_texts_that_lost_something_on_the_way_are_not_missing(work, exported, arrived):
    work.export([message(0, exported), message(1, "kale")])
    work.arrive(later([message(0, arrived), message(1, "kale")]))
    assert work.recover() == 0
    assert not work.output.exists()


@pytest.mark.parametrize(
    ("exported", "arrived"), [("haa", "maya"), ("1", "11"), ("?", "biyo"), ("waan", "waan imanayaa"), ("", "haa")]
)
def test_other_texts_are_missing(work, exported, arrived):
    work.export([message(0, exported)])
    work.arrive(later([message(0, arrived)]))
    assert work.recover() == 0
    assert len(work.written()) == 1


def test_a_text_sent_several_times_is_matched_one_to_one(work):
    work.export([message(0, "1", 0), message(0, "1", 240), message(0, "1", 3600)])
    # The second is nearer to the first's arrival, and yet both are there.
    work.arrive([message(0, "1", 230), message(0, "1", 700)])
    assert work.recover() == 0
    assert work.written() == [("1", "2026-03-02T09:00:00+03:00")]


def test_stage_3_keeps_a_missing_message_beside_one_that_arrived(work):
    work.export([message(0, "1", 0), message(0, "1", 60)])
    work.arrive([message(0, "1", 90)])
    assert work.recover() == 0
    # Alone, the missing one would be taken for the one that arrived.
    rows = work.rows()
    assert len(rows) == 2
    text, time, run_id = DEFAULT_RECOVERED_KEYS
    recovered = [
        traced({text: row["Message"], time: row["ReceivedOn"], run_id: str(number)}) for number, row in enumerate(rows)
    ]
    own = traced({"Answer (Text) - s01e01": "1", "Answer (Time) - s01e01": message(0, "1", 90)[2].isoformat()})
    assert len(drop_known_messages([own, *recovered], [], (DEFAULT_RECOVERED_KEYS,), METADATA)) == 2


def test_what_arrived_twice_is_doubled_and_one_message_in_two_flows_is_not(work, capsys):
    work.export([message(0, "haa"), message(1, "maya")])
    work.arrive(later([message(0, "haa"), message(0, "haa")]))
    work.arrive(later([message(1, "maya")]), is_twice=True)
    assert work.recover("--dry-run") == 0
    out = capsys.readouterr().out
    assert "2 messages received by the telecom: 2 in RapidPro" in out
    assert "1 message in RapidPro once more" in out


def test_late_ones_are_told_and_count_as_arrived_if_asked(work, capsys):
    work.export([message(0, "biyo ayaan rabnaa")])
    work.arrive([message(0, "biyo ayaan rabnaa", 9 * 86_400)])
    assert work.recover() == 0
    assert "1 missing message may have arrived late" in capsys.readouterr().out
    work.output.unlink()
    assert work.recover("--late", "30d") == 0
    assert not work.output.exists()


def test_exports_that_overlap_count_once_and_repeated_rows_stay(work, capsys):
    work.arrive([message(9, "x")])
    first, second = message(0, "haa"), message(1, "haa", 60)
    work.export([first, first], "a.csv")
    work.export([first, second], "b.csv")
    assert work.recover(exports=("a.csv", "b.csv")) == 0
    assert len(work.written()) == 3
    work.output.unlink()
    assert work.recover("--repeated-rows", "leave-out", exports=("a.csv", "b.csv")) == 0
    assert len(work.written()) == 2


def test_single_losses_are_no_outage(work, capsys):
    sent = [message(number % 20, f"t{number}", 60 * number) for number in range(60)]
    work.export(sent)
    work.arrive([one for number, one in enumerate(sent) if number % 10])
    assert work.recover("--dry-run") == 0
    assert "No outage: what is missing got lost one by one." in capsys.readouterr().out


def test_where_nothing_arrived_it_asks_whether_these_days_were_fetched(work, capsys):
    work.arrive([message(0, "hore", -40 * 86_400)])
    work.export([message(number, f"t{number}", number) for number in range(2)])
    assert work.recover("--dry-run") == 0
    told = capsys.readouterr().out
    assert "None of these messages arrived. Before you recover them, make sure" in told
    assert "one by one" not in told


def test_other_receivers_are_left_out_and_not_named_they_stop(work, capsys):
    work.arrive([message(9, "x")])
    work.export([message(0, "haa")])
    text = (work.folder / "export.csv").read_text()
    (work.folder / "export.csv").write_text(text + text.splitlines()[1].replace("378", "999") + "\n")
    assert work.recover() == 11
    assert "'Receiver': messages to 2 receivers: 378, 999; expected one." in capsys.readouterr().err
    assert work.recover("--receiver", "378") == 0
    assert len(work.written()) == 1
    work.output.unlink()
    assert work.recover("--receiver", "400") == 11


def test_nothing_is_written_in_a_dry_run_and_nobody_gets_a_uid(work):
    work.arrive([message(9, "x")])
    work.export([message(0, "haa")])
    assert work.recover("--dry-run", "--chart", str(work.folder / "a.svg")) == 0
    assert not {"recovered.csv", "a.svg"} & {path.name for path in work.folder.iterdir()}
    assert not EmbeddedUuidTable(work.folder / "embedded", "PROJECT").find([NUMBERS[0]])


def test_a_chart_shows_the_hours(work):
    work.arrive([message(9, "x")])
    work.export([message(number, "haa", 3600 * number) for number in range(4)])
    chart = work.folder / "traffic.svg"
    assert work.recover("--chart", str(chart)) == 0
    drawn = chart.read_text()
    assert "Missing" in drawn
    assert "02 Mar 09:00" in drawn
    assert "Nothing arrived from 2026-03-02 08:00 to 2026-03-02 11:00: 4 messages." in drawn


def test_another_uuid_table_is_refused(work, capsys):
    work.arrive([message(0, "haa")])
    work.export([message(0, "haa")])
    for path in (work.folder / "embedded").glob("uuid_tables.*"):
        path.unlink()
    assert work.recover() == 10
    assert "it knows none of 1 participants" in capsys.readouterr().err


class TestRefusals:
    @pytest.fixture(autouse=True)
    def one(self, work):
        work.arrive([message(9, "x")])
        work.export([message(0, "haa")])

    def refused(self, work, capsys, status, *options, **more):
        assert work.recover(*options, **more) == status
        error = capsys.readouterr().err
        assert "25261550" not in error
        assert "haa" not in error
        return error

    def test_an_existing_file_stays(self, work, capsys):
        work.output.write_text("mine")
        assert "exists already" in self.refused(work, capsys, 2)
        assert work.output.read_text() == "mine"

    def test_an_export_or_a_new_file_in_the_data_root(self, work, capsys):
        (work.folder / "export.csv").rename(work.folder / "data root" / "export.csv")
        assert "in the data root" in self.refused(work, capsys, 2, exports=("data root/export.csv",))
        work.export([message(0, "haa")])
        work.output = work.folder / "data root" / "new.csv"
        assert "in the data root" in self.refused(work, capsys, 2)

    def test_no_data_yet(self, work, capsys):
        for path in work.raw.iterdir():
            path.unlink()
        assert "nothing in Raw Data" in self.refused(work, capsys, 11)

    @pytest.mark.parametrize(
        ("options", "form", "found"),
        [
            ((), "hormud", "nearest: 'hormuud'"),
            ((), "", "no column named by --number-column, --text-column, --time-column"),
            (("--window", "10"), "hormuud", "not a duration"),
        ],
    )
    def test_options_that_say_too_little(self, work, capsys, options, form, found):
        if options:
            with pytest.raises(SystemExit, match="2"):
                work.recover(*options, form=form)
            assert found in capsys.readouterr().err
        else:
            assert found in self.refused(work, capsys, 2, form=form)

    @pytest.mark.parametrize(
        ("row", "found"),
        [
            ("2.52616E+11,378,haa,02/03/2026 08:00", "1 of 2 rows have no usable phone number: line 3, row 3"),
            (f"{NUMBERS[1]},378,haa,2026-03-02 08:00", "line 3, row 3: not a time of this form; expected dd/mm/YYYY"),
            (f"{NUMBERS[1]},378", "line 3, row 3: 2 cells; expected 4"),
            (f'{NUMBERS[1]},378,"haa,02/03/2026 08:00', "a quotation mark opens a cell and is not closed"),
        ],
    )
    def test_rows_that_cannot_be_read(self, work, capsys, row, found):
        with (work.folder / "export.csv").open("a") as file:
            file.write(row + "\n")
        assert found in self.refused(work, capsys, 11)
        assert not work.output.exists()


def test_formats_of_other_operators_come_from_a_file(work):
    work.arrive([message(9, "x")])
    text = f"MO report\nFrom;Body;At\n{NUMBERS[0]};haa;3/2/26 8:00\nTotal: 1;;\n"
    (work.folder / "export.csv").write_bytes(text.encode("utf-16"))
    form = {"NumberColumn": "From", "TextColumn": "Body", "TimeColumn": "At", "TimeFormats": ["mm/dd/YY"]}
    (work.folder / "formats.json").write_text(json.dumps({"ours": form}))
    options = ("--formats", str(work.folder / "formats.json"))
    assert work.recover(*options, form="ours") == 0
    assert work.written() == [("haa", "2026-03-02T08:00:00+03:00")]
    (work.folder / "formats.json").write_text(json.dumps({"ours": {**form, "Sender": "x"}}))
    work.output.unlink()
    assert work.recover(*options, form="ours") == 10


def test_a_workbook_of_which_days_and_months_changed_places_is_refused(work, capsys):
    work.arrive([message(9, "x")])
    book = openpyxl.Workbook()
    rows = [("Phone number", "Text", "Time"), (254712000001, "haa", datetime(2026, 3, 2, 8)), ("0712000002", "maya", "02/03/2026 08:05")]  # fmt: skip # noqa: DTZ001
    for row in rows:
        book.active.append(row)
    book.save(work.folder / "export.xlsx")
    assert work.recover(exports=("export.xlsx",), form="safaricom") == 0
    assert [time for _, time in work.written()] == ["2026-03-02T08:00:00+03:00", "2026-03-02T08:05:00+03:00"]
    work.output.unlink()
    book.active["C3"] = "13/03/2026 08:05"
    book.save(work.folder / "export.xlsx")
    assert work.recover(exports=("export.xlsx",), form="safaricom") == 11
    assert "day and month" in capsys.readouterr().err
