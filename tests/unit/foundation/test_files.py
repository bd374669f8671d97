"""Reading files, whatever stands in their place."""

import os
from pathlib import Path

import pytest

from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="a pipe or a device and not a file"):
        read_json(tmp_path / "pipe.json")
