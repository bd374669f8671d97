"""HTML pages from Jinja2 templates beside the modules that fill them.

Every value is escaped, as participants' texts are hostile input; only values that a template marks as `safe` are not.
"""

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from engagement.foundation.shown_text import clean

# Of what may end a script, begin a comment, or end a line of a script.
_ESCAPED_IN_SCRIPTS = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
# A line break between two tags, of HTML or of the template, with the blanks around it.
_BREAK_BETWEEN_TAGS = re.compile(r"((?:>|[%}#]}))[ \t]*\n\s*(?=<|{[%{#])")


def render_page(template: Path, **values: object) -> str:
    """Fill in a template, which may import others in its folder; a missing value is an error.

    Templates may be laid out in lines: a line break between two tags, and the indent after it, are not part of the
    page.
    """
    return _environment(template.parent).get_template(template.name).render(values)


def embed_json(document: Any) -> str:
    """Write a JSON document that a page can hold in a script: nothing in it ends the script.

    >>> embed_json({"text": "</script>"})
    '{"text":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED_IN_SCRIPTS)


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: _read_template(folder / name)),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


def _read_template(path: Path) -> str:
    return _BREAK_BETWEEN_TAGS.sub(r"\1", path.read_text(encoding="utf-8"))


def _finalize(value: object) -> Markup:
    """Clean a value for a page: autoescape alone would let invisible characters through."""
    return value if isinstance(value, Markup) else Markup(html.escape(clean(str(value))))  # noqa: S704 - it is escaped
