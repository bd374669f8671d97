"""Whether Coda, the configuration and the labels mean the same by a code."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from engagement.services.coda_format import CodeScheme, Message
from engagement.services.coda_metrics import UNCODED, primary_scheme_id

# What a label means to those who make it and to those who read it. Colours, shortcuts and what cleaners match may differ.
_MEANING = ("CodeType", "ControlCode", "MetaCode", "DisplayText", "NumericValue", "StringValue")


def find_scheme_differences(in_coda: Iterable[CodeScheme], configured: Iterable[CodeScheme]) -> list[str]:
    """Find where schemes that both have are not the same code book: one line for each code, naming what differs."""
    coda_schemes = {scheme["SchemeID"]: scheme for scheme in in_coda}
    return [
        f"scheme {scheme['SchemeID']!r}, code {code_id!r}: {difference}"
        for scheme in configured
        if scheme["SchemeID"] in coda_schemes
        for code_id, difference in _find_code_differences(coda_schemes[scheme["SchemeID"]], scheme)
    ]


def find_absent_schemes(in_coda: Iterable[CodeScheme], configured: Iterable[CodeScheme]) -> list[str]:
    """The ids of configured schemes that Coda lacks."""
    present = {scheme["SchemeID"] for scheme in in_coda}
    return [scheme["SchemeID"] for scheme in configured if scheme["SchemeID"] not in present]


def find_unknown_codes(messages: Iterable[Message], code_schemes: Sequence[CodeScheme]) -> list[str]:
    """Find labels with a code that their scheme lacks: one line for each code, with the number of messages.

    Only the newest label of a scheme (or of its copy) counts; labels of schemes that are not given are passed over.
    """
    code_ids = {scheme["SchemeID"]: {code["CodeID"] for code in scheme["Codes"]} for scheme in code_schemes}
    found: Counter[tuple[str, str]] = Counter()
    for message in messages:
        newest: dict[str, str] = {}
        for label in message["Labels"]:
            newest.setdefault(label["SchemeID"], label["CodeID"])
        labels = {(primary_scheme_id(scheme_id, set(code_ids)), code_id) for scheme_id, code_id in newest.items()}
        found.update(
            (scheme_id, code_id)
            for scheme_id, code_id in labels
            if scheme_id in code_ids and code_id != UNCODED and code_id not in code_ids[scheme_id]
        )
    return [
        f"{count} message(s) have the label {code_id!r}, which scheme {scheme_id!r} lacks"
        for (scheme_id, code_id), count in sorted(found.items())
    ]


def _find_code_differences(in_coda: CodeScheme, configured: CodeScheme) -> Iterator[tuple[str, str]]:
    coda_codes = {code["CodeID"]: code for code in in_coda.get("Codes", [])}
    configured_codes = {code["CodeID"]: code for code in configured["Codes"]}
    for code_id in {**configured_codes, **coda_codes}:
        if code_id not in coda_codes:
            yield code_id, "only the configuration has it"
        elif code_id not in configured_codes:
            yield code_id, "only Coda has it"
        else:
            pairs = ((key, coda_codes[code_id].get(key), configured_codes[code_id].get(key)) for key in _MEANING)
            different = [f"{key} is {theirs!r} in Coda, {ours!r} here" for key, theirs, ours in pairs if theirs != ours]
            if different:
                yield code_id, "; ".join(different)
