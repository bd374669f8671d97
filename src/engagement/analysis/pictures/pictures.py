"""Drawing many pictures on several processes, and only those whose numbers changed.

A picture is first described by a frozen dataclass of plain values. A digest of the description, of the fonts and of what draws it is
kept beside the pictures: one that is there and would come out the same is not drawn again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import multiprocessing
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engagement.analysis.pictures.fonts import use_fonts
from engagement.foundation.errors import InputError, MachineError
from engagement.foundation.files import make_directory, open_bytes_for_writing, read_json, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

# Raise it when something is drawn differently from the same description.
_DRAWING_VERSION = 3
_NOTES = "drawn.json"
_FEWEST_FOR_PROCESSES = 6  # fewer are drawn before a second process has started
_DOTS_PER_INCH = 150
_COLOURS = 128

type Draw[P] = Callable[[P], Any]  # description -> matplotlib figure


def draw_pictures[P](
    folder: Path, pictures: Mapping[str, P], endings: Sequence[str], draw: Draw[P], fonts: Sequence[str], jobs: int
) -> int:
    """Bring a folder up to date: `<name>.<ending>` for each picture; returns how many were drawn.

    Names may have a subfolder. `draw` is a module's own function, so that other processes find it. Pictures that an earlier run drew and
    that are no longer asked for are removed; other files of the folder are left alone.

    Raises
    ------
    MachineError
        The disk is full, or a process was ended from outside.
    """
    known = _read_notes(folder / _NOTES)
    digests = {name: _digest(picture, draw, fonts) for name, picture in pictures.items()}
    files = {name: [folder / f"{name}.{ending}" for ending in endings] for name in {**known, **pictures}}
    for name in known.keys() - pictures.keys():
        for path in files[name]:
            path.unlink(missing_ok=True)
    changed = [
        name for name in pictures if known.get(name) != digests[name] or not all(path.exists() for path in files[name])
    ]
    for parent in {path.parent for name in changed for path in files[name]}:
        make_directory(parent)
    # Until all is drawn, the notes hold only what is certain.
    write_json(folder / _NOTES, {name: digest for name, digest in digests.items() if name not in changed})
    _draw_all(
        functools.partial(_draw_one, draw, tuple(fonts)), [(pictures[name], files[name]) for name in changed], jobs
    )
    write_json(folder / _NOTES, digests)
    log.info("Drew %d of %d picture(s); the others are as they were", len(changed), len(pictures))
    return len(changed)


def _read_notes(path: Path) -> dict[str, str]:
    """What is known to be drawn; nothing if the notes can't be read, for then everything is drawn."""
    try:
        notes = read_json(path, InputError) if path.exists() else {}
    except InputError:
        return {}
    # Names become paths that are removed: only what this module writes is believed.
    believable = isinstance(notes, dict) and not any(".." in name or name.startswith("/") for name in notes)
    return notes if believable else {}


def _digest(picture: Any, draw: Draw[Any], fonts: Sequence[str]) -> str:
    import matplotlib as mpl

    names = [Path(path).name for path in fonts]
    description = [_DRAWING_VERSION, mpl.__version__, draw.__module__, draw.__name__, names, asdict(picture)]
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _draw_all(
    draw_one: Callable[[tuple[Any, list[Path]]], None], work: list[tuple[Any, list[Path]]], jobs: int
) -> None:
    if jobs == 1 or len(work) < _FEWEST_FOR_PROCESSES:
        for item in work:
            draw_one(item)
        return
    try:
        # Not forked: this process has threads of its own by now, which a fork does not survive safely.
        with ProcessPoolExecutor(min(jobs, len(work)), multiprocessing.get_context("spawn")) as pool:
            for _ in pool.map(draw_one, work, chunksize=2):
                pass
    except BrokenProcessPool:
        raise MachineError(
            "Processes: one of them was ended from outside, most likely because memory ran out. "
            "Run this again with fewer --jobs."
        ) from None


def _draw_one(draw: Draw[Any], fonts: tuple[str, ...], work: tuple[Any, list[Path]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    # Without a date and with a fixed salt the bytes are the same from run to run.
    mpl.rcParams["svg.hashsalt"] = "engagement"
    use_fonts(fonts)
    picture, paths = work
    with warnings.catch_warnings():
        # Of letters that no font has there was one warning already.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = draw(picture)
        # The layout is worked out once, and not anew for each file.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for path in paths:
            with open_bytes_for_writing(path) as file:
                if path.suffix == ".svg":
                    figure.savefig(file, format="svg", metadata={"Date": None}, facecolor="white")
                else:
                    _save_small(figure, file)


def _save_small(figure: Figure, file: IO[bytes]) -> None:
    """Write a PNG of few colours: a third of the size, which counts in a report that holds them all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(_DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("RGB")
    # Of the ways to choose the colours this one takes half the time of the usual one, and strays less from any of them.
    small = drawn.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(file, format="PNG", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
