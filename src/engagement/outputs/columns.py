"""What stands in each column of the output files: the manual's words, and what a test holds the files against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column, or a family of them: `<…>` stands for what the coding plans say."""

    file: str
    name: str
    meaning: str


_CODED = (
    Column("", "uid", 'the participant; "STOP" in the rows of those who withdrew consent'),
    Column("", "consent_withdrawn", '"true" or "false"; where it is "true" every other cell is "STOP"'),
    Column("", "<AnalysisFileKey>", "SINGLE codings: the code's StringValue"),
    Column("", "<AnalysisFileKey>_<StringValue>", 'MULTIPLE codings, one column a code of the scheme: "1" or "0"'),
    Column(
        "", "<RawField>", "what the participant wrote, after wrong-scheme moves; exact, so not safe to run as a formula"
    ),
)
COLUMNS = (
    *(Column("messages.csv", column.name, column.meaning) for column in _CODED),
    *(Column("individuals.csv", column.name, column.meaning) for column in _CODED[:4]),
    Column(
        "individuals.csv", "<RawField>", "the participant's texts, folded: joined with ; (concatenate) or the one text"
    ),
    Column("production.csv", "uid", "the participant; those who withdrew are left out"),
    Column(
        "production.csv",
        "<RawField>",
        "what the participant wrote; an apostrophe precedes what a spreadsheet would run",
    ),
    Column("ICR/<ICRFilename>", "<RunIDField>", "RapidPro's id of the run; empty for an answer that came in a survey"),
    Column(
        "ICR/<ICRFilename>",
        "<RawField>",
        "a text to be coded twice; an apostrophe precedes what a spreadsheet would run",
    ),
)
