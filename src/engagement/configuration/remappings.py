"""Remappings: raw keys become fields, and messages of a time range move to another episode."""

from engagement.configuration.model import Model, key
from engagement.configuration.value_types import IsoTime, Text


class TimestampRemapping(Model):
    """Messages of a time range belong to another episode than their flow says. Ranges are [start, end)."""

    time_key: Text = key("TimeKey", "key of the time to look at", "Rqa_S01E01 (Time) - s01e01_activation")
    show_pipeline_key_to_remap_to: Text = key(
        "ShowPipelineKeyToRemapTo", "raw field of the episode that the messages belong to", "rqa_s01e02_raw"
    )
    range_start_inclusive: IsoTime | None = key(
        "RangeStartInclusive", "from this moment on; without it from the beginning", "2026-03-01T00:00:00+03:00", None
    )
    range_end_exclusive: IsoTime | None = key(
        "RangeEndExclusive", "until before this moment; without it to the end", "2026-03-08T00:00:00+03:00", None
    )
    time_to_adjust_to: IsoTime | None = key(
        "TimeToAdjustTo", "time that the messages get instead of their own", "2026-03-08T12:00:00+03:00", None
    )


class RapidProKeyRemapping(Model):
    """A key of the raw data becomes a field of the project."""

    rapid_pro_key: Text = key("RapidProKey", "key in the raw data", "Rqa_S01E01 (Text) - s01e01_activation")
    pipeline_key: Text = key("PipelineKey", "the project's name of the field", "rqa_s01e01_raw")
    is_activation_message: bool = key("IsActivationMessage", "whether it is the answer to an episode", True, False)
