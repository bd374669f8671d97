"""Named selections of participants to write to again, and listening groups."""

from typing import Annotated

from pydantic import AfterValidator

from engagement.configuration.coded_with import parse_condition
from engagement.configuration.model import Model, key
from engagement.configuration.value_types import ColumnWord, FieldKey, Text, refuse

ANY_EPISODE = "any"


def _check_condition(text: str) -> str:
    try:
        parse_condition(text)
    except ValueError as error:
        raise refuse(
            f"can't be read: {error}; expected codes as '<dataset>:<code>', joined by and, or, not and brackets. Change it."
        ) from None
    return text


CodeCondition = Annotated[Text, AfterValidator(_check_condition)]


class ListeningGroup(Model):
    """People who listened together, as attendance was noted, with or without messages of their own."""

    name: ColumnWord = key("Name", "name of the group", "mothers")
    files: tuple[Text, ...] = key(
        "Files",
        "CSVs with a column of participants' ids, one a session; relative to this file. All other columns are ignored",
        ["attendance/mothers_1.csv"],
        min_length=1,
    )

    @property
    def column(self) -> str:
        """Name of its column in messages.csv and individuals.csv."""
        return f"listening_group_{self.name}"


class WithdrawnElsewhere(Model):
    """People who withdrew in other projects with the same uuid table: nobody writes to them here either."""

    data_roots: tuple[Text, ...] = key(
        "DataRoots",
        "data roots of other projects on this machine, relative to this file: whoever withdrew by the last outputs there",
        ["/srv/other_show/data root"],
        (),
    )
    files: tuple[Text, ...] = key(
        "Files", "CSVs with a column of participants' ids; relative to this file", ["withdrawn.csv"], ()
    )


class ContactSample(Model):
    """A sample of a selection: the same data and seed give the same people."""

    size: int = key("Size", "participants to draw", 500, ge=1)
    seed: int = key("Seed", "another number draws other people", 1, 1)
    stratify_by: Text | None = key(
        "StratifyBy",
        "dataset whose answers keep their shares in the sample, such as a level of places or the gender",
        "gender",
        None,
    )


class ContactTarget(Model):
    """Where in RapidPro a selection goes."""

    group: Text | None = key("Group", "group that holds the participants, and nobody else", "s01e06 advert", None)
    field: FieldKey | None = key("Field", "key of a contact field that says yes for them", "s01e06_advert", None)


class ContactSelection(Model):
    """Participants for whom all of this holds; never those who withdrew, nor test contacts."""

    name: Text = key("Name", "name of the selection", "s01e06_advert")
    took_part_in: tuple[Text, ...] = key(
        "TookPartIn",
        f"AnalysisFileKeys of episodes, or '{ANY_EPISODE}': participants with an opt-in in at least one",
        ["s01e01", "s01e02"],
        (),
    )
    last_weeks: int | None = key("LastWeeks", "only opt-ins that came in the last so many weeks", 8, None, ge=1)
    coded_with: CodeCondition | None = key(
        "CodedWith",
        "condition on their codes: '<AnalysisFileKey>:<StringValue>' joined by and, or, not and brackets",
        "s01e01:water and not gender:man",
        None,
    )
    places: tuple[Text, ...] = key(
        "Places",
        "StringValues of places of any level, or '<AnalysisFileKey>:<StringValue>' of one level",
        ["gedo", "district:baidoa"],
        (),
    )
    opted_in: bool = key("OptedIn", "only those with the meta code 'opt_in' in one of these episodes", True, False)
    listening_groups: tuple[Text, ...] = key(
        "ListeningGroups", "names of listening groups: only their members", ["mothers"], ()
    )
    not_contacted_for_days: int | None = key(
        "NotContactedForDays", "only those whom no hand-over of the last so many days held", 14, None, ge=1
    )
    operators: tuple[Text, ...] = key(
        "Operators", "StringValues of OperatorScheme: only people of these mobile operators or channels", ["hormud"], ()
    )
    exclusion_files: tuple[Text, ...] = key(
        "ExclusionFiles",
        "CSVs with a column of participants' ids who are left out; relative to this file",
        ["do_not_contact.csv"],
        (),
    )
    excluded_selections: tuple[Text, ...] = key(
        "ExcludedSelections", "names of selections whose participants are left out", ["already_called"], ()
    )
    sample: ContactSample | None = key("Sample", "draw only some of them", {}, None)
    to: ContactTarget | None = key("To", "where in RapidPro they go", {}, None)
