"""Questions -> coding plans and code schemes: known topics get their cleaners and ready-made schemes."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engagement.configuration import CodeScheme, PlanKind
from engagement.desk.projects.questions import ProjectQuestion
from engagement.desk.projects.schemes import SchemeMaker
from engagement.desk.projects.topics import Topic
from engagement.pipeline.coding.cleaning.places import PlaceTable, kenyan_places, somali_places

JsonObject = dict[str, Any]

TIME_OF_EPISODES = "sent_on"
WS_SCHEME_FILE, OPERATOR_SCHEME_FILE = "ws_correct_dataset.json", "operator.json"
_OPERATOR = "operator"


class Country(enum.StrEnum):
    """Country where the participants live, for its places and operators."""

    SOMALIA = "somalia"
    KENYA = "kenya"
    OTHER = "other"


class Language(enum.StrEnum):
    """Main language of the answers."""

    SOMALI = "somali"
    SWAHILI = "swahili"
    ENGLISH = "english"


@dataclass(frozen=True)
class _Places:
    """A country's places: the imputation function, and by level the cleaner. `drawn` levels are on maps.

    `out_of_coda` are levels that follow from finer ones and that hardly anybody names, so coders need no column for them.
    """

    table: PlaceTable
    levels: tuple[str, ...]
    out_of_coda: tuple[str, ...]
    imputation: str
    cleaners: Mapping[str, str]
    drawn: tuple[str, ...]
    # Too many to tabulate beside each theme.
    not_tabulated: tuple[str, ...]


@dataclass(frozen=True)
class ProposedPlans:
    """The coding plans file with its schemes by file name, and the levels of places to draw, finest last."""

    document: JsonObject
    schemes: Mapping[str, CodeScheme]
    drawn_levels: tuple[str, ...]
    questions: tuple[ProjectQuestion, ...]


def places_of(country: Country, language: Language) -> _Places | None:
    """The places of a country, with the cleaners that read them in the project's language."""
    if country is Country.SOMALIA:
        return _Places(
            somali_places(),
            somali_places().levels,
            ("state", "zone"),
            "somalia_location",
            {
                "mogadishu_sub_district": "somali.mogadishu_sub_district",
                "district": "somali.district_unless_mogadishu_sub_district",
            },
            ("region", "district", "mogadishu_sub_district"),
            ("mogadishu_sub_district", "district", "zone"),
        )
    if country is Country.KENYA:
        spoken = Language.SWAHILI if language is Language.SWAHILI else Language.ENGLISH
        # Few projects ask for wards: a scheme of 1,451 codes is only for those.
        levels = ("constituency", "county")
        cleaners = {level: f"{spoken}.{level}" for level in levels}
        return _Places(
            kenyan_places(), levels, (), "kenya_location", cleaners, ("county", "constituency"), ("constituency",)
        )
    return None


def propose_plans(
    questions: Sequence[ProjectQuestion], project_name: str, coda_prefix: str, country: Country, language: Language
) -> ProposedPlans:
    """Propose the coding plans of all questions. `coda_prefix` begins the names of datasets in Coda."""
    proposer = _Proposer(project_name, coda_prefix, country, language)
    return proposer.propose(questions)


