"""What the server imports from which `faults` forks: every stage, and what they import themselves only when they are called."""

import importlib
import io
import threading

import matplotlib as mpl
import tqdm
from matplotlib.figure import Figure

from engagement.__main__ import STAGES
from engagement.analysis.pictures import pictures
from engagement.analysis.pictures.fonts import find_fonts, use_fonts

# One that a stage imports by itself would have the real clock: see `faults.set_clock`.
_LATE = (
    "engagement.custody.retention.shared_table",
    "engagement.analysis.pictures.canvas",
    "engagement.analysis.pictures.outlines",
    "engagement.custody.retention.table_rows",
    "engagement.delivery.drive",
    "engagement.services.coda.firestore",
    "engagement.services.drive.google",
    "engagement.services.storage.google",
    "engagement.services.uuid_tables.firestore",
    "engagement.stages.outputs_making",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.style.core",
    "pandas",
    "pyarrow.parquet",
    "tenacity",
)
for _name in (*(stage.module for stage in STAGES.values()), *_LATE):
    importlib.import_module(_name)
# By default it is one between processes, which those that die here would leave behind.
tqdm.tqdm.set_lock(threading.RLock())
# The first picture takes as long as the ten after it.
mpl.use("Agg")
use_fonts(find_fonts(["invented"]))
_figure = Figure()
_figure.add_subplot().set_title("invented")
for _format in ("png", "svg"):
    _figure.savefig(io.BytesIO(), format=_format)
# And pictures of fewer dots are as good to be interrupted at.
pictures._DOTS_PER_INCH = 20
