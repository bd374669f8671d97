"""Outputs to Drive: what goes up, what is held back, and what is left when it fails."""

import argparse
import dataclasses
import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest

from drive_protocol import ApiError
from engagement.configuration import load_project
from engagement.delivery import drive
from engagement.delivery.drive import upload_analysis, upload_tables
from engagement.foundation.errors import ConfigurationError, DisclosureError, InputError, ServiceError
from engagement.foundation.files import hold_directory
from engagement.pipeline.coding.cleaning.phone_numbers import MASK
from engagement.pipeline.outputs.analysis_files import read_season
from engagement.services.credentials import load_credentials
from engagement.services.drive.google import GoogleDrive
from engagement.services.drive.ids import DriveIds
from engagement.services.retries import RetryPolicy
from engagement.stages import automated_analysis
from example_project import DataRoot, Document, coda_message, episode_run, label, write_project
from fake_drive import FakeDrive

NUMBER = "0615000001"
TABLES = ("individuals.csv", "messages.csv", "production.csv")


def make_data_root(folder: Path, with_drive: bool = True, spreadsheets: bool = False, **disclosure: object) -> DataRoot:
    """The example project's data root, with two messages and the credentials of an embedded Drive."""

    def change(document: Document) -> None:
        if with_drive:
            document["DriveUpload"] = {
                "DriveCredentialsFileURL": "gs://example-credentials/drive.json",
                "ProductionUploadPath": "Season/production.csv",
                "MessagesUploadPath": "Season/messages.csv",
                "IndividualsUploadPath": "Season/individuals.csv",
                "AnalysisGraphsDir": "Season/analysis",
            }
        document["Disclosure"] = disclosure
        document["SpreadsheetFiles"] = spreadsheets

    root = DataRoot(folder, write_project(folder / "configuration", change))
    root.write_runs(episode_run("a", f"wac {NUMBER}", run_id=1), episode_run("b", "biyo", run_id=2))
    write_drive_credentials(folder, {"type": "embedded", "directory": "../.."})
    return root


def write_drive_credentials(folder: Path, document: Document) -> None:
    path = folder / "embedded" / "storage" / "example-credentials" / "drive.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))


def upload(function, root: DataRoot, **more: object) -> None:
    function(load_project(root.configuration), root.path, load_credentials(root.credentials), **more)


def uploaded(folder: Path) -> dict[str, bytes]:
    drive = folder / "embedded" / "drive"
    return {str(path.relative_to(drive)): path.read_bytes() for path in drive.rglob("*") if path.is_file()}


def test_an_upload_waits_for_another_one_of_the_data_root(tmp_path: Path, monkeypatch):
    root = make_data_root(tmp_path)
    root.generate()
    state = root.path / "State" / "drive"
    is_waiting = threading.Event()
    monkeypatch.setattr(drive.log, "info", lambda *said: is_waiting.set() if "waiting" in said[0] else None)
    with ThreadPoolExecutor() as threads:
        with hold_directory(state):
            (state / "copies.partial").mkdir()
            second = threads.submit(upload, upload_tables, root)
            assert is_waiting.wait(timeout=60)
            assert not second.done()
            assert (state / "copies.partial").is_dir()
        second.result()
    assert not (state / "copies.partial").exists()


