"""The gate for the three tables: copies without phone numbers and rare combinations of answers.

Rows pass one by one, so memory only grows with the hashes of participants' uids, the combinations counted and the
findings, not with the length of the season.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.disclosure import PhoneNumberPolicy
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.rare_combinations import find_rare_participants
from engagement.delivery.disclosure.rows import RowGate, hash_uid
from engagement.delivery.disclosure.texts import TextGate
from engagement.foundation.errors import InputError
from engagement.foundation.files import reading_csv, write_csv

INDIVIDUALS, MESSAGES, PRODUCTION = "individuals.csv", "messages.csv", "production.csv"


def pass_tables(project: Project, outputs: Path, copies: Path) -> DisclosureFindings:
    """Write masked copies of the three tables in an Outputs folder to `copies`; return the findings.

    Raises
    ------
    InputError
        A table is missing or malformed, or individuals.csv lacks a column named in Disclosure.Columns.
    """
    disclosure = project.configuration.disclosure
    individuals = outputs / INDIVIDUALS
    header = read_header(individuals)
    findings, withheld = DisclosureFindings(), _withheld_columns(project, header)
    if disclosure.k_anonymity is not None:
        places = [header.index(column) for column in disclosure.columns]
        findings.rare = find_rare_participants(lambda: _staying(individuals), places, disclosure.k_anonymity)
    staying = {hash_uid(uid) for uid, _ in _staying(individuals)}
    texts = TextGate(findings, lets_pass=disclosure.phone_numbers is PhoneNumberPolicy.ALLOW)
    for name in (INDIVIDUALS, MESSAGES, PRODUCTION):
        _pass_table(project, name, outputs, copies, _Passing(texts, staying, withheld))
    return findings


def pass_production(project: Project, outputs: Path, copies: Path) -> DisclosureFindings:
    """Write a masked copy of an uncoded production.csv, the only table then; return the findings."""
    findings = DisclosureFindings()
    texts = TextGate(findings, lets_pass=project.configuration.disclosure.phone_numbers is PhoneNumberPolicy.ALLOW)
    read_header(outputs / PRODUCTION)
    staying = {hash_uid(row[0]) for row in read_rows(outputs / PRODUCTION)}
    _pass_table(project, PRODUCTION, outputs, copies, _Passing(texts, staying))
    return findings


@dataclass(frozen=True)
class _Passing:
    """Settings for the rows of all tables: the gate for texts, who stays, and the columns to withhold."""

    texts: TextGate
    staying: Collection[int]
    withheld: Collection[str] = ()


def _pass_table(project: Project, name: str, outputs: Path, copies: Path, passing: _Passing) -> None:
    header = read_header(outputs / name)
    gate = RowGate(
        name=name,
        texts=passing.texts,
        datasets={
            header.index(plan.raw_field): plan.coda_dataset or plan.raw_field
            for plan in project.coding_plans.all
            if plan.raw_field in header
        },
        consent=header.index(CONSENT_FIELD) if CONSENT_FIELD in header else None,
        staying=passing.staying,
        withheld=[place for place, column in enumerate(header) if column in passing.withheld],
        rare=passing.texts.findings.rare,
        are_guarded=name == PRODUCTION or project.configuration.guard_formulas,
        are_folded=name == INDIVIDUALS,
    )
    rows = (gate.pass_row(number, row) for number, row in enumerate(read_rows(outputs / name), 1))
    write_csv(copies / name, header, rows, quote_all=name == PRODUCTION)


def read_header(path: Path) -> list[str]:
    """Read the column names of a table from stage 3."""
    with reading_csv(path) as rows:
        header = next(rows, [])
    if header[:1] != [UID_FIELD]:
        raise InputError(f"{path}: the first column is not {UID_FIELD!r}; expected a table of stage 3. Run it again.")
    return header


def read_rows(path: Path) -> Iterator[list[str]]:
    """Read the rows below a table's header, one by one."""
    with reading_csv(path) as rows:
        width = len(next(rows, []))
        for number, row in enumerate(rows, 1):
            if len(row) != width:
                raise InputError(f"{path}, row {number}: {len(row)} cell(s); expected {width}. Run the stage again.")
            yield row


def _staying(individuals: Path) -> Iterator[tuple[str, list[str]]]:
    """Give the uid and row of each participant who did not withdraw."""
    header = read_header(individuals)
    consent = header.index(CONSENT_FIELD) if CONSENT_FIELD in header else None
    return ((row[0], row) for row in read_rows(individuals) if consent is None or row[consent] != "true")


def _withheld_columns(project: Project, header: Sequence[str]) -> frozenset[str]:
    """Return all columns of the plans in Disclosure.Columns: the text itself reveals its code."""
    names = project.configuration.disclosure.columns
    plan_of = {column: plan for plan in project.coding_plans.all for column in plan.columns()}
    # Another version of the coding plans made these outputs.
    missing = [name for name in names if name not in header]
    if missing:
        raise InputError(
            f"{INDIVIDUALS}: no column {', '.join(map(repr, missing))}, which Disclosure.Columns names; expected it in what "
            "stage 3 writes. Run stage 3 again."
        )
    # Origins and listening groups have one column, and no plan.
    return frozenset(column for name in names for column in (plan_of[name].columns() if name in plan_of else [name]))
