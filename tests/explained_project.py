"""An operator who asks `explain` of cells that stage 3 really made, and labels with their coders."""

import json

import pytest

from engagement.__main__ import main
from example_project import DataRoot, Document, coda_message, label, uid_of


class Desk:
    """An operator in front of a data root."""

    def __init__(self, root: DataRoot, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def explain(self, name: str, *arguments: str, status: int = 0, is_whole: bool = False) -> str:
        """What is printed, with each run of white space as one space; the error's text for another status.

        `name` is a participant of the examples, or with `is_whole` what is typed as the uid.
        """
        configuration = ["--pipeline-configuration", str(self.root.configuration)]
        uid = name if is_whole else uid_of(name)
        found = main(["explain", str(self.root.path), uid, *arguments, *configuration])
        printed = self._capsys.readouterr()
        assert found == status, printed.err
        return " ".join((printed.err if status else printed.out).split())

    def steps(self, name: str, column: str) -> list[Document]:
        """All steps of a column as JSON."""
        document = self.document(name, column)
        return [step for section in document["sections"] for step in section["steps"]]

    def document(self, name: str, *arguments: str) -> Document:
        """What is printed as JSON."""
        configuration = ["--pipeline-configuration", str(self.root.configuration), "--json"]
        assert main(["explain", str(self.root.path), uid_of(name), *arguments, *configuration]) == 0
        return json.loads(self._capsys.readouterr().out)


def by(name: str, given: Document, time: str = "2026-04-06T09:30:00+00:00") -> Document:
    """A label that somebody made at a time."""
    origin = {"OriginID": f"{name.lower()}@example.org", "Name": name, "OriginType": "Manual"}
    return {**given, "Origin": origin, "DateTimeUTC": time}


def move(text: str, scheme: str, target: str) -> Document:
    return coda_message(text, by("Hodan", label(scheme, "WS")), by("Ali", label("ws", target)))
