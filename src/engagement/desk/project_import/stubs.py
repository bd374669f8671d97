"""functions.py of an imported project: a stub for each function that somebody has to write anew."""

import keyword
import re


class Stubs:
    """Stubs, each once. A stub raises: it never guesses what the old function did."""

    def __init__(self) -> None:
        self._sources: dict[str, str] = {}

    def add(self, name: str, where: str, key: str, arguments: str) -> str:
        """Add a stub of an old function, for a key of the coding plans; returns its name in functions.py."""
        name = re.sub(r"\W", "_", name).strip("_") or "function"
        name = name if name.isidentifier() and not keyword.iskeyword(name) else f"old_{name}"
        gives = (
            "a match value of the code scheme, or None"
            if key == "Cleaner"
            else "the labels, in the shape in which they came"
        )
        self._sources[name] = (
            f"def {name}({arguments}):\n"
            f'    """Stand for the old {name}(); give {gives}.\n\n'
            f"    Old source: {where.rstrip(': ') or 'a library'}. Named in coding_plans.json as\n"
            f'    "{key}": "functions:{name}".\n    """\n'
            f'    raise NotImplementedError("write {name}() before a plan names it")\n'
        )
        return name

    def source(self) -> bytes | None:
        """Return functions.py; None if nothing needs it."""
        if not self._sources:
            return None
        head = '"""Functions of the old project that nothing here is like: write those that you need."""\n'
        return "\n\n".join([head, *self._sources.values()]).encode()
