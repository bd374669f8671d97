"""Load a project's own cleaners and imputation functions, `<module>:<function>`, from its folder."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from engagement.configuration import Project
from engagement.foundation.errors import ConfigurationError, listing
from engagement.pipeline.coding.named_functions import cleaner_names, imputation_names
from engagement.pipeline.coding.own_functions import OwnCleaner, OwnImputation

# Modules that the manual told projects to import before they moved.
_EARLIER_NAMES = {
    "engagement.coding": "engagement.pipeline.coding",
    "engagement.coding.labels": "engagement.pipeline.coding.labels",
}


@dataclass(frozen=True)
class ProjectFunctions:
    """A project's own functions, by their names in the coding plans."""

    cleaners: dict[str, OwnCleaner] = field(default_factory=dict)
    imputations: dict[str, OwnImputation] = field(default_factory=dict)

    @property
    def modules(self) -> tuple[ModuleType, ...]:
        """Modules that were imported for them."""
        own: tuple[OwnCleaner | OwnImputation, ...] = (*self.cleaners.values(), *self.imputations.values())
        names = (one.function.__module__ for one in own)
        return tuple(sys.modules[name] for name in dict.fromkeys(names) if name in sys.modules)

    def __bool__(self) -> bool:
        """True if there are any."""
        return bool(self.cleaners or self.imputations)


def load_project_functions(project: Project, is_allowed: bool) -> ProjectFunctions:
    """Import the functions that the coding plans name.

    Raises
    ------
    ConfigurationError
        They name some and `is_allowed` is false, or some can't be imported; lists them all.
    """
    cleaners, imputations = set(cleaner_names(project)), set(imputation_names(project))
    names = sorted(cleaners | imputations)
    if names and not is_allowed:
        raise ConfigurationError(
            f"{project.path}: the coding plans name code of the project's own: {', '.join(names)}; it is not run unless "
            "that is allowed. Read it, and run this again with --allow-project-code."
        )
    for earlier, now in _EARLIER_NAMES.items() if names else ():
        sys.modules.setdefault(earlier, importlib.import_module(now))
    loaded, problems = {}, []
    for name in names:
        try:
            loaded[name] = _load(project.path.parent, name)
        except (ImportError, AttributeError, OSError, SyntaxError) as error:
            problems.append(f"{name!r} can't be loaded: {type(error).__name__}: {error}")
    if problems:
        raise ConfigurationError(f"{project.path}: {listing(problems)}")
    return ProjectFunctions(
        {name: OwnCleaner(name, loaded[name]) for name in cleaners},
        {name: OwnImputation(name, loaded[name]) for name in imputations},
    )


def _load(folder: Path, name: str) -> Callable[..., Any]:
    module_name, function_name = name.split(":")
    path = folder.joinpath(*module_name.split(".")).with_suffix(".py")
    # Under a unique name, so that a project's module never hides one of the pipeline's.
    qualified = f"project_code.{module_name}"
    module: ModuleType | None = sys.modules.get(qualified)
    # A process may work on two projects, as `diff` does: each has its own modules.
    if module is None or module.__file__ != str(path):
        specification = importlib.util.spec_from_file_location(qualified, path)
        if specification is None or specification.loader is None:
            raise ImportError(f"no module at {path}")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        sys.modules[qualified] = module
    function: Callable[..., Any] = getattr(module, function_name)
    return function
