"""Code schemes of the old folder: which file a plan means, what it is called here, and its content."""

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from engagement.desk.project_import.evaluation.python_values import Call, Foreign, Member, Unknown, find_unknown
from engagement.desk.project_import.problems import ImportProblems

_FOLDER: Final = "code_schemes"


@dataclass
class SchemeFile:
    """A code scheme that plans use. `needs` are the control codes that its plans ask for."""

    name: str
    old_path: str
    content: bytes
    document: dict[str, Any]
    needs: set[str] = field(default_factory=set)

    @property
    def scheme_id(self) -> str:
        """Return its SchemeID."""
        return str(self.document.get("SchemeID"))


class SchemeFiles:
    """The code schemes that were asked for, each read once."""

    def __init__(self, root: Path, problems: ImportProblems) -> None:
        self._root = root.resolve()
        self._problems = problems
        self._by_path: dict[str, SchemeFile | None] = {}

    def all(self) -> list[SchemeFile]:
        """Return the schemes that were read, in the order in which they were asked for."""
        return [scheme for scheme in self._by_path.values() if scheme is not None]

    def find(self, value: object, file: str, line: int) -> SchemeFile | None:
        """Find the file that a plan's value opens; None with a problem if there is none, or it can't be read."""
        path = self.path_of(value)
        if path is None and isinstance(value, Foreign) and "." in value.name:
            module = value.name.split(".Code")[0].replace(".", "/")
            self._problems.add(
                f"{module}.py",
                None,
                "can't be found in the old folder; expected the code schemes that the plans name. Give the whole folder.",
            )
            return None
        if path is None:
            reason = find_unknown(value) or Unknown(file, line, f"{_say(value)} opens no file")
            self._problems.add_unknown(reason, "a code scheme, opened by the name of its file")
            return None
        if path not in self._by_path:
            self._by_path[path] = self._read(path, file, line)
        return self._by_path[path]

    def path_of(self, value: object) -> str | None:
        """Return the path that a value opens, relative to the old folder."""
        for call in value.inside() if isinstance(value, Call) else ():
            texts = [text for text in (*call.arguments, *call.keywords.values()) if isinstance(text, str)]
            for text in texts:
                if text.endswith(".json"):
                    path = Path(text)
                    inside = path.is_absolute() and path.is_relative_to(self._root)
                    return str(path.relative_to(self._root) if inside else PurePosixPath(text))
        return None

    def _read(self, path: str, file: str, line: int) -> SchemeFile | None:
        place = next((p for p in (self._root / path, self._root / _FOLDER / path) if p.is_file()), None)
        if place is None:
            self._problems.add(file, line, f"no file {path!r}; expected a code scheme. Add it to a copy of the folder.")
            return None
        if not place.resolve().is_relative_to(self._root):
            self._problems.add(path, None, "a link out of the old folder; expected a code scheme. Copy it there.")
            return None
        try:
            content = place.read_bytes()
            document = json.loads(content.decode("utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            at = getattr(error, "lineno", None)
            self._problems.add(path, at, f"not JSON ({_reason(error)}); expected a code scheme. Mend it in a copy.")
            return None
        codes = document.get("Codes") if isinstance(document, dict) else None
        if not isinstance(codes, list) or not all(isinstance(code, dict) for code in codes):
            self._problems.add(path, None, "no list 'Codes'; expected a code scheme. Mend it in a copy of the folder.")
            return None
        return SchemeFile(self._choose_name(path), path, content, document)

    def _choose_name(self, path: str) -> str:
        taken = {scheme.name for scheme in self.all()}
        parts = PurePosixPath(path).parts
        name = parts[-1]
        # Schemes of one name in two folders.
        return name if name not in taken else "_".join(part for part in parts if part not in (_FOLDER, "..", "/"))


def _reason(error: Exception) -> str:
    return str(getattr(error, "msg", None) or getattr(error, "strerror", None) or type(error).__name__)


def _say(value: object) -> str:
    return value.name if isinstance(value, Call | Member | Foreign) else repr(value)
