"""Code schemes that come with the pipeline, and those made from a question's own categories."""

from collections.abc import Iterable, Sequence

from engagement.configuration import CodeScheme, CodeType, ControlCode
from engagement.desk.projects.topics import themes_of
from engagement.labelling.code_books.building import NewCode, build_scheme, make_scheme_id
from engagement.labelling.code_books.spreadsheet import make_string_value
from engagement.pipeline.coding.cleaning import codes_of_cleaner
from engagement.pipeline.coding.cleaning.places import PlaceTable
from engagement.sources.operator_prefixes import operator_codes

# The ranges that age_category puts ages into, both ends inclusive.
_AGE_CATEGORIES = ((10, 14), (15, 17), (18, 35), (36, 54), (55, 99))
_WS_CONTROL_CODES = (ControlCode.NA, ControlCode.NC, ControlCode.NR, ControlCode.CE)
_OPERATOR_CONTROL_CODES = (ControlCode.NA, ControlCode.NC, ControlCode.STOP, ControlCode.CE)


class SchemeMaker:
    """Makes the schemes of one project: each has an id that follows from the project's name and its own."""

    def __init__(self, project_name: str) -> None:
        self._project_name = project_name

    def _build(
        self, name: str, codes: Sequence[NewCode], control_codes: Iterable[ControlCode] | None = None
    ) -> CodeScheme:
        scheme_id = make_scheme_id(f"{self._project_name}/{name}")
        if control_codes is not None:
            return build_scheme(name, codes, scheme_id=scheme_id, control_codes=control_codes)
        return build_scheme(name, codes, scheme_id=scheme_id, with_meta_codes=True)

    def gender(self) -> CodeScheme:
        """Women and men."""
        return self._build(
            "Gender",
            [
                NewCode("woman", "woman", shortcut="f", match_values=("woman", "female")),
                NewCode("man", "man", shortcut="m", match_values=("man", "male")),
            ],
        )

    def age(self) -> CodeScheme:
        """Ages that the cleaner gives, each under its own number."""
        ages = sorted(map(int, codes_of_cleaner("english.age")))
        return self._build(
            "Age", [NewCode(str(age), str(age), numeric_value=age, match_values=(str(age),)) for age in ages]
        )

    def age_category(self) -> CodeScheme:
        """The ranges that ages fall into; their match values are what the imputation function reads."""
        return self._build(
            "Age Category",
            [
                NewCode(f"{first} to {last}", f"{first}_to_{last}", match_values=(f"{first} to {last}",))
                for first, last in _AGE_CATEGORIES
            ],
        )

    def yes_no(self, name: str) -> CodeScheme:
        """Yes and no."""
        return self._build(
            name,
            [
                NewCode("yes", "yes", shortcut="y", match_values=("yes",)),
                NewCode("no", "no", shortcut="n", match_values=("no",)),
            ],
        )

    def urban_rural(self, name: str) -> CodeScheme:
        """Urban and rural."""
        return self._build(
            name,
            [NewCode(value, value, match_values=(value,)) for value in sorted(codes_of_cleaner("english.urban_rural"))],
        )

    def places(self, table: PlaceTable, level: str, name: str) -> CodeScheme:
        """The places of a level."""
        return self._build(name, [NewCode(code.title(), code, match_values=(code,)) for code in table.codes(level)])

    def operators(self) -> CodeScheme:
        """The mobile operators and other channels, coded at fetch."""
        return self._build(
            "Operator",
            [NewCode(code, code.replace(" ", "_"), match_values=(code,)) for code in sorted(operator_codes())],
            _OPERATOR_CONTROL_CODES,
        )

    def datasets(self, names: Iterable[str]) -> CodeScheme:
        """The datasets that an answer can belong to."""
        return self._build(
            "WS - Correct Dataset",
            [NewCode(name.replace("_", " "), name, match_values=(name,)) for name in names],
            _WS_CONTROL_CODES,
        )

    def categories(self, name: str, categories: Iterable[str]) -> CodeScheme:
        """The question's categories that are answers; coders and researchers add themes."""
        codes: dict[str, NewCode] = {}
        for theme in themes_of(categories):
            value = make_string_value(theme)
            if value and value.upper() not in ControlCode:
                codes.setdefault(value, NewCode(theme, value, CodeType.NORMAL, match_values=(theme.casefold(),)))
        return self._build(name, list(codes.values()))
