"""Names of cleaners, imputation functions and levels of places that coding plans may use."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from engagement.configuration.nearest import nearest
from engagement.configuration.value_types import refuse

# The one function that guesses: the zone of those who named no place follows from their operator.
LOCATION_WITH_ZONE = "somalia_location"
# Each country's levels, the finest first.
LOCATION_LEVELS: Mapping[str, tuple[str, ...]] = {
    LOCATION_WITH_ZONE: ("mogadishu_sub_district", "district", "region", "state", "zone"),
    "kenya_location": ("ward", "constituency", "county"),
}
IMPUTATION_NAMES = ("age_category", *LOCATION_LEVELS, "yes_no_reasons")
_PLACE_CLEANERS = (
    "english.constituency",
    "english.county",
    "english.ward",
    "somali.district",
    "somali.district_unless_mogadishu_sub_district",
    "somali.mogadishu_sub_district",
    "swahili.constituency",
    "swahili.county",
    "swahili.ward",
)
CLEANER_NAMES = tuple(
    sorted(
        chain(
            _PLACE_CLEANERS,
            (
                f"{language}.{field}"
                for language in ("english", "somali", "swahili")
                for field in ("age", "gender", "urban_rural", "yes_no")
            ),
        )
    )
)


def is_project_function(name: str) -> bool:
    """Check if a cleaner or an imputation function is the project's own `<module>:<function>`.

    >>> is_project_function("our_cleaners:clean_clan"), is_project_function("somali.age")
    (True, False)
    """
    module, colon, function = name.partition(":")
    return bool(colon) and function.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _check_cleaner(name: str) -> str:
    if name not in CLEANER_NAMES and not is_project_function(name):
        raise refuse(f"is no cleaner; expected '<language>.<field>'{nearest(name, CLEANER_NAMES)} Change it.")
    return name


def _check_imputation(name: str) -> str:
    if name not in IMPUTATION_NAMES and not is_project_function(name):
        raise refuse(f"is no imputation function; expected one of the four{nearest(name, IMPUTATION_NAMES)} Change it.")
    return name


def _check_level(name: str) -> str:
    levels = tuple(chain.from_iterable(LOCATION_LEVELS.values()))
    if name not in levels:
        raise refuse(f"is no level of places; expected one{nearest(name, levels)} Change it.")
    return name


def _one_of_or_project_function(names: Iterable[str]) -> WithJsonSchema:
    """List the choices that editors offer: known names, or a function of the project's own."""
    own = {"type": "string", "pattern": r"^[^:]+:[^:]+$", "description": "<module>:<function> of the project's own"}
    return WithJsonSchema({"anyOf": [{"enum": list(names)}, own]})


CleanerName = Annotated[str, AfterValidator(_check_cleaner), _one_of_or_project_function(CLEANER_NAMES)]
ImputationName = Annotated[str, AfterValidator(_check_imputation), _one_of_or_project_function(IMPUTATION_NAMES)]
LevelName = Annotated[
    str, AfterValidator(_check_level), WithJsonSchema({"enum": list(chain.from_iterable(LOCATION_LEVELS.values()))})
]
