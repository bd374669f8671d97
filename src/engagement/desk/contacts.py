"""Count a named selection of participants, and hand it over to RapidPro or to a file.

Without --to-group, --to-field or --to-file it only counts, by place, operator and gender, and asks no service anything.
Whoever withdrew is never in it, nor are test contacts. Each hand-over is recorded in <data-root>/Hand-overs/.
"""

import argparse
import getpass
import logging
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import Project, load_project
from engagement.configuration.contact_selections import ContactSample, ContactSelection, ContactTarget
from engagement.configuration.nearest import nearest
from engagement.configuration.selection_checks import find_datasets
from engagement.delivery.selections.counts import count_selected
from engagement.delivery.selections.hand_overs import BEGUN, DONE, FILE, make_hand_over, record_hand_over
from engagement.delivery.selections.number_files import check_target, write_number_files
from engagement.delivery.selections.numbers import find_numbers
from engagement.delivery.selections.people import People, find_newer_data, read_people, refuse_newer_data
from engagement.delivery.selections.selecting import Selected, select_participants
from engagement.delivery.write_back.selection_targets import write_to_workspaces
from engagement.foundation.errors import ServiceError, UsageError, count_of
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, open_storage

log = logging.getLogger(__name__)

_MOST_LINES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("configuration", type=Path, help="pipeline configuration (JSON)")
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("credentials", type=Path, help="credentials file (JSON)")
    parser.add_argument(
        "--for", dest="selection", metavar="NAME", required=True, help="name of a selection in Contacts"
    )
    parser.add_argument(
        "--to-file",
        type=Path,
        metavar="FILE.xlsx",
        help="write phone numbers to a new file outside the data root, as RapidPro takes them",
    )
    for option, key in (("--to-group", "Group"), ("--to-field", "Field")):
        parser.add_argument(
            option,
            action="store_true",
            default=None,
            help=f"write them to the {key.lower()} of RapidPro that the selection's To.{key} names",
        )
    parser.add_argument(
        "--accept-many",
        action="store_true",
        help="with --to-group or --to-field: write even if more contacts change than WriteBack.AtMost",
    )
    parser.add_argument("--csv", action="store_true", help="with --to-file: write a CSV beside it as well")
    parser.add_argument("--sample", type=int, metavar="N", help="draw so many of them, instead of what Sample says")
    parser.add_argument("--seed", type=int, help="with --sample: another number draws other people; by default 1")
    parser.add_argument(
        "--stratify", metavar="DATASET", help="with --sample: keep the shares of a dataset's answers, such as gender"
    )
    parser.add_argument("--user", help="who hands them over, for the record; by default this user")


def run(arguments: argparse.Namespace) -> None:
    """Select, count, and hand over."""
    credentials, project = load_credentials(arguments.credentials), load_project(arguments.configuration)
    selection = _choose_sample(arguments, project, _find_selection(project, arguments.selection))
    _refuse_odd_options(arguments)
    to = _find_target(arguments, project, selection)
    if arguments.to_file is not None:
        check_target(arguments.to_file, arguments.data_root, project.path, project.configuration)
    if arguments.to_file is not None or to is not None:
        refuse_newer_data(arguments.data_root)
    people = read_people(project, arguments.data_root, datetime.now(UTC))
    selected = select_participants(selection, people)
    sys.stdout.write("\n".join(_describe(people, selected)) + "\n")
    _warn(people, selected)
    if not selected.uids:
        return
    record = _Record(people, selected, arguments.user or _name_user())
    policy = RetryPolicy()
    storage = open_storage(credentials, policy)
    if to is not None:
        _write_to_rapid_pro(record, to, storage, policy, arguments.accept_many)
    if arguments.to_file is not None:
        _write_file(record, arguments.to_file, arguments.csv, storage, policy)


def _write_file(record: "_Record", path: Path, with_csv: bool, storage: Storage, policy: RetryPolicy) -> None:
    found = find_numbers(record.people, record.selected.uids, storage, policy)
    sys.stdout.write(f"{found.say()}\n")
    if not found.by_uid:
        sys.stdout.write("No file was written: there is no number to write.\n")
        return
    record.add(FILE, tuple(found.by_uid), None)
    files = write_number_files(path, list(found.by_uid.values()), with_csv)
    record.add(FILE, tuple(found.by_uid), {"numbers": len(found.by_uid), "files": len(files)})
    sys.stdout.writelines(f"Wrote {file}\n" for file in files)


def _write_to_rapid_pro(
    record: "_Record", to: ContactTarget, storage: Storage, policy: RetryPolicy, accepts_many: bool
) -> None:
    wanted = record.people.project.configuration.write_back
    at_most = None if wanted is None or accepts_many else wanted.at_most
    found = write_to_workspaces(record.people, record.selected.uids, to, storage, policy, record.add, at_most)
    for target, written in found.written.items():
        told = (
            (written.inactive, "blocked, stopped or archived"),
            (written.gone, "no longer in RapidPro"),
            (written.refused, "refused"),
        )
        rest = "".join(f", {count:,} {what}" for count, what in told if count)
        sys.stdout.write(f"{target}: {written.changed:,} changed, {written.same:,} as they should be{rest}\n")
    if found.without_contact:
        sys.stdout.write(f"{count_of(found.without_contact, 'participant')} without a contact in RapidPro\n")
    if found.refused:
        reasons = {reason for written in found.written.values() for reason in written.reasons}
        raise ServiceError(
            f"RapidPro refused {count_of(found.refused, 'contact')}: {'; '.join(sorted(reasons))}. Expected it to take all; the "
            "rest was written. See to that, and run this again: only what is missing is sent."
        )