def write_analysis(root: DataRoot, **made: object) -> Path:
    """A folder as stage 5 leaves it, made from the outputs that are there, or from what is given."""
    source = dataclasses.asdict(read_season(root.path)[0])
    folder = root.outputs / "Automated Analysis"
    files = {
        "sample_messages.csv": f"Episode,Code Scheme,Code,Message\ns01e01,s,water,wac {NUMBER}\n",
        "engagement_counts.csv": "Dataset,Total Messages\ns01e01,5612345\n",
        "report.html": f"<p>wac {NUMBER}</p>",
        "graphs/traffic.png": "a picture",
        "graphs/drawn.json": "{}",
        "maps/region/total.png": "a map",
        "made_from.json": json.dumps({"graphs": source, "everything else": source, **made}),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def test_stage_3_ends_with_the_upload_of_its_tables(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    files = uploaded(tmp_path)
    assert set(files) == {f"Season/{name}" for name in TABLES}
    assert f"wac {MASK}".encode() in files["Season/messages.csv"]
    assert f"wac {NUMBER}" in (root.outputs / "messages.csv").read_text()


def test_without_drive_nothing_is_uploaded_nor_copied(tmp_path):
    root = make_data_root(tmp_path, with_drive=False)
    root.generate()
    write_analysis(root)
    upload(upload_analysis, root)
    assert uploaded(tmp_path) == {}
    assert not (root.path / "State" / "drive").exists()


def test_before_coding_production_is_uploaded_through_the_gate(tmp_path):
    root = make_data_root(tmp_path)
    root.generate(mode="auto-code-only")
    files = uploaded(tmp_path)
    assert set(files) == {"Season/production.csv"}
    assert f"wac {MASK}".encode() in files["Season/production.csv"]
    assert NUMBER.encode() not in files["Season/production.csv"]
    held = (root.path / "State" / "drive" / "held_back_tables.csv").read_text()
    assert held.count("phone number,EXAMPLE_s01e01,") == 1
    root.generate(mode="auto-code-only", upload_only=True)
    assert uploaded(tmp_path) == files


def test_before_coding_nothing_is_uploaded_when_somebody_withdrew_already(tmp_path, caplog):
    root = make_data_root(tmp_path)
    root.write_coded("s01e01", coda_message("biyo", label("episode1", "STOP")))
    root.generate(mode="auto-code-only")
    assert uploaded(tmp_path) == {}
    assert "Not uploading production.csv, made with --mode auto-code-only: coders labelled STOP" in caplog.text


def test_before_coding_nothing_is_uploaded_where_rare_combinations_are_held_back(tmp_path, caplog):
    root = make_data_root(tmp_path, KAnonymity=2, Columns=["gender"])
    root.generate(mode="auto-code-only")
    assert uploaded(tmp_path) == {}
    assert "Disclosure.KAnonymity needs the coded tables" in caplog.text


def test_before_coding_what_the_gate_stops_is_not_uploaded(tmp_path):
    root = make_data_root(tmp_path, PhoneNumbers="stop")
    with pytest.raises(DisclosureError, match="Nothing was uploaded"):
        root.generate(mode="auto-code-only")
    assert uploaded(tmp_path) == {}


def test_no_copy_is_left_behind_and_the_list_has_ids_alone(tmp_path):
    root = make_data_root(tmp_path)
    (root.path / "State" / "drive" / "copies.partial" / "of a killed run").mkdir(parents=True)
    root.generate()
    left = {path.name: path.read_text() for path in (root.path / "State" / "drive").iterdir()}
    assert set(left) == {"held_back_tables.csv"}
    assert left["held_back_tables.csv"].count("phone number,EXAMPLE_s01e01,") == 1
    assert NUMBER not in left["held_back_tables.csv"]


def test_what_the_gate_stops_is_written_and_not_uploaded(tmp_path):
    root = make_data_root(tmp_path, PhoneNumbers="stop")
    with pytest.raises(DisclosureError, match=r"Nothing was uploaded(.|\n)*The outputs of stage 3 are written"):
        root.generate()
    assert uploaded(tmp_path) == {}
    assert (root.outputs / "messages.csv").exists()
    assert not list((root.path / "State" / "drive").glob("copies*"))


def test_a_failed_upload_is_done_again_alone(tmp_path):
    root = make_data_root(tmp_path)
    write_drive_credentials(tmp_path, {"type": "something else"})
    with pytest.raises(ConfigurationError, match="only the upload to Drive is missing. Run stage 3 with --upload-only"):
        root.generate()
    before = {path: path.stat().st_mtime_ns for path in root.outputs.rglob("*")}
    write_drive_credentials(tmp_path, {"type": "embedded", "directory": "../.."})
    root.generate(upload_only=True)
    assert set(uploaded(tmp_path)) == {f"Season/{name}" for name in TABLES}
    assert {path: path.stat().st_mtime_ns for path in root.outputs.rglob("*")} == before


def test_an_upload_of_outputs_that_are_not_there_is_an_input_error(tmp_path):
    root = make_data_root(tmp_path)
    with pytest.raises(InputError, match=r"individuals\.csv") as refused:
        root.generate(upload_only=True)
    assert "are written" not in str(refused.value)


def test_a_second_upload_says_that_nothing_changed(tmp_path, caplog):
    root = make_data_root(tmp_path)
    with caplog.at_level(logging.INFO):
        root.generate()
        assert "Drive: 3 file(s): 3 created" in caplog.text
        root.generate()
    assert "Drive: 3 file(s): 3 unchanged" in caplog.text
    assert NUMBER not in caplog.text


def test_a_participant_who_withdraws_is_gone_from_drive(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    assert b"avf-phone-uuid-b" in uploaded(tmp_path)["Season/messages.csv"]
    root.write_coded("s01e01", coda_message("biyo", label("episode1", "STOP")))
    root.generate()
    for name, content in uploaded(tmp_path).items():
        assert b"avf-phone-uuid-b" not in content, name
        assert b"biyo" not in content, name


def test_the_analysis_goes_up_with_its_folders_and_without_phone_numbers(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    folder = write_analysis(root)
    # The CSV beside it says the same.
    (folder / "engagement_counts.parquet").write_bytes(b"PAR1")
    upload(upload_analysis, root)
    files = {name: content for name, content in uploaded(tmp_path).items() if name.startswith("Season/analysis/")}
    names = {
        "sample_messages.csv",
        "engagement_counts.csv",
        "report.html",
        "graphs/traffic.png",
        "maps/region/total.png",
    }
    assert set(files) == {f"Season/analysis/{name}" for name in names}
    assert files["Season/analysis/report.html"] == f"<p>wac {MASK}</p>".encode()
    assert NUMBER.encode() not in files["Season/analysis/sample_messages.csv"]
    assert files["Season/analysis/engagement_counts.csv"] == (folder / "engagement_counts.csv").read_bytes()
    assert "sample_messages.csv" in (root.path / "State" / "drive" / "held_back_analysis.csv").read_text()


SPELLINGS = (NUMBER, "O6I5000O0I", "eber lix kow shan eber eber laba saddex afar sagaal", "0615:000:001")


@pytest.mark.parametrize("number", SPELLINGS)
def test_no_file_that_goes_up_holds_a_number_however_it_is_written(tmp_path, number):
    root = make_data_root(tmp_path)
    root.write_runs(episode_run("a", f"wac {number} maanta", run_id=1))
    root.generate()
    folder = write_analysis(root)
    for name in ("sample_messages.csv", "impact_messages.csv"):
        (folder / name).write_text(f"Episode,Code Scheme,Code,Message\ns01e01,s,water,wac {number} maanta\n")
    (folder / "coding_errors.csv").write_text(f"Dataset,Message ID,Reason\nd,{'0a' * 32},wac {number} maanta\n")
    (folder / "report.html").write_text(f'<p title="wac {number}">wac {number} maanta</p>')
    upload(upload_analysis, root)
    files = uploaded(tmp_path)
    assert {"Season/messages.csv", "Season/analysis/report.html", "Season/analysis/coding_errors.csv"} < set(files)
    for name, content in files.items():
        assert number.encode() not in content, name
    assert ("0a" * 32).encode() in files["Season/analysis/coding_errors.csv"]


def test_a_file_that_the_gate_can_not_look_into_stays_here(tmp_path, caplog):
    root = make_data_root(tmp_path)
    root.generate()
    (write_analysis(root) / f"notes {NUMBER}.xlsx").write_bytes(b"PK")
    upload(upload_analysis, root)
    assert not any(name.endswith(".xlsx") for name in uploaded(tmp_path))
    assert "Not uploading 1 file(s) that stage 5 does not make: the gate can't look into .xlsx" in caplog.text
    assert NUMBER not in caplog.text


def test_stage_5_uploads_again_without_drawing_again(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    folder = write_analysis(root)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    automated_analysis.run(
        argparse.Namespace(
            credentials=root.credentials,
            pipeline_configuration=root.configuration,
            data_root=root.path,
            upload_only=True,
        )
    )
    assert "Season/analysis/graphs/traffic.png" in uploaded(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_an_analysis_of_earlier_outputs_stays_here(tmp_path, caplog):
    root = make_data_root(tmp_path)
    root.generate()
    write_analysis(root, **{"everything else": {"timestamp": "2026-01-01T00:00:00+00:00", "mode": "all-stages"}})
    upload(upload_analysis, root)
    files = {name for name in uploaded(tmp_path) if name.startswith("Season/analysis/")}
    assert files == {"Season/analysis/graphs/traffic.png"}
    assert "Not uploading 4 analysis file(s) made from earlier outputs" in caplog.text


def test_an_analysis_that_holds_numbers_is_stopped(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    write_analysis(root)
    document = json.loads(root.configuration.read_text())
    root.configuration.write_text(json.dumps({**document, "Disclosure": {"PhoneNumbers": "stop"}}))
    with pytest.raises(DisclosureError, match=r"sample_messages\.csv(.|\n)*The outputs of stage 5 are written"):
        upload(upload_analysis, root)
    assert not any("analysis" in name for name in uploaded(tmp_path))


def test_without_an_analysis_there_is_nothing_to_upload(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    with pytest.raises(InputError, match=r"made_from\.json"):
        upload(upload_analysis, root)


def test_google_drive_that_fails_midway_is_completed_by_the_next_upload(tmp_path):
    root = make_data_root(tmp_path, with_drive=True)
    root.generate()
    with FakeDrive().running() as server:
        server.add_shared_drive("Season")
        write_drive_credentials(tmp_path, server.key())

        def connect(credentials, state, policy):
            patience = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
            return GoogleDrive(credentials, DriveIds(state / "ids.json"), patience, server.root_url)

        # The first file arrives; the second is refused again and again.
        server.fail("upload_id", ApiError(403, "insufficientFilePermissions"), before=False)
        with pytest.raises(
            ServiceError, match=r"insufficientFilePermissions(.|\n)*only the upload to Drive is missing"
        ):
            upload(upload_tables, root, connect=connect)
        upload(upload_tables, root, connect=connect)
        upload(upload_tables, root, connect=connect)
        assert sorted(file["name"] for file in server.files.values()) == sorted(TABLES)
        assert server.content_of("Season", "messages.csv") == [uploaded(tmp_path)["Season/messages.csv"]]
        kept = (root.path / "State" / "drive" / "ids.json").read_text()
        assert "PRIVATE" not in kept
        assert "token" not in kept


def cells_of(content: bytes) -> list[object]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [cell for page in book.worksheets for row in page.iter_rows(values_only=True) for cell in row]


def test_workbooks_go_up_beside_their_tables_through_the_same_gate(tmp_path):
    root = make_data_root(tmp_path, spreadsheets=True)
    root.write_runs(episode_run("a", f"=wac {NUMBER}", run_id=1), episode_run("b", "biyo", run_id=2))
    root.generate()
    files = uploaded(tmp_path)
    assert set(files) == {f"Season/{name[:-4]}.{ending}" for name in TABLES for ending in ("csv", "xlsx")}
    for name in ("messages", "individuals", "production"):
        assert f"=wac {MASK}" in cells_of(files[f"Season/{name}.xlsx"])
        assert f"=wac {NUMBER}" in cells_of((root.outputs / f"{name}.xlsx").read_bytes())
        assert f"'=wac {MASK}".encode() in files[f"Season/{name}.csv"]


def test_without_the_key_there_is_no_workbook(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    assert not list(root.path.rglob("*.xlsx"))


def test_before_coding_production_comes_as_a_workbook_as_well(tmp_path):
    root = make_data_root(tmp_path, spreadsheets=True)
    root.generate(mode="auto-code-only")
    assert set(uploaded(tmp_path)) == {"Season/production.csv", "Season/production.xlsx"}
    assert f"wac {MASK}" in cells_of(uploaded(tmp_path)["Season/production.xlsx"])


def test_maps_go_up_as_pdf_and_no_other_pdf_does(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    folder = write_analysis(root)
    for name in ("maps/region/total.pdf", "maps/region/total.svg", "notes.pdf"):
        (folder / name).write_text("a picture")
    upload(upload_analysis, root)
    found = {name for name in uploaded(tmp_path) if "total" in name or "notes" in name}
    assert found == {f"Season/analysis/maps/region/total.{ending}" for ending in ("png", "svg", "pdf")}


def test_the_workbook_of_the_analysis_is_made_of_what_passed_the_gate(tmp_path):
    root = make_data_root(tmp_path)
    root.generate()
    folder = write_analysis(root)
    # Whatever somebody did to the one that lies there.
    (folder / "tables.xlsx").write_bytes(b"PK")
    upload(upload_analysis, root)
    cells = cells_of(uploaded(tmp_path)["Season/analysis/tables.xlsx"])
    assert f"wac {MASK}" in cells
    assert 5612345 in cells
    assert not any(NUMBER in str(cell) for cell in cells)
