"""Writing back to RapidPro: what contacts' groups and fields say of what the project learnt."""

from engagement.configuration.model import Model, key
from engagement.configuration.value_types import FieldKey, Text


class WithdrawnWriteBack(Model):
    """Marks of participants who withdrew consent."""

    group: Text | None = key("Group", "group that they join", "stopped", None)
    field: FieldKey | None = key("Field", "key of a contact field that says yes of them", "consent_withdrawn", None)
    block: bool = key(
        "Block",
        "whether RapidPro blocks them: they get no more messages, can't write any, and leave all groups",
        True,
        False,
    )


class AnswerWriteBack(Model):
    """A contact field that tells flows that a question is answered."""

    coded_field: Text = key("CodedField", "coded field of the question", "age_category_coded")
    field: FieldKey = key("Field", "key of the contact field", "age_answered")
    values: bool = key("Values", "whether it holds the codes' StringValues, and not just yes", True, False)


class NonRelevantWriteBack(Model):
    """Marks of participants whose answers to episodes all lack a Normal code, once coders saw them all."""

    group: Text | None = key("Group", "group that holds them, and nobody else", "not relevant", None)
    field: FieldKey | None = key(
        "Field", "key of a contact field that says yes of them, later no", "not_relevant", None
    )


class WriteBack(Model):
    """What is written to RapidPro's contacts after the analysis."""

    withdrawn: WithdrawnWriteBack | None = key("Withdrawn", "marks of participants who withdrew consent", {}, None)
    demographics: tuple[AnswerWriteBack, ...] = key(
        "Demographics", "answered questions, so that flows need not ask again", [], ()
    )
    non_relevant: NonRelevantWriteBack | None = key(
        "NonRelevant", "marks of participants without any relevant answer", {}, None
    )
    contacts: tuple[Text, ...] = key(
        "Contacts", "names of selections in Contacts that go where their To says", ["s01e06_advert"], ()
    )
    create: bool = key(
        "Create",
        "whether participants of these selections whom no workspace knows get a contact, where the uuid table tells numbers",
        True,
        False,
    )
    at_most: int | None = key(
        "AtMost",
        "contacts that one run may change; more stop it before anything is sent, unless it has --accept-many",
        2000,
        None,
        ge=1,
    )
    allow_clearing: bool = key(
        "AllowClearing",
        "whether fields that the pipeline set are emptied, and STOP's group left, when the reason is gone",
        True,
        False,
    )
