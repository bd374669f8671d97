"""Plan stages 1 and 4 by the files at hand. Coda is not asked, because it bills each answer."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engagement.foundation.errors import count_of
from engagement.labelling.datasets.datasets import Datasets, coded_file, find_datasets, output_file
from engagement.labelling.datasets.downloads import find_start
from engagement.labelling.datasets.known_messages import find_source_instance, load_added_messages, load_known_messages
from engagement.labelling.datasets.second_coders import choose_second_messages
from engagement.labelling.datasets.synchronisation import choose_new_messages
from engagement.services.coda.costs import reads_to_add, reads_to_download, reads_to_update
from engagement.services.coda.format import MessageDocument, read_message_file
from engagement.services.coda.labels import is_ticked, labels_of
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.sources.plan_context import say_time
from engagement.stages.planning.context import PlanContext

if TYPE_CHECKING:
    from engagement.labelling.suggestions.updates import SuggestedLabels

_REMEDY = "Run the stage that writes it again."


def plan_get(context: PlanContext) -> Iterator[str]:
    """Write the lines about stage 1."""
    credentials = context.coda_pull_credentials
    instance = open_coda(credentials).instance
    yield _name(credentials, instance)
    reads = 0
    for dataset in find_datasets(context.data_root, context.project.path).names:
        path = coded_file(context.data_root, dataset)
        if path.exists() and find_source_instance(context.data_root, dataset) in (None, instance):
            messages = read_message_file(path, _REMEDY)
            start = find_start(context.data_root, dataset, messages)
            since = "all are read again" if start is None else f"those changed since {say_time(start)} are read"
            yield f"dataset {dataset!r}: {count_of(len(messages), 'message')} held; {since}"
            reads += reads_to_download(len(messages)) + (len(messages) if start is None else 0)
        else:
            yield f"dataset {dataset!r}: not downloaded from there yet; all that it has is read, if it exists"
            # One read, to see if the dataset exists.
            reads += 1
    if isinstance(credentials, EmbeddedCredentials):
        yield "no reads of Firestore"
    else:
        yield f"at least {reads} reads of Firestore, and one for each message that is new or changed"


def plan_add(context: PlanContext) -> Iterator[str]:
    """Write the lines about stage 4, without the results of stages 2 and 3, which are not known yet."""
    credentials = context.coda_push_credentials
    instance = open_coda(credentials).instance
    yield f"{_name(credentials, instance)}; by Outputs/ as it is now, what stages 1 to 3 bring comes on top"
    reads = complete = 0
    datasets = find_datasets(context.data_root, context.project.path)
    for dataset in datasets.names:
        path = output_file(context.data_root, datasets.second.get(dataset, dataset))
        if not path.exists():
            yield f"dataset {dataset!r}: no file in Outputs/ yet"
            continue
        known = load_known_messages(context.data_root, dataset, instance)
        candidates: Sequence[MessageDocument] = read_message_file(path, _REMEDY)
        if dataset in datasets.second and datasets.double_coding is not None:
            chosen = known | load_added_messages(context.data_root, dataset, instance)
            candidates = choose_second_messages(candidates, chosen, datasets.double_coding)
        new = choose_new_messages(candidates, known)
        if not new:
            complete += 1
            continue
        with_labels = any(is_ticked(label) for message in new for label in labels_of(message))
        reads += reads_to_add(len(known), len(new), len(datasets.code_schemes.get(dataset, ())), with_labels)
        yield f"dataset {dataset!r}: {count_of(len(new), 'message')} to be added to the {len(known)} that it is known to have"
    if complete:
        yield f"{complete} dataset(s) with nothing to add"
    for dataset, labels in _plan_updates(context, datasets).items():
        known = load_known_messages(context.data_root, dataset, instance)
        reads += reads_to_update(len(known), len(labels), len(datasets.code_schemes.get(dataset, ())))
        yield f"dataset {dataset!r}: suggestions for up to {count_of(len(labels), 'message')} that nobody has labelled"
    if isinstance(credentials, EmbeddedCredentials):
        yield "no reads of Firestore"
    else:
        yield f"at most {reads} reads of Firestore, unless somebody else added messages since"


def _plan_updates(context: PlanContext, datasets: Datasets) -> "dict[str, SuggestedLabels]":
    """Find the suggestions for messages that Coda has, by dataset, if the project wants that."""
    if not datasets.are_suggestions_updated:
        return {}
    # Imported here, as few projects ask for it.
    from engagement.labelling.suggestions.updates import plan_update

    coda = open_coda(context.coda_push_credentials)
    found = {name: plan_update(coda, name, context.data_root, context.now, _REMEDY) for name in datasets.names}
    return {name: labels for name, labels in found.items() if labels}


def _name(credentials: Credentials, instance: str) -> str:
    return "Coda: embedded" if isinstance(credentials, EmbeddedCredentials) else f"Coda: {instance}"
