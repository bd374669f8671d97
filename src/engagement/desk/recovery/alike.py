"""Texts as telecoms and spreadsheet programs leave them, and the same texts in RapidPro."""

import html
import re
import unicodedata

# Where an SMS ends, in characters of the telecoms' own alphabet and of the others: shorter ones are no cut texts.
_SHORTEST_CUT = 60
_LOST = re.compile(r"[?\ufffd]+")
# Rounded as a spreadsheet program shows it, like 2.52615E+11.
_ROUNDED = re.compile(r"\+?[0-9](?:\.([0-9]+))?e\+[0-9]+")
_DIGITS = re.compile(r"\+?[0-9]+")
_FORMULA_FAULT = "#name?"
_MOST_LOST = 4


def fold_text(text: str) -> str:
    """Fold what telecoms change without loss: blanks, case, HTML entities, forms of accents.

    >>> fold_text("  Biyo &amp;\\n nabad ")
    'biyo & nabad'
    """
    plain = unicodedata.normalize("NFC", html.unescape(text))
    if not plain.isprintable():
        plain = "".join(character if character.isprintable() else " " for character in plain)
    return " ".join(plain.split()).casefold()


def are_alike(exported: str, arrived: str) -> bool:
    """Tell whether a folded text of an export can be the folded text that arrived, with something lost.

    >>> are_alike("waa caf? fiican", "waa café fiican"), are_alike("7", "007"), are_alike("haa", "maya")
    (True, True, False)
    >>> are_alike("x" * 160, "x" * 300), are_alike("2.5e+11", "252615000001"), are_alike("#name?", "=1+1")
    (True, True, True)
    """
    if not exported or not arrived:
        return exported == arrived
    if exported == _FORMULA_FAULT:
        return arrived[0] in "=+-@"
    if _is_same_number(exported, arrived):
        return True
    if min(len(exported), len(arrived)) >= _SHORTEST_CUT:
        length = min(len(exported), len(arrived))
        if _fits(exported[:length], arrived[:length]) or _fits_start(exported, arrived):
            return True
    return _fits(exported, arrived)


def _fits(exported: str, arrived: str) -> bool:
    plain = _keep_plain(exported), _keep_plain(arrived)
    if plain[0] == plain[1] and plain[0]:
        return True
    return _pattern(exported).fullmatch(arrived) is not None


def _fits_start(exported: str, arrived: str) -> bool:
    return _pattern(exported).match(arrived) is not None


def _pattern(exported: str) -> re.Pattern[str]:
    """Make a pattern in which lost characters stand for some that the telecom's alphabet lacks."""
    parts: list[str] = []
    end = 0
    for found in _LOST.finditer(exported):
        most = _MOST_LOST * len(found[0])
        parts += [re.escape(exported[end : found.start()]), rf"(?:[^\x00-\x7f]|\?){{0,{most}}}"]
        end = found.end()
    return re.compile("".join(parts) + re.escape(exported[end:]))


def _keep_plain(text: str) -> str:
    """Keep letters and digits, without their accents: signs are what gets lost, or changed."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(character for character in parts if character.isalnum())


def _is_same_number(exported: str, arrived: str) -> bool:
    if _DIGITS.fullmatch(arrived) is None:
        return False
    digits = arrived.lstrip("+")
    if _DIGITS.fullmatch(exported):
        return exported.lstrip("+").lstrip("0") == digits.lstrip("0")
    rounded = _ROUNDED.fullmatch(exported)
    return rounded is not None and float(exported) == float(f"{float(digits):.{len(rounded[1] or '')}e}")
