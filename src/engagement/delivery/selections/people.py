"""Participants that can be written to again, and what is known about them.

They are the participants of the last outputs, which those who withdrew in any dataset are not among.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy

from engagement.analysis.tables.coded_table import CodedTable, Mask
from engagement.analysis.tables.season import Season, load_season
from engagement.configuration import CodingConfiguration, Project
from engagement.configuration.field_names import OPERATOR_FIELD
from engagement.configuration.origin_plans import is_origin_plan
from engagement.configuration.selection_checks import find_datasets, name_dataset
from engagement.delivery.selections.hand_overs import EarlierHandOver, read_hand_overs
from engagement.delivery.selections.withdrawn import WithdrawnThere, find_withdrawn, find_withdrawn_elsewhere
from engagement.foundation.errors import InputError
from engagement.pipeline.outputs.analysis_files import UID, analysis_folder, season_path
from engagement.processing.records.participant_links import ParticipantLinks, load_links
from engagement.processing.reuse.note_files import find_time_of_inputs
from engagement.sources.contacts_directory import find_contacts_files
from engagement.sources.operator_prefixes import operator_of
from engagement.sources.participant_lists import ParticipantList, read_participant_list
from engagement.sources.rapidpro.contact_map import read_contacts


@dataclass(frozen=True)
class KnownContact:
    """A participant's contact in a workspace, which is named by its file in Contacts/."""

    workspace: str
    uuid: str
    urn_type: str
    operator_raw: str


