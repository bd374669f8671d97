"""Notes of an import: what was carried over, changed or dropped, and what a person has to decide.

A key, an argument or a code scheme of the old project that is not carried over exactly is noted here by its old name, so
that the owner of the project can find it again.
"""

import json
from typing import Any, Final

_INTRODUCTIONS: Final = {
    "Done": "Carried over. Nothing to do.",
    "Changed": "Carried over in another form. Read each line once; nothing to do where you agree.",
    "Dropped": "Not carried over, and what is lost with it.",
    "To decide": "Settle each line before the first run: nobody but you can know the answer.",
    "Check": "Warnings of `check` about the new project; its errors stand under To decide. A run is possible with them: read each once.",
}
_NOTHING: Final = "Nothing."


class Migration:
    """Lines of MIGRATION.md, under five sections, in the order they were noted and each only once.

    >>> migration = Migration()
    >>> migration.changed("UuidTable", "now PhoneNumberUuidTable")
    >>> migration.lines("Changed")
    ['`UuidTable`: now PhoneNumberUuidTable']
    """

    def __init__(self) -> None:
        # A dictionary keeps the order and drops doubles.
        self._sections: dict[str, dict[str, None]] = {section: {} for section in _INTRODUCTIONS}

    def done(self, text: str) -> None:
        """Note what was carried over as it was."""
        self._sections["Done"][text] = None

    def changed(self, old: str, text: str) -> None:
        """Note that `old`, a key, argument or `file:line`, was carried over in another form, and why."""
        self._note("Changed", old, text)

    def dropped(self, old: str, text: str) -> None:
        """Note that `old` was not carried over, and what is lost."""
        self._note("Dropped", old, text)

    def to_decide(self, old: str, text: str) -> None:
        """Note that a person has to decide what becomes of `old`; blocks in `text` stay under its bullet."""
        self._note("To decide", old, text)

    def warn(self, text: str) -> None:
        """Note a warning of `check`."""
        self._sections["Check"][text] = None

    def _note(self, section: str, old: str, text: str) -> None:
        self._sections[section][f"`{old}`: {text}"] = None

    def take(self, other: "Migration") -> None:
        """Add the notes of another."""
        for section, lines in other._sections.items():
            self._sections[section] |= lines

    def lines(self, section: str) -> list[str]:
        """Return the lines of one section, without bullets."""
        return list(self._sections[section])

    def as_markdown(self) -> str:
        """Return the whole of MIGRATION.md."""
        open_lines = len(self._sections["To decide"])
        parts = [
            "# Coming from the earlier pipeline",
            "Read To decide first, then Changed, Dropped and Check. "
            + (f"{open_lines} line(s) are yours to decide. " if open_lines else "Nothing is left to decide. ")
            + "Then run `check` on pipeline_configuration.json, and stages 1 to 3 on a copy of the data root.",
        ]
        for section, introduction in _INTRODUCTIONS.items():
            lines = self.lines(section)
            parts.append(f"## {section}\n\n{introduction if lines else _NOTHING}")
            if lines:
                parts.append("\n".join(_bullet(line) for line in lines))
        return "\n\n".join(parts) + "\n"


def _bullet(line: str) -> str:
    """Return `line` as a Markdown bullet, with its further lines indented below it."""
    first, *rest = line.split("\n")
    return "\n".join([f"- {first}", *(f"  {part}" if part else "" for part in rest)])


def paste_ready(value: Any) -> str:
    """Return a value as a block of JSON that stands under a line's bullet, ready to be pasted."""
    return "\n\n```json\n" + json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n```"
