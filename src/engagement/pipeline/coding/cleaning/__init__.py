"""Text -> code, pure: numbers, gender, yes or no, places, operators; Somali, Swahili and English.

A cleaner reads an answer the way a careful person would, and gives None where that person would not be sure. It is named
"<language>.<field>", after the project's main language; answers in the other two are read where they can't be confused.
"any.operator" reads phone numbers.

`phone_numbers` is not a cleaner: it finds phone numbers that people typed into their texts, for the report and the gate before Drive.
"""

import functools
from collections.abc import Callable, Iterable, Mapping

from engagement.pipeline.coding.cleaning.age import OLDEST, YOUNGEST, read_age
from engagement.pipeline.coding.cleaning.operators import read_operator
from engagement.pipeline.coding.cleaning.phrases import PhraseReader
from engagement.pipeline.coding.cleaning.place_names import PlaceReader, kenyan_reader, somali_reader
from engagement.pipeline.coding.cleaning.places import KENYAN_LEVELS, kenyan_places, somali_places
from engagement.pipeline.coding.cleaning.text import match_key
from engagement.sources.operator_prefixes import operator_codes

Cleaner = Callable[[str], str | None]

# Short answers repeat: each cleaner remembers this many distinct ones, at most some 15 MB.
_REMEMBERED_ANSWERS = 1 << 16
_LONGEST_REMEMBERED = 80
_LONGEST_ANSWER = 2000  # in characters: anything longer is not an answer to one question, and slow to read

_LANGUAGES = ("somali", "swahili", "english")
_MOST_UNKNOWN_WORDS = {"gender": 4, "yes_no": 3, "urban_rural": 2}
_CHOICES = {"gender": ("man", "woman"), "yes_no": ("yes", "no"), "urban_rural": ("urban", "rural")}


@functools.cache
def find_cleaner(name: str) -> Cleaner:
    """Find a cleaner by name, e.g. "somali.gender": a function from an answer to a code, or to None.

    Raises
    ------
    KeyError
        There is no cleaner of this name.
    """
    return _makers()[name]()


def cleaner_names() -> tuple[str, ...]:
    """Return the names of all cleaners, sorted."""
    return tuple(sorted(_makers()))


def codes_of_cleaner(name: str) -> frozenset[str]:
    """Return every code that a cleaner can give.

    >>> sorted(codes_of_cleaner("somali.gender"))
    ['man', 'woman']

    Raises
    ------
    KeyError
        There is no cleaner of this name.
    """
    if name not in _makers():
        raise KeyError(name)
    field = name.partition(".")[2]
    if field in _CHOICES:
        return frozenset(_CHOICES[field])
    if field == "age":
        return frozenset(str(age) for age in range(YOUNGEST, OLDEST + 1))
    if field == "operator":
        return operator_codes()
    level = "district" if field.startswith("district") else field
    table = kenyan_places() if level in KENYAN_LEVELS else somali_places()
    return frozenset(table.codes(level))


@functools.cache
def _makers() -> Mapping[str, Callable[[], Cleaner]]:
    makers: dict[str, Callable[[], Cleaner]] = {"any.operator": lambda: _remember(read_operator, ())}
    for language in _LANGUAGES:
        makers[f"{language}.age"] = _age_cleaner
        for field in _CHOICES:
            makers[f"{language}.{field}"] = functools.partial(_phrase_cleaner, field, language)
    for level in ("district", "mogadishu_sub_district"):
        makers[f"somali.{level}"] = functools.partial(_place_cleaner, somali_reader, level)
    makers["somali.district_unless_mogadishu_sub_district"] = _district_unless_sub_district_cleaner
    for language in ("swahili", "english"):
        for level in ("county", "constituency"):
            makers[f"{language}.{level}"] = functools.partial(_place_cleaner, kenyan_reader, level)
        makers[f"{language}.ward"] = _ward_cleaner
    return makers


def _age_cleaner() -> Cleaner:
    return _remember(read_age, codes_of_cleaner("somali.age"))


def _phrase_cleaner(field: str, language: str) -> Cleaner:
    reader = PhraseReader(field, language, _MOST_UNKNOWN_WORDS[field], opening_decides=field == "yes_no")
    return _remember(reader.read, reader.phrases)


def _place_cleaner(reader_of_country: Callable[[], PlaceReader], level: str) -> Cleaner:
    reader = reader_of_country()
    return _remember(functools.partial(reader.read, level), reader.names)


def _ward_cleaner() -> Cleaner:
    # There are many ward names, so they are loaded only for projects that ask for them.
    from engagement.pipeline.coding.cleaning.ward_names import kenyan_ward_reader

    return _place_cleaner(kenyan_ward_reader, "ward")


def _district_unless_sub_district_cleaner() -> Cleaner:
    reader = somali_reader()

    def read(text: str) -> str | None:
        return reader.read("district", text) if reader.read("mogadishu_sub_district", text) is None else None

    return _remember(read, reader.names)


def _remember(read: Cleaner, known_answers: Iterable[str]) -> Cleaner:
    """Speed a reader up: remember the answers it has read, and for good those that are known beforehand."""
    known = frozenset(map(match_key, known_answers))
    read_known = functools.cache(read)
    remembered = functools.lru_cache(maxsize=_REMEMBERED_ANSWERS)(read)

    def clean(text: str) -> str | None:
        if len(text) > _LONGEST_ANSWER:
            return None
        key = match_key(text)
        if key in known:
            return read_known(key)
        return remembered(key) if len(key) <= _LONGEST_REMEMBERED else read(key)

    return clean