@dataclass(frozen=True, eq=False)
class People:
    """The participants of the last outputs at the moment `now`; all about them is read on first use."""

    season: Season
    data_root: Path
    now: datetime
    _lists: dict[str, ParticipantList] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """The project."""
        return self.season.project

    @property
    def individuals(self) -> CodedTable:
        """A row for each participant."""
        return self.season.individuals

    @property
    def withdrawn(self) -> int:
        """Number of participants who withdrew, and are nowhere here."""
        return self.season.funnel.withdrawn_participants

    @cached_property
    def uids(self) -> list[str]:
        """The participants' ids, in the order of the rows."""
        return list(map(str, self.individuals.column(UID).tolist()))

    def rows_of(self, uids: Iterable[str]) -> Mask:
        """Find the rows of some participants, by any of their ids."""
        # The outputs may have been made with other links.
        wanted = self.links.all_of(uids)
        return numpy.fromiter((uid in wanted for uid in self.uids), bool, len(self.uids))

    @cached_property
    def links(self) -> ParticipantLinks:
        """Ids that are one person's."""
        return load_links(self.project.configuration, self.project.path.parent)

    def uids_of(self, rows: Mask) -> tuple[str, ...]:
        """Return the ids of the participants in some rows, sorted."""
        return tuple(sorted(self.uids[number] for number in numpy.flatnonzero(rows).tolist()))

    @cached_property
    def contacts(self) -> Mapping[str, tuple[KnownContact, ...]]:
        """Every participant's contacts in RapidPro, by each of their ids; who withdrew has some, too."""
        found: dict[str, list[KnownContact]] = {}
        for path in find_contacts_files(self.data_root):
            for uuid, who in read_contacts(path):
                known = KnownContact(path.stem, uuid, who.urn_type, who.operator_raw)
                found.setdefault(who.uuid, []).append(known)
        return {uid: tuple(contacts) for uid, contacts in self.links.share(found).items()}

    @cached_property
    def known_uids(self) -> frozenset[str]:
        """Every id that this data root knows, of those who withdrew too where RapidPro has them."""
        return self.links.all_of(frozenset(self.contacts).union(self.uids))

    @cached_property
    def withdrawn_elsewhere(self) -> WithdrawnThere:
        """Participants who withdrew in another project that the configuration names."""
        configuration = self.project.configuration
        there = find_withdrawn_elsewhere(
            configuration.withdrawn_elsewhere,
            self.project.path.parent,
            configuration.participant_prefix,
            self.known_uids if configuration.withdrawn_elsewhere is not None else (),
        )
        return replace(there, uids=self.links.all_of(there.uids))

    @cached_property
    def withdrawn_under_other_ids(self) -> frozenset[str]:
        """Ids of linked people who withdrew under one, where the outputs do not know the link yet."""
        linked = {*self.links.firsts, *self.links.firsts.values()}
        return self.links.all_of(find_withdrawn(self.data_root, linked)) if linked else frozenset()

    @cached_property
    def test_uids(self) -> frozenset[str]:
        """The ids of participants with whom the team tests."""
        configuration = self.project.configuration
        testers = {uuid.lower() for source in configuration.raw_data_sources for uuid in source.test_contacts}
        by_contact = {
            uid
            for uid, contacts in self.contacts.items()
            if testers and any(c.uuid.lower() in testers for c in contacts)
        }
        return self.links.all_of(by_contact.union(configuration.test_participant_uuids))

    @cached_property
    def hand_overs(self) -> tuple[EarlierHandOver, ...]:
        """Every earlier hand-over."""
        return tuple(read_hand_overs(self.data_root))

    def read_list(self, name: str) -> ParticipantList:
        """Read a list of ids that the configuration names."""
        if name not in self._lists:
            prefix = self.project.configuration.participant_prefix
            self._lists[name] = read_participant_list(self.project.path.parent / name, prefix)
        return self._lists[name]

    def members(self, group: str) -> frozenset[str]:
        """Read the members of a listening group, whether they wrote or not."""
        groups = self.project.configuration.listening_groups
        files = (name for one in groups if one.name == group for name in one.files)
        return frozenset().union(*(self.read_list(name).uids for name in files))

    @cached_property
    def datasets(self) -> Mapping[str, CodingConfiguration]:
        """Every coding by the name of its dataset, those of OriginColumns among them."""
        origins = {name_dataset(coding): coding for plan, coding in self.season.questions if is_origin_plan(plan)}
        return origins | find_datasets(self.project.coding_plans)

    @cached_property
    def operators(self) -> list[frozenset[str]]:
        """Each row's mobile operators and channels, as StringValues of OperatorScheme where it has them."""
        coded = self._coded_operators()
        return [
            frozenset(found or map(self._name_operator, self.contacts.get(uid, ())))
            for uid, found in zip(self.uids, coded, strict=True)
        ]

    def _coded_operators(self) -> Iterator[list[str]]:
        plans = self.project.coding_plans.all
        codings = [c for plan in plans for c in plan.coding_configurations if c.coded_field == OPERATOR_FIELD]
        if not codings:
            return iter([[]] * len(self.uids))
        codes = self.individuals.codes(codings[0])
        names = [code.string_value if code.is_normal else "" for code in codings[0].code_scheme.codes]
        held = [[name for name, is_held in zip(names, row, strict=True) if is_held and name] for row in codes.holds]
        return (held[number] for number in codes.numbers.tolist())

    def _name_operator(self, contact: KnownContact) -> str:
        operator = operator_of(contact.urn_type, contact.operator_raw) or "unknown"
        scheme = self.project.coding_plans.operator_scheme
        code = None if scheme is None else scheme.codes_by_match_value.get(operator)
        return operator if code is None else code.string_value

    def answered_rows(self, coding: CodingConfiguration, code_ids: Iterable[str]) -> Mask:
        """Find the participants with one of some codes that was not guessed."""
        wanted = frozenset(code_ids)
        codes = self.individuals.codes(coding)
        rows: Mask = codes.hold_any(lambda code: code.code_id in wanted)
        for guessed in codes.guesses.values():
            rows &= ~guessed
        return rows


def read_people(project: Project, data_root: Path, now: datetime) -> People:
    """Read the participants of a data root at the moment `now`.

    Raises
    ------
    InputError
        Stage 3 has not run with coders' labels yet.
    """
    return People(load_season(project, data_root), data_root, now)


def find_newer_data(data_root: Path) -> list[Path]:
    """Find what was fetched or labelled after the outputs were made: somebody may have withdrawn in it."""
    season = season_path(analysis_folder(data_root))
    if not season.exists():
        return []
    # A run that saw that nothing had changed left the season as it was.
    made = max(season.stat().st_mtime_ns, find_time_of_inputs(data_root))
    files = (
        path for folder in ("Raw Data", "Coded Coda Files") for path in sorted((data_root / folder).glob("*.json*"))
    )
    return [path for path in files if path.stat().st_mtime_ns > made]


def refuse_newer_data(data_root: Path) -> None:
    """Refuse to hand over participants who may have withdrawn since.

    Raises
    ------
    InputError
        There are messages or labels that the outputs do not know.
    """
    newer = find_newer_data(data_root)
    if newer:
        raise InputError(
            f"{newer[0]}: newer than Outputs/, as are {len(newer)} file(s) in all; expected outputs of everything that was "
            "fetched, as whoever withdrew since would be written to. Run stage 3 (generate outputs) and this again."
        )
