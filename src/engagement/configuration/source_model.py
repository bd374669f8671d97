"""A source of messages of any type, as other code sees it."""

import abc
import enum
import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self, Union

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

from engagement.configuration.model import Model
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.configuration.source_types import load_models


class ResultKeys(enum.Enum):
    """Flows whose results are in a source's runs, with keys like "Age (Text) - demographics"."""

    NO_FLOW = enum.auto()
    ITS_OWN_FLOWS = enum.auto()
    ANY_FLOW = enum.auto()


class PlacedSource[S](NamedTuple):
    """A source and its JSON path, like $.RawDataSources[0]."""

    at: str
    source: S


class RawDataSource(Model, abc.ABC):
    """Base of the sources' models. That of source type X is `XSource`, with `SourceType` as a literal."""

    if TYPE_CHECKING:
        # Each type declares its own literal, where its manual lists it.
        source_type: str

    # JSON keys that name the activation flows and the survey flows.
    flow_keys: ClassVar[tuple[str, str]]
    result_keys: ClassVar[ResultKeys] = ResultKeys.NO_FLOW
    # True if its fetch exchanges phone numbers for uuids.
    uses_uuid_table: ClassVar[bool] = False
    # True if groups and fields of its contacts can be written; its package then has a part 'write_back'.
    takes_writes: ClassVar[bool] = False
    # True if its service tells contacts' phone numbers; its package then has a part 'contact_numbers'.
    tells_numbers: ClassVar[bool] = False
    # Attributes about the fetch that don't affect the fetched data: changing them leaves stage 3's results unchanged.
    read_by_fetch_alone: ClassVar[frozenset[str]] = frozenset()

    @property
    @abc.abstractmethod
    def activation_flow_names(self) -> tuple[str, ...]:
        """Names of the flows that receive the answers to episodes, in order."""

    @property
    @abc.abstractmethod
    def survey_flow_names(self) -> tuple[str, ...]:
        """Names of the flows that ask participants about themselves, in order."""

    @property
    def flow_names(self) -> tuple[str, ...]:
        """Names of all its flows."""
        return (*self.activation_flow_names, *self.survey_flow_names)

    @property
    def test_contacts(self) -> tuple[str, ...]:
        """Uuids of the contacts that the team tests with."""
        return ()

    @property
    def recovered_keys(self) -> RecoveredKeyNames | None:
        """Raw keys of the text, the time and the run id of recovered messages; None if it brings none."""
        return None

    @property
    def token_file_urls(self) -> tuple[str, ...]:
        """Addresses of files with tokens for its service."""
        return ()

    def placed_flows(self) -> Iterator[tuple[str, str]]:
        """Its flows, each with its place in the source: ("ActivationFlowNames[0]", "s01e01_activation")."""
        for key, names in zip(self.flow_keys, (self.activation_flow_names, self.survey_flow_names), strict=True):
            for number, name in enumerate(names):
                yield f"{key}[{number}]", name

    def placed_results(self) -> Iterator[tuple[str, str, str]]:
        """The place, flow and name of each result that its settings name; none if its service decides.

        ("Forms[0].EpisodeQuestions[0]", "leap_s05", "S05")
        """
        return iter(())

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterable[Problem]:
        """Find errors in, and conflicts between, all the sources of this type."""
        return ()

    @classmethod
    def alternatives(cls) -> Iterable[type[Model]]:
        """The models of all types stand for their base."""
        return load_models() if cls is RawDataSource else (cls,)


class _OfAnyType:
    """Reads a source by the model of its type. The models import this, so the table is read only then."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_validate)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(_union(load_models()).core_schema)


SourceOfAnyType = Annotated[RawDataSource, _OfAnyType]


def placed_sources(sources: Iterable[RawDataSource]) -> Iterator[PlacedSource[Any]]:
    """Sources with their JSON paths."""
    for position, source in enumerate(sources):
        yield PlacedSource(f"$.RawDataSources[{position}]", source)


def sources_by_type(sources: Iterable[RawDataSource]) -> dict[str, list[PlacedSource[Any]]]:
    """Sources with their JSON paths, those of each type together."""
    found: dict[str, list[PlacedSource[Any]]] = {}
    for placed in placed_sources(sources):
        found.setdefault(placed.source.source_type, []).append(placed)
    return found


def _validate(value: Any) -> Any:
    # Through JSON text, because strict validation takes lists for tuples and strings for enums only from there.
    return _union(load_models()).validate_json(json.dumps(value))


@functools.lru_cache
def _union(models: tuple[type[Model], ...]) -> TypeAdapter[Any]:
    # mypy does not know unions made at run time.
    union: Any = Annotated[Union[models], Field(discriminator="source_type")]  # noqa: UP007
    return TypeAdapter(union)
