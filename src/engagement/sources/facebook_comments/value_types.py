"""Kinds of values in the configuration of Facebook comments."""

import re

from engagement.configuration.value_types import matching

PostId = matching(
    re.compile(r"[0-9]+_[0-9]+"),
    "is no post's id; expected the page's id, '_' and the post's, like '104785551234567_5550001'. Change it.",
)
GraphVersion = matching(
    re.compile(r"v[0-9]+\.[0-9]+"), "is no version of the Graph API; expected one like 'v26.0'. Change it."
)
ServerAddress = matching(
    re.compile(r"https?://[^/?#\s]+/?"),
    "is no server's address; expected one like 'https://graph.facebook.com', without a path. Change it.",
)
