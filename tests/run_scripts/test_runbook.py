"""The runbook's own lines, run as they stand there: only the places of the clone and of the project are others."""

import os
import re
import signal
import subprocess

import pytest

from manual_pages import blocks

RUNBOOK = "docs/runbook.md"


class Show:
    """`/srv/show`, whose script `run` is the runbook's, and `/srv/engagement`, a clone whose stages only say that they ran."""

    def __init__(self, clone, folder):
        self.clone = clone
        self.places = {
            "/srv/engagement": folder / "engagement",
            "/srv/coda-v2": folder / "v2",
            "/srv/show": folder / "show",
        }
        self.folder = self.places["/srv/show"]
        self.places["/srv/engagement"].symlink_to(clone.root)
        for name in ("coda-pull", "coda-push", "google-cloud"):
            self.write(f"keys/{name}.json")
        self.write("configuration/pipeline_configuration.json")
        self.places["/srv/coda-v2"].mkdir()
        clone.write_program(self.folder / "run", self.block("#!/usr/bin/env bash"))

    def write(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    def block(self, beginning, **values):
        """The one block that begins like this, with this project's places, and `values` for what is in angle brackets."""
        (found,) = {block.content for block in blocks(RUNBOOK) if block.content.startswith(beginning)}
        for place, path in self.places.items():
            found = found.replace(place, str(path))
        for name, value in values.items():
            found = found.replace(f"<{name.replace('_', '-')}>", value)
        assert not re.search(r"<[a-z-]+>", found), found
        return found

    def start(self, text, **variables):
        environment = self.clone.environment(PIPELINE_RUNTIME="host", **variables)
        outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(["bash", "-euc", text], env=environment, stdin=subprocess.DEVNULL, **outputs)

    def run(self, text):
        process = self.start(text)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output

    @property
    def stages(self):
        """The stages that ran, and those of their options that the runbook's lines have."""
        kept = ("--accept-", "--keep-", "--full", "--upload-", "--restore")
        return [
            " ".join([call[0], *(part for part in call[1:] if part.startswith(kept))])
            for call in self.clone.stage_calls
        ]


@pytest.fixture
def show(clone, tmp_path):
    return Show(clone, tmp_path)


ALL = ["coda-get", "fetch-raw-data", "generate-outputs", "coda-add", "automated-analysis"]
LAST = ["backup-data-root", "upload-logs"]


@pytest.mark.parametrize(
    ("beginning", "stages"),
    [
        ("/srv/show/run --from 3\n", [*ALL[2:], *LAST, "backup-data-root"]),
        ("/srv/show/run --from 2\n", [*ALL[1:], *LAST]),
        ("/srv/show/run --from 3 --accept-shrinkage", ["generate-outputs --accept-shrinkage", *ALL[3:], *LAST]),
        (
            "/srv/show/run --from 3 --accept-lost-withdrawals",
            ["generate-outputs --accept-lost-withdrawals", *ALL[3:], *LAST],
        ),
        (
            "/srv/engagement/run_scripts/1_coda_get.sh --full",
            [
                *["coda-get --full", "fetch-raw-data --accept-shrinkage", "generate-outputs"],
                "automated-analysis --upload-only",
            ],
        ),
        ("/srv/engagement/run_scripts/3_generate_outputs.sh --upload-only", ["generate-outputs --upload-only"]),
    ],
)
def test_lines_that_run_stages_run_those_that_they_are_for(show, beginning, stages):
    show.run(show.block(beginning).replace("--allow-project-code --partitions 64 --jobs 2 ", ""))
    assert show.stages == stages


def test_the_lines_for_a_full_disk_list_the_archives_and_remove_old_ones(show):
    (show.folder / "data root").mkdir()
    (show.folder / "backups").mkdir()
    (show.folder / "backups" / "data-a.tar.gz").touch()
    assert "data-a.tar.gz" in show.run(show.block("ls -lt"))
    assert show.stages == ["backup-data-root --keep-days"]


def test_the_lines_for_a_run_that_hangs_name_its_process_and_end_it(show, wait_for):
    process = show.start(f"exec {show.folder}/run", FAKE_SLEEP="fetch-raw-data")
    wait_for(lambda: len(show.clone.stage_calls) == 2)
    (summary,) = (show.folder / "data root" / "Runs").iterdir()
    told = show.run(show.block('cat "/srv/show/data root/.lock"', run_id=summary.stem))
    assert told.endswith("Stage 2, fetch raw data: started.\nthis is fetch-raw-data\n")
    process_id = re.search(r", process (\d+), since ", told)[1]
    show.run(show.block("kill", process_id=process_id))
    process.communicate(timeout=20)
    assert process.returncode == 143


def test_the_lines_that_try_the_lock_tell_a_lock_that_works_from_one_that_does_not(show, wait_for):
    first, second = show.block("flock").splitlines()
    show.run(f"{show.folder}/run --only 2")
    assert show.run(second) == "free\n"
    on_one_machine = show.start(f"exec {first}")

    def sleeping():
        found = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(on_one_machine.pid)], capture_output=True, text=True
        )
        return found.stdout.split()[0] if "sleep 60" in found.stdout else ""

    wait_for(sleeping)
    assert subprocess.run(["bash", "-c", second], capture_output=True).stdout == b""
    os.kill(int(sleeping()), signal.SIGTERM)
    on_one_machine.communicate(timeout=20)


def test_a_restored_data_root_takes_the_place_of_the_old_one(show):
    """The archives are the real stage's in other tests; here is what the lines around it do."""
    (show.folder / "data root").mkdir()
    (show.folder / "backups").mkdir()
    (show.folder / "backups" / "data-x.tar.gz").touch()
    show.run(show.block("/srv/engagement/run_scripts/6_backup_data_root.sh --restore", run_id="x"))
    (show.folder / "data root restored" / "restored.csv").touch()
    show.run(show.block('mv "/srv/show/data root"'))
    assert show.stages == ["backup-data-root --restore", *ALL, *LAST]
    assert (show.folder / "data root" / "restored.csv").exists()
    assert (show.folder / "data root broken").exists()


def test_the_crontab_runs_quietly_and_looks_in_the_morning(show):
    *_, night, morning = show.block("MAILTO").splitlines()
    times = re.compile(r"(\d+ \d+ \* \* \*) +(.+)")
    process = show.start(times.fullmatch(night)[2])
    _, mailed = process.communicate(timeout=60)
    assert process.returncode == 0
    assert show.stages == [*ALL, "backup-data-root --keep-days", "upload-logs"]
    # What cron mails of a good night is the closing table alone.
    assert len(mailed.splitlines()) == len(show.stages) + 1
    assert mailed.splitlines()[-1].endswith("ended with status 0.")
    command = times.fullmatch(morning)[2]
    assert command.endswith(" /srv")
    looked = show.start(command.replace(" /srv", f" {show.folder.parent}"))
    assert looked.communicate(timeout=60) == ("", "")
    assert show.clone.stage_calls[-1][:3] == ["status", "--max-age", "26"]
