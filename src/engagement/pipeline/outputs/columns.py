"""Contents of each column of the output files, in the manual's words; a test compares the files."""

from dataclasses import dataclass

from engagement.pipeline.outputs.statistics_columns import STATISTICS_COLUMNS


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
        "",
        "<RawField>",
        "what the participant wrote, after wrong-scheme moves; exact, so a spreadsheet may run it, unless GuardFormulas is set",
    ),
)

_RESPONDED = "messages coded with anything but NA or NS"
_LABELLED = "of these, those that hold no NR"
_RELEVANT = "of these, those with at least one Normal code"
_TRAFFIC = {
    "Total Messages with Opt-Ins": _RESPONDED,
    "Total Labelled Messages": _LABELLED,
    "Total Relevant Messages": _RELEVANT,
}
_MESSAGES = {
    "Episode": "AnalysisFileKey of the episode",
    "Code Scheme": "name of the code scheme",
    "Code": "StringValue of the code",
    "Message": "what the participant wrote; an apostrophe precedes what a spreadsheet would run",
}
_DISTRIBUTION = {
    "Dataset": "AnalysisFileKey, on its first row only",
    "Theme": '"Total Relevant Participants", those with at least one Normal code; then every code but STOP',
    "Total Participants": "participants who have the code",
    "Total Participants %": 'their share of the dataset\'s first row, for Normal codes; "-" of nobody',
}
_ANALYSIS_FILES = {
    "engagement_counts.csv": {
        "Dataset": 'AnalysisFileKey of an episode; "Total": all episodes, each message and participant once',
        "Total Messages": "all messages, those of participants who withdrew included",
        **_TRAFFIC,
        "Total Participants": "all participants, those who withdrew included",
        "Total Participants with Opt-Ins": "participants coded with anything but NA or NS",
        "Total Relevant Participants": "of these, those with at least one Normal code",
    },
    "demographic_distributions.csv": _DISTRIBUTION,
    "theme_distributions.csv": {
        **_DISTRIBUTION,
        "<AnalysisFileKey>:<StringValue>": "of the participants who have this code as well, how many",
        "<AnalysisFileKey>:<StringValue> %": "their share of the dataset's first row in the column before",
    },
    "repeat_participations.csv": {
        "Number of Episodes Participated In": "from 1 to the number of episodes",
        "Number of Participants with Opt-Ins": "participants who responded in exactly so many",
        "% of Participants with Opt-Ins": "their share of all who responded",
    },
    "share_intervals.csv": {
        "Dataset": 'AnalysisFileKey; "repeat_participations" for the number of episodes that participants took part in',
        "Theme": "StringValue of a Normal code, or the number of episodes",
        "Breakdown": "AnalysisFileKey of the question that the theme is broken down by; empty in total",
        "Value": "StringValue of the answer to it; empty in total",
        "Origin": '"answer"; "phone number" of operator and channel; "attendance" of a listening group; "message" of OriginColumns; else what the Value (no answer) was guessed from',
        "Participants": "participants who have the Theme, and of these the Value",
        "Base": "participants with any Normal code of the Dataset that an answer led to, and of these the Value",
        "Share %": "Participants of Base; no row without a base",
        "Low %": "lower end of the 95 % Wilson interval, which tells of chance alone: participants chose to take part",
        "High %": "its upper end",
        "Note": '"small base" (below SmallCountThreshold), else "small count", else empty',
    },
    "value_origins.csv": {
        "Dataset": "AnalysisFileKey of a demographic or follow-up question",
        "Value": "StringValue of a code; every code but STOP",
        "Name": "its DisplayText",
        "Origin": '"answer"; "phone number" of operator and channel; "attendance" of a listening group; "message" of OriginColumns; "operator" or a function of the project\'s own: guessed, '
        'nobody answered; "elsewhere": NC as the place that they named has no such places; else what the code says',
        "Participants": "participants who came to the value in this way",
    },
    "traffic_analysis.csv": {
        "Start Date": "first moment of a range of TrafficLabels",
        "End Date": "the moment after its last",
        "Label": "its name",
        **_TRAFFIC,
    },
    "traffic_per_week.csv": {
        "Week": "ISO week in the project's time zone, like 2026-W14",
        "Start Date": "its Monday",
        **_TRAFFIC,
    },
    "sample_messages.csv": {
        **_MESSAGES,
        "Gender": "StringValue of gender of one of those who wrote it; empty unless KAnonymity lets it pass",
        "Age Category": "StringValue of age_category, likewise",
        "Region": "StringValue of region, or county, likewise",
    },
    "impact_messages.csv": _MESSAGES,
    "coding_progress.csv": {
        "Dataset": "name of the dataset in Coda",
        "Answers": "messages with an answer; of a survey, participants with one",
        "Empty Answers": "of these, those without a text",
        "Distinct Texts": "different texts that are not empty: what there is to label",
        "Labelled Texts": "of these, those that no scheme calls not reviewed",
        "Labelled %": "their share",
    },
    "label_origins.csv": {
        "Dataset": "name of the dataset in Coda",
        "Distinct Texts": "as in coding_progress.csv; the next five add up to it",
        "Coders": "texts that coders labelled by themselves",
        "Cleaners": "texts that coders labelled as a cleaner had proposed",
        "Suggestions": "texts that coders labelled as a learned suggestion had proposed",
        "Rules": "labelled texts without a coder's label, which the pipeline's own rules coded",
        "Unlabelled": "texts that a scheme of the dataset calls not reviewed",
        "Unlabelled with Proposal": "of these, those with a proposal that no coder has looked at",
    },
    "suggestions.csv": {
        "Dataset": "name of the dataset in Coda",
        "Scheme": "name of the code scheme",
        "Labelled": "texts that people labelled, which suggestions are learnt from",
        "Unlabelled": "texts without a label of the scheme",
        "Suggested": "of these, those with a suggestion",
        "Why None": "why nothing is suggested; empty if something could be",
        "Target %": "share of the suggestions that has to be right",
        "Blind Precision %": "of messages that coders saw without a suggestion, the share where they chose what would have been suggested",
        "Blind Precision Low %": "lower bound of its interval (Wilson, 95 %)",
        "Blind Precision High %": "upper bound",
        "Kept %": "share of the suggestions that coders ticked as they were",
        "Kept Low %": "lower bound of its interval",
        "Kept High %": "upper bound",
        "Coders Follow": "yes if they keep more than they agree with unaided, by more than chance",
        "Codes with Few Examples": "StringValues of themes that fewer than five texts have; they are hardly ever suggested",
    },
    "coding_errors.csv": {
        "Dataset": "name of the dataset in Coda",
        "Message ID": "id in Coda of a text coded CE",
        "Reason": '"wrong scheme" by one label and not by another, or "contradicting codes"',
    },
    "texts_with_phone_numbers.csv": {
        "Dataset": "name of the dataset in Coda",
        "Message ID": "id in Coda of a text that seems to hold a phone number",
    },
}
COLUMNS = (
    *(Column("messages.csv", column.name, column.meaning) for column in _CODED),
    *(Column("individuals.csv", column.name, column.meaning) for column in _CODED[:4]),
    Column(
        "individuals.csv", "<RawField>", "the participant's texts, folded: joined with ; (concatenate) or the one text"
    ),
    *(
        Column(
            table,
            name,
            f'with {name!r} in OriginColumns: {meaning}; "NA" if it is not known; '
            'individuals.csv: "ambivalent" if the participant\'s messages differ',
        )
        for table in ("messages.csv", "individuals.csv")
        for name, meaning in (
            ("source", "SourceType of the source that the message came from"),
            ("channel", 'what it was written by, like "tel", "telegram" or "kobo"'),
        )
    ),
    *(
        Column(
            table,
            "listening_group_<Name>",
            'of a group in ListeningGroups: "true" if the participant is in one of its files, else "false"; the last columns',
        )
        for table in ("messages.csv", "individuals.csv")
    ),
    Column("messages_index.csv", "uid", "as in the same row of messages.csv; of those who withdrew every cell is STOP"),
    Column("messages_index.csv", "time", "when it was sent, in the project's TimeZone: ISO 8601 with its offset"),
    Column("messages_index.csv", "episode", "AnalysisFileKey of the episode that it counts for, else its RawField"),
    Column("messages_index.csv", "source", "SourceType of the source that it came from"),
    Column("messages_index.csv", "flow", "flow that it was sent to; empty for a recovered message"),
    Column("messages_index.csv", "run_id", "RapidPro's id of the run; empty for an answer that came in a survey"),
    Column(
        "messages_index.csv", "<dataset>_message_id", "id in Coda of its text in that dataset; empty without a text"
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
    *(
        Column(f"Automated Analysis/{file}", name, meaning)
        for file, meanings in _ANALYSIS_FILES.items()
        for name, meaning in meanings.items()
    ),
    *(
        Column(f"Automated Analysis/statistics/{file}", name, meaning)
        for file, meanings in STATISTICS_COLUMNS.items()
        for name, meaning in meanings.items()
    ),
)