def _find_target(arguments: argparse.Namespace, project: Project, selection: ContactSelection) -> ContactTarget | None:
    """Return the group and the field that were asked for; None if neither was."""
    to = selection.to or ContactTarget()
    wanted = {"group": arguments.to_group, "field": arguments.to_field}
    for name, is_wanted in wanted.items():
        if is_wanted and getattr(to, name) is None:
            key = name.title()
            raise UsageError(
                f"--to-{name}: selection {selection.name!r} has no To.{key}; expected the {name}'s name there. Add it to Contacts."
            )
    if not any(wanted.values()):
        return None
    write_back = project.configuration.write_back
    if arguments.sample is not None and write_back is not None and selection.name in write_back.contacts:
        raise UsageError(
            f"--sample: WriteBack keeps the group and field of {selection.name!r} as configured; expected the same here. Put the "
            "sample into the configuration."
        )
    return to.model_copy(update={name: None for name, is_wanted in wanted.items() if not is_wanted})


def _find_selection(project: Project, name: str) -> ContactSelection:
    selections = {selection.name: selection for selection in project.configuration.contacts}
    if name not in selections:
        raise UsageError(
            f"--for {name!r}: no such selection in Contacts of {project.path}; expected one{nearest(name, selections)} "
            "Change it, or add it there."
        )
    return selections[name]


def _choose_sample(arguments: argparse.Namespace, project: Project, selection: ContactSelection) -> ContactSelection:
    """Take the sample of the command line, if it has one."""
    if arguments.sample is None:
        if arguments.seed is not None or arguments.stratify is not None:
            raise UsageError("--seed and --stratify say how to draw a sample; expected --sample as well. Add it.")
        return selection
    datasets = [*find_datasets(project.coding_plans), *project.configuration.origin_columns]
    if arguments.sample < 1:
        raise UsageError(f"--sample {arguments.sample}: expected 1 or more. Change it.")
    if arguments.stratify is not None and arguments.stratify not in datasets:
        raise UsageError(
            f"--stratify {arguments.stratify!r}: no such dataset; expected one{nearest(arguments.stratify, datasets)} Change it."
        )
    seed = 1 if arguments.seed is None else arguments.seed
    drawn = {"Size": arguments.sample, "Seed": seed, "StratifyBy": arguments.stratify}
    return selection.model_copy(update={"sample": ContactSample.model_validate(drawn)})


def _refuse_odd_options(arguments: argparse.Namespace) -> None:
    if arguments.csv and arguments.to_file is None:
        raise UsageError("--csv: writes a CSV beside the file; expected --to-file as well. Add it.")
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")


def _describe(people: People, selected: Selected) -> Iterator[str]:
    """Say who is selected, as lines of text."""
    threshold = people.project.configuration.small_count_threshold
    yield f"Selection {selected.name!r}, from the outputs of {people.season.made_at:%Y-%m-%d %H:%M} UTC"
    yield from (f"{count:>9,}  {step}" for step, count in selected.steps)
    yield f"{count_of(people.withdrawn, 'participant')} who withdrew: in no selection"
    yield from selected.notes
    if not selected.uids:
        yield f"Nobody is selected: {selected.say_steps()}. Nothing was sent."
        return
    for breakdown in count_selected(people, selected):
        yield f"By {breakdown.name}:"
        for name, count in breakdown.counts[:_MOST_LINES]:
            yield f"{count:>9,}  {name}{'  (small)' if count < threshold else ''}"
        rest = breakdown.counts[_MOST_LINES:]
        if rest:
            yield f"{sum(count for _, count in rest):>9,}  in {len(rest)} others"
    yield f"Selected: {count_of(len(selected.uids), 'participant')}"


def _warn(people: People, selected: Selected) -> None:
    threshold = people.project.configuration.small_count_threshold
    if 0 < len(selected.uids) < threshold:
        log.warning(
            "Selection %r has %s, fewer than SmallCountThreshold (%d): it singles out persons",
            selected.name,
            count_of(len(selected.uids), "participant"),
            threshold,
        )
    newer = find_newer_data(people.data_root)
    if newer:
        log.warning(
            "%s: newer than Outputs/: whoever withdrew since is still counted. Run stage 3 (generate outputs)", newer[0]
        )


def _name_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the user has a number alone.
        return f"user {os.getuid()}"


@dataclass(frozen=True)
class _Record:
    """The record of this hand-over."""

    people: People
    selected: Selected
    user: str

    def add(self, target: str, uids: Collection[str], counts: Mapping[str, int] | None) -> None:
        """Record that the hand-over of some participants begins, or with `counts` that it is done."""
        event = BEGUN if counts is None else DONE
        steps = {"selected": len(self.selected.uids), **(counts or {})}
        ordered = sorted(uids)
        hand_over = make_hand_over(datetime.now(UTC), self.user, event, self.selected.name, target, ordered, steps)
        record_hand_over(self.people.data_root, hand_over, ordered)