class _Proposer:
    def __init__(self, project_name: str, coda_prefix: str, country: Country, language: Language) -> None:
        self._prefix = coda_prefix
        self._has_operators = country is not Country.OTHER
        self._places = places_of(country, language)
        self._language = language
        self._make = SchemeMaker(project_name)
        self._schemes: dict[str, CodeScheme] = {}

    def propose(self, questions: Sequence[ProjectQuestion]) -> ProposedPlans:
        located = self._find_located(questions)
        named = self._name_apart(questions, located)
        plans: dict[PlanKind, list[JsonObject]] = {kind: [] for kind in PlanKind}
        for question, original in zip(named, questions, strict=True):
            plans[question.kind].append(self._plan(question, has_levels=original is located))
        document: JsonObject = {"CodeSchemesDir": "code_schemes", "WSCorrectDatasetScheme": WS_SCHEME_FILE}
        self._schemes[WS_SCHEME_FILE] = self._make.datasets(question.name for question in named)
        if self._has_operators:
            document["OperatorScheme"] = OPERATOR_SCHEME_FILE
            self._schemes[OPERATOR_SCHEME_FILE] = self._make.operators()
            coding = self._single(_OPERATOR, OPERATOR_SCHEME_FILE)
            plans[PlanKind.DEMOGRAPHIC].append(
                {
                    "RawField": f"{_OPERATOR}_raw",
                    "RawFieldFoldStrategy": "assert_equal",
                    "CodingConfigurations": [coding],
                }
            )
        document |= {str(kind): found for kind, found in plans.items()}
        drawn = self._places.drawn if self._places and located else ()
        return ProposedPlans(document, self._schemes, drawn, tuple(named))

    def _find_located(self, questions: Sequence[ProjectQuestion]) -> ProjectQuestion | None:
        """Choose the question to code at every level of places: one that asks for a location, else the first."""
        asked = [q for q in questions if q.topic is Topic.LOCATION and q.kind is not PlanKind.RQA]
        if self._places is None or not asked:
            return None
        finest = ("location", *self._places.levels)
        return min(asked, key=lambda q: next((i for i, level in enumerate(finest) if level in q.name), len(finest)))

    def _name_apart(
        self, questions: Sequence[ProjectQuestion], located: ProjectQuestion | None
    ) -> list[ProjectQuestion]:
        """Rename questions whose name belongs to a level of places, an age category or the operator."""
        taken = {_OPERATOR, *(self._places.levels if self._places and located else ())}
        taken |= {f"{question.name}_category" for question in questions if question.topic is Topic.AGE}
        return [
            replace(question, name=f"{question.name}_answer")
            if question.name in taken and question is not located
            else question
            for question in questions
        ]

    def _plan(self, question: ProjectQuestion, has_levels: bool) -> JsonObject:
        name = question.name
        plan: JsonObject = {"RawField": f"{name}_raw"}
        if question.kind is PlanKind.RQA:
            plan |= {"TimeField": TIME_OF_EPISODES, "RunIDField": f"{name}_run_id"}
        else:
            plan |= {"TimeField": f"{name}_time"}
        plan["CodaFilename"] = f"{self._prefix}_{name}.json"
        if question.kind is PlanKind.RQA:
            plan["ICRFilename"] = f"{name}.csv"
        plan |= {
            "WSCode": name,
            "RawFieldFoldStrategy": "concatenate" if question.kind is PlanKind.RQA else "assert_equal",
        }
        if question.kind is PlanKind.RQA:
            return plan | {"CodingConfigurations": [self._open(question)]}
        if has_levels and self._places is not None:
            return plan | {
                "CodeImputationFunction": self._places.imputation,
                "CodingConfigurations": [self._level(self._places, level) for level in self._places.levels],
            }
        if question.topic is Topic.AGE:
            plan["CodeImputationFunction"] = "age_category"
        return plan | {"CodingConfigurations": self._codings(question)}

    def _codings(self, question: ProjectQuestion) -> list[JsonObject]:
        name = question.name
        match question.topic:
            case Topic.GENDER:
                self._schemes["gender.json"] = self._make.gender()
                return [self._single(name, "gender.json", Cleaner=f"{self._language}.gender")]
            case Topic.AGE:
                self._schemes["age.json"] = self._make.age()
                self._schemes["age_category.json"] = self._make.age_category()
                cleaner = {"Cleaner": f"{self._language}.age", "IncludeInThemeDistribution": False}
                return [
                    self._single(name, "age.json", **cleaner),
                    self._single(f"{name}_category", "age_category.json", InCoda=False),
                ]
            case Topic.URBAN_RURAL:
                self._schemes[f"{name}.json"] = self._make.urban_rural(_title(name))
                return [self._single(name, f"{name}.json", Cleaner=f"{self._language}.urban_rural")]
            case Topic.YES_NO:
                self._schemes[f"{name}.json"] = self._make.yes_no(_title(name))
                return [self._single(name, f"{name}.json", Cleaner=f"{self._language}.yes_no")]
            case Topic.CLOSED:
                self._schemes[f"{name}.json"] = self._make.categories(_title(name), question.categories)
                return [self._single(name, f"{name}.json")]
            case _:
                return [self._open(question)]

    def _open(self, question: ProjectQuestion) -> JsonObject:
        """Make a plan whose answers may have several codes."""
        name = question.name
        self._schemes[f"{name}.json"] = self._make.categories(_title(name), question.categories)
        return {
            "CodingMode": "MULTIPLE",
            "CodeScheme": f"{name}.json",
            "CodedField": f"{name}_coded",
            "AnalysisFileKey": name,
        }

    def _level(self, places: _Places, level: str) -> JsonObject:
        file = f"{level}.json"
        self._schemes[file] = self._make.places(places.table, level, _title(level))
        more: JsonObject = {"Cleaner": places.cleaners[level]} if level in places.cleaners else {}
        if level in places.not_tabulated:
            more["IncludeInThemeDistribution"] = False
        if level in places.out_of_coda:
            more["InCoda"] = False
        return self._single(level, file, **more)

    def _single(self, name: str, file: str, **more: Any) -> JsonObject:
        return {
            "CodingMode": "SINGLE",
            "CodeScheme": file,
            "CodedField": f"{name}_coded",
            "AnalysisFileKey": name,
            **more,
        }


def _title(name: str) -> str:
    return name.replace("_", " ").title()
