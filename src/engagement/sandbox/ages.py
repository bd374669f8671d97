"""Ages as people write them: digits, digits with a word, and number words."""

from random import Random

_UNITS = {
    "som": ("", "kow", "laba", "saddex", "afar", "shan", "lix", "toddoba", "siddeed", "sagaal"),
    "swa": ("", "moja", "mbili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa"),
    "eng": ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}
_TENS = {
    "som": ("toban", "labaatan", "soddon", "afartan", "konton", "lixdan", "toddobaatan", "siddeetan", "sagaashan"),
    "swa": ("kumi", "ishirini", "thelathini", "arobaini", "hamsini", "sitini", "sabini", "themanini", "tisini"),
    "eng": ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
}
_ENGLISH_TEENS = ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_JOINED_BY = {"som": " iyo ", "swa": " na ", "eng": "-"}
_FORMS = {
    "som": ("{0}", "{0}", "{0}", "{0} jir", "{0}jir", "{0} sano", "waxaan ahay {0} jir", "da'daydu waa {0}", "{1}"),
    "swa": ("{0}", "{0}", "miaka {0}", "nina miaka {0}", "{1}"),
    "eng": ("{0}", "{0}", "{0}yrs", "I am {0}", "{0} years old", "{1}"),
}
_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def write_age(age: int, language: str, chance: Random) -> str:
    """Write an age from 10 to 99 as a person might."""
    if chance.random() < 0.02:
        return str(age).translate(_ARABIC_INDIC)
    return chance.choice(_FORMS[language]).format(age, age_in_words(age, language))


def age_in_words(age: int, language: str) -> str:
    """Spell out an age from 10 to 99.

    >>> age_in_words(25, "som"), age_in_words(40, "swa"), age_in_words(13, "eng")
    ('labaatan iyo shan', 'arobaini', 'thirteen')
    """
    tens, unit = divmod(age, 10)
    if language == "eng" and tens == 1 and unit:
        return _ENGLISH_TEENS[unit - 1]
    words = _TENS[language][tens - 1]
    return words + _JOINED_BY[language] + _UNITS[language][unit] if unit else words
