"""Contents of each column of Outputs/Automated Analysis/statistics/, in the manual's words."""

_DATASET = "AnalysisFileKey of an episode"
_PERCENT = "; empty without a base"
STATISTICS_COLUMNS = {
    "shares.csv": {
        "dataset": f"{_DATASET}, or of a demographic or follow-up question",
        "theme": "StringValue of a Normal code",
        "breakdown": '"total", or AnalysisFileKey of the question that the theme is broken down by',
        "value": 'StringValue of the answer to it, or "(missing)": no Normal code; empty in total',
        "n": "participants who have the theme, and of these the value",
        "base": "relevant participants of the episode, and of these the value; of a question, participants with a value",
        "percent": f"n of base, not rounded{_PERCENT}",
        "low": f"lower end of the 95 % Wilson interval, in percent{_PERCENT}",
        "high": f"its upper end{_PERCENT}",
        "mark": '"small base" (below 30), else "small count" (n below SmallCountThreshold), else empty',
    },
}
