"""What the server imports from which `faults` forks: all that stages import, also what they import only when they are called.

A module that a stage imports by itself would have the real clock: see `faults.set_clock`.
"""

import importlib
import io
import pkgutil
import threading
from pathlib import Path

import matplotlib as mpl
import tqdm

import engagement
from engagement.__main__ import STAGES
from engagement.analysis.charts.drawing import BarChart, Bars, draw_bar_chart
from engagement.analysis.pictures import pictures
from engagement.analysis.pictures.fonts import find_fonts, use_fonts
from engagement.analysis.pictures.palette import SERIES
from engagement.configuration.source_types import load_models
from engagement.foundation.own_code import describe_own_code
from engagement.foundation.pages import _environment

_LATE = (
    "engagement.services.coda.firestore",
    "engagement.services.drive.google",
    "engagement.services.storage.google",
    "engagement.services.uuid_tables.firestore",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "jinja2",
    "pandas",
    "pyarrow.parquet",
    "xlsxwriter",
)
_ROOMS = ("analysis", "configuration", "delivery", "foundation", "provenance", "sources")
_SOURCE = Path(engagement.__file__).parent
_modules = [
    module.name for room in _ROOMS for module in pkgutil.walk_packages([str(_SOURCE / room)], f"engagement.{room}.")
]
for _name in (*(stage.module for stage in STAGES.values()), *_modules, *_LATE):
    importlib.import_module(_name)
# What each process would find out once.
load_models()
describe_own_code()
_templates = _SOURCE / "analysis" / "report"
for _path in _templates.glob("*.jinja"):
    _environment(_templates).get_template(_path.name)
# By default it is one between processes, which those that die here would leave behind.
tqdm.tqdm.set_lock(threading.RLock())
# The first picture takes as long as the ten after it.
mpl.use("Agg")
use_fonts(find_fonts(["invented"]))
_figure = draw_bar_chart(BarChart("title", "subtitle", "axis", ("a", "b"), (Bars(SERIES[0], (2, 1), ("2", "1")),)))
for _format in ("png", "svg"):
    _figure.savefig(io.BytesIO(), format=_format)
# And pictures of fewer dots are as good to be interrupted at.
pictures._DOTS_PER_INCH = 20
