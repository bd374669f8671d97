"""Notify and StatusPage are read by the run script as plain text: what the model accepts, it reads as it is."""

import json
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from engagement.configuration.notify import Notify, StatusPage
from engagement.configuration.numbers_in_names import find_numbers_in_names

ROOT = Path(__file__).resolve().parents[3]
SLACK = "https://hooks.example.org/services/T0123456789/B0123456789/aBcD1234"
NOTIFY = {
    "PingURL": "http://127.0.0.1:8000/ping/a?create=1&b=2",
    "WebhookURL": SLACK,
    "Command": "/srv/a show/tell.sh 'x y' | cat",
}
PAGE = {"File": "/srv/ሁኔታ page.html", "DataRoots": ["/srv/a, b", "/srv/c"]}
READ = """
source run_scripts/lib/notify.sh
configuration="$1" allow_project_code=yes
read_notify
printf '%s\\n' "$ping_url" "$webhook_url" "$notify_command" "$status_page" "${status_data_roots[@]}" "$project"
"""


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("broken", ["", "{", ',"a":'])
def test_the_run_script_reads_what_the_model_accepts_even_in_a_broken_file(tmp_path, indent, broken):
    Notify.model_validate(NOTIFY)
    StatusPage.model_validate_json(json.dumps(PAGE))
    path = tmp_path / "configuration.json"
    document = {"RawDataSources": [{"a": "}"}], "Notify": NOTIFY, "StatusPage": PAGE, "PipelineName": "a show"}
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=False) + broken)
    read = subprocess.run(["bash", "-euc", READ, "bash", path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert read.stdout.splitlines() == [*NOTIFY.values(), PAGE["File"], *PAGE["DataRoots"], "a show"]


@pytest.mark.parametrize("character", ['"', "\\", "{", "}", "[", "]", "\n"])
def test_what_the_run_script_could_not_read_is_refused(character):
    for settings in ({"Command": f"a{character}b"}, {"PingURL": f"https://a/{character}"}):
        with pytest.raises(ValidationError):
            Notify.model_validate(settings)
    for settings in ({"File": f"/a{character}"}, {"File": "/a", "DataRoots": [f"/b{character}"]}, {"File": "relative"}):
        with pytest.raises(ValidationError):
            StatusPage.model_validate_json(json.dumps(settings))


def test_the_numbers_in_an_address_are_no_phone_numbers():
    assert find_numbers_in_names({"Notify": {"WebhookURL": SLACK}}) == []
