"""Join a participant's survey answers to each of their messages."""

from collections.abc import Sequence

from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.pipeline.messages.result_keys import find_unanswered_keys
from engagement.provenance import Metadata, Nested, TracedData

_SURVEY_ANSWERS = "survey_answers"
_CONTACT_KEYS = ("urn_type", "operator_raw", "operator_coded")
_COMMON_KEYS = ("avf_phone_id", "test_run", *_CONTACT_KEYS)


def combine_survey_runs(
    runs: Sequence[TracedData], metadata: Metadata, recovered: tuple[RecoveredKeyNames, ...]
) -> Nested | None:
    """Combine a participant's survey runs into one record to join to their messages; None without runs.

    A later run wins key by key, but a null answer replaces neither an earlier answer nor what travels with it, like its
    time. Runs that contribute nothing are left out, so the number of keys bounds the record's size, not the number of
    runs. `recovered` are the keys of recovered messages.
    """
    if not runs:
        return None
    if len(runs) == 1:
        return Nested({_SURVEY_ANSWERS: runs[0]})
    unanswered = [find_unanswered_keys(run.values, recovered) for run in runs]
    latest: dict[str, int] = {}
    for position, run in enumerate(runs):
        # Nearly all runs answer everything that they hold.
        overruled = [key for key in unanswered[position] if key in latest]
        latest.update({**dict.fromkeys(run.values, position), **{key: latest[key] for key in overruled}})
    combined = TracedData()
    for position in sorted(set(latest.values())):
        before = combined.values
        kept = {key: before[key] for key in unanswered[position] if key in before and latest[key] != position}
        combined.append(kept, metadata, {"survey_run": runs[position]})
    return Nested({_SURVEY_ANSWERS: combined})


def share_contact(runs: Sequence[TracedData], survey: Nested | None, metadata: Metadata) -> None:
    """Give recovered messages what another run of the participant knows about the contact.

    Otherwise one participant would have a mobile operator in some messages and none in others. Where survey answers know it, joining them
    does the same.
    """
    known: dict[str, object] = {}
    for run in runs:
        for key in _CONTACT_KEYS:
            if key in run.values:
                known.setdefault(key, run.values[key])
    missing = {key: value for key, value in known.items() if survey is None or key not in survey.values}
    for run in runs:
        if missing and not any(key in run.values for key in _CONTACT_KEYS):
            run.append(missing, metadata)


def join_survey(run: TracedData, survey: Nested | None, metadata: Metadata) -> TracedData:
    """Make a new record that continues an activation run and holds the participant's survey answers.

    Where both hold the same fact about the contact, the activation run's value stays.
    """
    joined = run.copy()
    if survey is not None:
        own = {
            key: run.values[key]
            for key in _COMMON_KEYS
            if key in run.values and key in survey.values and run.values[key] != survey.values[key]
        }
        joined.append(own, metadata, survey)
    return joined
