"""Bringing Coda's code schemes and users in line with the configuration.

Finds what would change, and what may not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engagement.labelling.datasets.scheme_differences import MEANING, find_code_differences
from engagement.services.coda.format import CodeSchemeDocument, MessageDocument
from engagement.services.coda.labels import labels_of
from engagement.services.coda.metrics import primary_scheme_id


@dataclass(frozen=True)
class SegmentPush:
    """Changes to a segment: users to add, and schemes to set.

    `lines` describe them; `removed` are codes, as (SchemeID, CodeID).
    """

    dataset: str
    number: int
    users: list[str]
    code_schemes: list[CodeSchemeDocument]
    lines: list[str]
    removed: frozenset[tuple[str, str]]


def plan_push(
    dataset: str,
    number: int,
    in_coda: tuple[Sequence[str], Sequence[CodeSchemeDocument]],
    users: Iterable[str],
    configured: Sequence[CodeSchemeDocument],
    shown: Sequence[CodeSchemeDocument],
) -> SegmentPush:
    """Compare a segment's users and schemes with the configuration's; those that only Coda has stay.

    Copies of a scheme, which coders use for several codes on one message, get its codes too.
    """
    present_users, present = in_coda
    by_id = {scheme["SchemeID"]: scheme for scheme in configured}
    new_users = [user for user in users if user not in present_users]
    lines = [f"new user {user!r}" for user in new_users]
    to_set, removed = [], set()
    for scheme in present:
        primary = by_id.get(primary_scheme_id(scheme["SchemeID"], set(by_id)))
        if primary is None or (changed := _merge(scheme, primary)) == scheme:
            continue
        to_set.append(changed)
        scheme_id = scheme["SchemeID"]
        before, after = ({code["CodeID"] for code in version["Codes"]} for version in (scheme, primary))
        differences = [
            f"scheme {scheme_id!r}, code {code_id!r}: {difference}"
            for code_id, difference in find_code_differences(scheme, primary)
            if code_id in before & after
        ]
        differences += [f"scheme {scheme_id!r}: new code {code_id!r}" for code_id in sorted(after - before)]
        differences += [f"scheme {scheme_id!r}: code {code_id!r} is removed" for code_id in sorted(before - after)]
        lines += differences or [f"scheme {scheme_id!r}: name, version, order, colours or match values differ"]
        removed |= {(scheme_id, code_id) for code_id in before - after}
    present_ids = {scheme["SchemeID"] for scheme in present}
    absent = [scheme for scheme in shown if scheme["SchemeID"] not in present_ids]
    lines += [f"new scheme {scheme['SchemeID']!r}" for scheme in absent]
    return SegmentPush(dataset, number, new_users, to_set + absent, lines, frozenset(removed))


def find_codes_in_use(
    removed: Iterable[tuple[str, str]], messages: Iterable[MessageDocument]
) -> dict[tuple[str, str], int]:
    """Count the labels, older and proposed ones included, that use codes which are to be removed."""
    counts = dict.fromkeys(removed, 0)
    for message in messages:
        for label in labels_of(message):
            key = (label["SchemeID"], label["CodeID"])
            if key in counts:
                counts[key] += 1
    return {key: count for key, count in counts.items() if count}


def _merge(in_coda: CodeSchemeDocument, configured: CodeSchemeDocument) -> CodeSchemeDocument:
    """Return Coda's scheme with the configuration's codes; colours and shortcuts only in Coda stay."""
    is_copy = in_coda["SchemeID"] != configured["SchemeID"]
    own = {"SchemeID": in_coda["SchemeID"], **({"Name": in_coda["Name"]} if is_copy and "Name" in in_coda else {})}
    old = {code["CodeID"]: code for code in in_coda["Codes"]}
    codes = [
        {**{key: value for key, value in old.get(code["CodeID"], {}).items() if key not in MEANING}, **code}
        for code in configured["Codes"]
    ]
    return {**in_coda, **configured, **own, "Codes": codes}
