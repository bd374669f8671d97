"""Read the values of an earlier project's Python files from their syntax trees.

Nothing of the old project is executed or imported. What plans use is worked out: constants, f-strings, names, attributes,
lists, comprehensions, `+`, `for`, `if`, functions, classes and imports between the project's own files. The rest stays a
`Call`, or becomes an `Unknown` that says why.
"""

import ast
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engagement.desk.project_import.evaluation.expressions import TooLongError
from engagement.desk.project_import.evaluation.python_values import (
    MISSING,
    Foreign,
    Function,
    PythonModule,
    Scope,
    Unknown,
)
from engagement.desk.project_import.evaluation.statements import Statements
from engagement.foundation.errors import ConfigurationError

# The longest plan file that was seen has 200 KB.
_MOST_BYTES: Final = 3_000_000


class UnreadableFileError(ConfigurationError):
    """A Python file of the old folder that can't be read, with the place and the reason."""

    def __init__(self, reason: Unknown) -> None:
        super().__init__(
            f"{reason}; expected Python 3 as earlier pipelines use it. Mend the file in a copy of the folder."
        )
        self.reason = reason


class Evaluator(Statements):
    """Reads files of one old folder.

    `given` has what only a run would know: names, and attributes of unknown values.
    """

    def __init__(self, root: Path, given: Mapping[str, object]) -> None:
        super().__init__(given)
        self.root = root.resolve()
        self._modules: dict[Path, PythonModule | Unknown] = {}

    def load(self, file: Path, is_main: bool = False) -> PythonModule:
        """Read a file of the old folder; with `is_main`, as the program that is started."""
        path = file if file.is_absolute() else self.root / file
        if is_main:
            # It may have been imported before, which leaves out what only the program does.
            self._modules.pop(path, None)
        try:
            found = self._load(path, "__main__" if is_main else self._name_of(path))
        except TooLongError as error:
            raise UnreadableFileError(Unknown(error.file, error.line, str(error).partition(": ")[2], True)) from None
        except RecursionError:
            reason = Unknown(self._shown(path), 1, "more deeply nested than can be read", True)
            raise UnreadableFileError(reason) from None
        if isinstance(found, Unknown):
            raise UnreadableFileError(found)
        return found

    def find_in_module(self, module: PythonModule, name: str) -> object:
        """Find a name of a module, or a module below it; `MISSING` if there is none."""
        if name in module.scope.names:
            return module.scope.names[name]
        below = self._find_file(f"{module.name}.{name}")
        if below is not None:
            return self._load(below, f"{module.name}.{name}")
        if module.scope.guesses:
            return Foreign(f"{module.scope.guesses[-1]}.{name}")
        return MISSING

    def call_by_name(self, module: PythonModule, name: str, arguments: list[object]) -> object:
        """Work out a call of a module's function."""
        function = module.scope.names[name]
        try:
            return self.call(function, list(arguments), {}, module.scope.file, getattr(function, "line", 1))
        except TooLongError as error:
            raise UnreadableFileError(Unknown(error.file, error.line, str(error).partition(": ")[2], True)) from None
        except RecursionError:
            reason = Unknown(
                module.scope.file, getattr(function, "line", 1), "more deeply nested than can be read", True
            )
            raise UnreadableFileError(reason) from None

    def functions_called(self, function: Function) -> list[object]:
        """List what a function calls, in the order of the source."""
        scope = Scope(function.file, outer=function.scope)
        arguments = function.node.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            scope.names[argument.arg] = Unknown(function.file, function.line, "an argument")
        body = [function.node.body] if isinstance(function.node, ast.Lambda) else function.node.body
        for node in (inner for part in body for inner in ast.walk(part)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.import_names(node, scope)
        calls = [node for part in body for node in ast.walk(part) if isinstance(node, ast.Call)]
        calls.sort(key=lambda node: (node.lineno, node.col_offset))
        return [self.evaluate(node.func, scope) for node in calls]

    def import_names(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        """Give a scope the names that an import brings."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                scope.names[alias.asname or name] = self._module(name)
            return
        base = self._absolute(node, scope)
        module = self._module(base)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(module, base, scope)
            else:
                name = alias.asname or alias.name
                scope.names[name] = self._import_one(module, base, alias.name, scope, node.lineno)

    def _absolute(self, node: ast.ImportFrom, scope: Scope) -> str:
        """Return the name of the module that is imported from, without leading dots."""
        if not node.level:
            return node.module or ""
        parts = Path(scope.file).parent.parts
        parts = parts[: len(parts) - (node.level - 1)]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _module(self, name: str) -> object:
        path = self._find_file(name)
        if path is not None:
            return self._load(path, name)
        # A folder without __init__.py is a package as well.
        folder = self.root.joinpath(*name.split("."))
        if name and folder.is_dir() and self._is_inside(folder):
            return PythonModule(name, Scope(f"{'/'.join(name.split('.'))}/__init__.py"))
        return Foreign(name)

    def _import_one(self, module: object, base: str, name: str, scope: Scope, line: int) -> object:
        if isinstance(module, PythonModule):
            found = self.find_in_module(module, name)
            if found is MISSING:
                return Unknown(scope.file, line, f"{base!r} has no {name!r}")
            return found
        return module if isinstance(module, Unknown) else Foreign(f"{base}.{name}")

    def _import_all(self, module: object, base: str, scope: Scope) -> None:
        if isinstance(module, PythonModule):
            hidden = {name for name in module.scope.names if name.startswith("_")}
            scope.names.update({name: v for name, v in module.scope.names.items() if name not in hidden})
            scope.guesses += module.scope.guesses
        elif isinstance(module, Foreign):
            scope.guesses.append(base)

    def _find_file(self, name: str) -> Path | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        for path in (self.root.joinpath(*parts, "__init__.py"), self.root.joinpath(*parts).with_suffix(".py")):
            if path.is_file():
                return path
        return None

    def _load(self, path: Path, name: str) -> PythonModule | Unknown:
        if path not in self._modules and name != "__main__":
            self._load_packages(path)
        if path not in self._modules:
            tree = self._parse(path)
            if isinstance(tree, Unknown):
                self._modules[path] = tree
            else:
                scope = Scope(self._shown(path), {"__name__": name, "__file__": str(path)})
                # There before its body is followed: imports may go in a circle.
                self._modules[path] = PythonModule(name, scope)
                self.run(tree.body, scope)
        return self._modules[path]

    def _load_packages(self, path: Path) -> None:
        """Load the packages that a file is in, the topmost first, as Python does."""
        for folder in reversed(path.parents):
            package = folder / "__init__.py"
            is_below = folder.is_relative_to(self.root) and folder != self.root
            if is_below and package not in (path, *self._modules) and package.is_file():
                self._load(package, self._name_of(package))

    def _parse(self, path: Path) -> ast.Module | Unknown:
        shown = self._shown(path)
        if not self._is_inside(path):
            return Unknown(
                shown, 1, "a link to a file outside of the old folder, which is not followed", is_whole_file=True
            )
        try:
            if path.stat().st_size > _MOST_BYTES:
                return Unknown(
                    shown, 1, f"a Python file of more than {_MOST_BYTES // 1_000_000} MB", is_whole_file=True
                )
            with warnings.catch_warnings():
                # Of the old project's own oddities, like "\d" in a text.
                warnings.simplefilter("ignore")
                return ast.parse(path.read_bytes(), filename=shown)
        except SyntaxError as error:
            return Unknown(shown, error.lineno or 1, f"not Python 3 ({error.msg})", is_whole_file=True)
        except (RecursionError, MemoryError):
            return Unknown(shown, 1, "more deeply nested than can be read", is_whole_file=True)
        except (OSError, ValueError) as error:
            return Unknown(shown, 1, f"can't be read ({getattr(error, 'strerror', None) or error})", is_whole_file=True)

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.root)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name

    def _name_of(self, path: Path) -> str:
        parts = Path(self._shown(path)).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1:] == ("__init__",) else parts)


def evaluate_module(root: Path, module_file: Path, given: Mapping[str, object]) -> Mapping[str, object]:
    """Read the names that a file of the old folder defines, with their values.

    `given` has what only a run would know, like the `pipeline_name`: as names, and as attributes of unknown values.

    Raises
    ------
    UnreadableFileError
        The file is no Python 3, or does more than plans ever do.
    """
    return Evaluator(root, given).load(module_file).scope.names
