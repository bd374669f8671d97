"""Differences between Coda, the configuration and the labels in what a code means."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from engagement.services.coda.format import CodeSchemeDocument, MessageDocument, name_segment
from engagement.services.coda.labels import MANUALLY_UNCODED, newest_by_scheme_id
from engagement.services.coda.metrics import primary_scheme_id

# The meaning of a label to coders and analysts. Colours, shortcuts and match values may differ.
MEANING = ("CodeType", "ControlCode", "MetaCode", "DisplayText", "NumericValue", "StringValue")


Find = Callable[[Sequence[CodeSchemeDocument], Sequence[CodeSchemeDocument]], list[str]]


def find_in_segments(
    find: Find, dataset: str, segments: Sequence[Sequence[CodeSchemeDocument]], configured: Sequence[CodeSchemeDocument]
) -> list[tuple[str, str]]:
    """Apply a function below to each segment; return each finding once, with its segments ("": all)."""
    found: dict[str, list[str]] = {}
    for number, in_coda in enumerate(segments, 1):
        for text in find(in_coda, configured):
            found.setdefault(text, []).append(repr(name_segment(dataset, number)))
    return [
        (text, f" (in segment {', '.join(names)})" if len(names) < len(segments) else "")
        for text, names in found.items()
    ]


def find_scheme_differences(
    in_coda: Iterable[CodeSchemeDocument], configured: Iterable[CodeSchemeDocument]
) -> list[str]:
    """Find codes that differ in schemes that both sides have, one line each, naming the differences.

    `in_coda` may contain several versions of a scheme, as segments can differ.
    """
    by_id = {scheme["SchemeID"]: scheme for scheme in configured}
    lines = [
        f"scheme {scheme['SchemeID']!r}, code {code_id!r}: {difference}"
        for scheme in in_coda
        if scheme["SchemeID"] in by_id
        for code_id, difference in find_code_differences(scheme, by_id[scheme["SchemeID"]])
    ]
    return list(dict.fromkeys(lines))


def find_odd_schemes(in_coda: Sequence[CodeSchemeDocument], configured: Sequence[CodeSchemeDocument]) -> list[str]:
    """Find unknown schemes that coders see, and codes of scheme copies that mean something else."""
    by_id = {scheme["SchemeID"]: scheme for scheme in configured}
    lines = []
    for scheme in in_coda:
        primary = by_id.get(primary_scheme_id(scheme["SchemeID"], set(by_id)))
        if primary is None:
            lines.append(_say_other_scheme(scheme, configured))
        elif primary["SchemeID"] != scheme["SchemeID"]:
            lines += [
                f"scheme {scheme['SchemeID']!r}, a copy of {primary['SchemeID']!r}, code {code_id!r}: {difference}"
                for code_id, difference in find_code_differences(scheme, primary)
            ]
    return list(dict.fromkeys(lines))


def _say_other_scheme(scheme: CodeSchemeDocument, configured: Sequence[CodeSchemeDocument]) -> str:
    codes = {code["CodeID"] for code in scheme["Codes"]}
    said = (
        f"scheme {scheme['SchemeID']!r} ({scheme.get('Name')!r}): only Coda has it; labels under it count for nothing"
    )
    shared = {other["SchemeID"]: len(codes & {code["CodeID"] for code in other["Codes"]}) for other in configured}
    best = max(shared, key=lambda scheme_id: shared[scheme_id], default=None)
    # Control codes often have the same id in every scheme, so they do not identify one.
    if best is None or 2 * shared[best] <= len(codes) or list(shared.values()).count(shared[best]) > 1:
        return said
    return (
        f"{said}. It has {shared[best]} of the codes of {best!r}: if the SchemeID was changed in the file, set it back, unless "
        "messages are labelled under the new one"
    )


def find_absent_schemes(in_coda: Iterable[CodeSchemeDocument], configured: Iterable[CodeSchemeDocument]) -> list[str]:
    """Return the ids of configured schemes that Coda lacks."""
    present = {scheme["SchemeID"] for scheme in in_coda}
    return [scheme["SchemeID"] for scheme in configured if scheme["SchemeID"] not in present]


def find_unknown_codes(messages: Iterable[MessageDocument], code_schemes: Sequence[CodeSchemeDocument]) -> list[str]:
    """Find labels whose code is not in their scheme, one line per code with its number of messages.

    Only the newest label of a scheme (or of its copy) counts; labels of schemes that are not given are ignored.
    """
    code_ids = {scheme["SchemeID"]: {code["CodeID"] for code in scheme["Codes"]} for scheme in code_schemes}
    found: Counter[tuple[str, str]] = Counter()
    for message in messages:
        newest = newest_by_scheme_id(message["Labels"])
        labels = {(primary_scheme_id(scheme_id, set(code_ids)), label["CodeID"]) for scheme_id, label in newest.items()}
        found.update(
            (scheme_id, code_id)
            for scheme_id, code_id in labels
            if scheme_id in code_ids and code_id != MANUALLY_UNCODED and code_id not in code_ids[scheme_id]
        )
    return [
        f"{count} message(s) have the label {code_id!r}, which scheme {scheme_id!r} lacks"
        for (scheme_id, code_id), count in sorted(found.items())
    ]


def find_code_differences(in_coda: CodeSchemeDocument, configured: CodeSchemeDocument) -> Iterator[tuple[str, str]]:
    """Yield each code that differs between Coda's and the configured scheme: its id, and how."""
    coda_codes = {code["CodeID"]: code for code in in_coda.get("Codes", [])}
    configured_codes = {code["CodeID"]: code for code in configured["Codes"]}
    for code_id in {**configured_codes, **coda_codes}:
        if code_id not in coda_codes:
            yield code_id, "only the configuration has it; coders can't choose it"
        elif code_id not in configured_codes:
            name = coda_codes[code_id].get("DisplayText")
            yield code_id, f"only Coda has it, as {name!r}; answers that coders give it count as not coded (NC)"
        else:
            pairs = ((key, coda_codes[code_id].get(key), configured_codes[code_id].get(key)) for key in MEANING)
            different = [f"{key} is {theirs!r} in Coda, {ours!r} here" for key, theirs, ours in pairs if theirs != ours]
            if different:
                yield code_id, "; ".join(different)
