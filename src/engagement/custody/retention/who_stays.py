"""Participants whose rows stay in the uuid table though none of their messages is young.

    who asked to be forgotten     the table still knows them, as another project may need them
    who withdrew                  in another project, by its notes or a list of ids, as well as here
    who is in a list              of a listening group, of whom not to write to, of testers
    who got a contact             from the writing back, which the next fetch is to know again

Of linked ids all stay if one does.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from engagement.configuration import PipelineConfiguration, Project
from engagement.custody.retention.silent_people import find_withdrawn_people
from engagement.delivery.selections.withdrawn import find_withdrawn_elsewhere
from engagement.delivery.write_back.made_contacts import find_made_contacts
from engagement.sources.contacts_directory import read_participants
from engagement.sources.forgotten import read_forgotten
from engagement.sources.participant_lists import read_participant_list


def find_staying(project: Project, data_root: Path, uids: Collection[str]) -> set[str]:
    """Find who of these stays.

    Raises
    ------
    ConfigurationError
        A list is missing, or holds something else than ids.
    InputError
        A data root of WithdrawnElsewhere is missing, or has no notes of stage 3.
    """
    configuration, folder = project.configuration, project.path.parent
    forgotten = read_forgotten(data_root)
    found = {uid for uid in uids if forgotten.find(uid) is not None}
    found |= find_withdrawn_people(data_root, uids)
    elsewhere = configuration.withdrawn_elsewhere
    found |= find_withdrawn_elsewhere(elsewhere, folder, configuration.participant_prefix, uids).uids
    for name in _lists_of(configuration):
        found |= read_participant_list(folder / name, configuration.participant_prefix).uids
    found.update(configuration.test_participant_uuids)
    found |= find_made_contacts(data_root) - read_participants(data_root)
    return found.intersection(uids)


def _lists_of(configuration: PipelineConfiguration) -> Iterator[str]:
    for group in configuration.listening_groups:
        yield from group.files
    for selection in configuration.contacts:
        yield from selection.exclusion_files
