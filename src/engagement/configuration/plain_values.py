"""Values that the run scripts can read as plain text.

They contain no quotation marks, backslashes, braces or brackets.
"""

import re

from engagement.configuration.value_types import matching

_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?")
_PLAIN = r"[^\"\\{}\[\]\x00-\x1f]+"

WebAddress = matching(
    _WEB_ADDRESS,
    "is no address of a page; expected https://<host>/<path> in plain characters. Change it.",
)
CommandLine = matching(
    re.compile(_PLAIN),
    "has a character that the run script can't read; expected a command without quotation marks, backslashes, braces and "
    "brackets. Put these into a script, and name it here.",
)
AbsolutePath = matching(
    re.compile(rf"/{_PLAIN}"),
    "is no complete path; expected one from the root, without quotation marks, backslashes, braces and brackets. Change it.",
)
