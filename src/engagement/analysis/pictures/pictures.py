"""Drawing many pictures on several processes, and only those that changed.

A frozen dataclass of plain values describes each picture. A digest of the description, the fonts and the drawing code
is kept beside the pictures, and one of each file: a picture that is whole and would come out the same is not drawn again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engagement.analysis.pictures.drawers import Drawers
from engagement.analysis.pictures.fonts import use_fonts
from engagement.analysis.pictures.vectors import VECTOR_FORMATS, keep_text, save_vector
from engagement.foundation.errors import InputError
from engagement.foundation.files import digest_file, make_directory, open_bytes_for_writing, read_json, write_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

# Increase it when the same description is drawn differently.
_DRAWING_VERSION = 5
_NOTES = "drawn.json"
_DOTS_PER_INCH = 150
_COLOURS = 128

type Draw[P] = Callable[[P], Any]  # description -> matplotlib figure


@dataclass(frozen=True)
class Drawn:
    """A drawn picture: digests of what it was made from, and of its files."""

    made_from: str
    files: tuple[str, ...]

    def is_of(self, made_from: str, paths: Sequence[Path]) -> bool:
        """Tell whether it would come out the same, and is there as it was drawn."""
        return (
            self.made_from == made_from
            and all(path.is_file() for path in paths)
            and self.files == tuple(map(digest_file, paths))
        )


def draw_pictures[P](
    folder: Path,
    pictures: Mapping[str, P],
    endings: Sequence[str],
    draw: Draw[P],
    fonts: Sequence[str],
    jobs: int,
    is_text_real: bool = False,
) -> int:
    """Update a folder of pictures as begin_pictures does, and wait for them; return how many were drawn."""
    with Drawers(jobs) as drawers:
        return begin_pictures(folder, pictures, endings, draw, fonts, drawers, is_text_real)


def begin_pictures[P](
    folder: Path,
    pictures: Mapping[str, P],
    endings: Sequence[str],
    draw: Draw[P],
    fonts: Sequence[str],
    drawers: Drawers,
    is_text_real: bool = False,
) -> int:
    """Begin to update a folder of pictures, `<name>.<ending>` for each; return how many are drawn.

    With `is_text_real` SVG and PDF hold text, not its outlines.

    Names may include a subfolder. `draw` must be a module's function, so other processes find it. Removes pictures of
    earlier runs that are no longer needed, and leaves other files alone.
    """
    known = _read_notes(folder / _NOTES)
    digests = {name: _digest(picture, draw, fonts, is_text_real) for name, picture in pictures.items()}
    files = {name: [folder / f"{name}.{ending}" for ending in endings] for name in {**known, **pictures}}
    for name in known.keys() - pictures.keys():
        for path in files[name]:
            path.unlink(missing_ok=True)
    for name in {**known, **pictures}:
        for ending in VECTOR_FORMATS - set(endings):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
    kept = {name: known[name] for name in pictures if name in known and known[name].is_of(digests[name], files[name])}
    changed = [name for name in pictures if name not in kept]
    for parent in {path.parent for name in changed for path in files[name]}:
        make_directory(parent)
    # Until everything is drawn, the notes contain only what is certain.
    _write_notes(folder / _NOTES, kept)

    def finish() -> None:
        drawn = {name: Drawn(digests[name], tuple(map(digest_file, files[name]))) for name in changed}
        _write_notes(folder / _NOTES, {name: (kept | drawn)[name] for name in pictures})
        log.info("Drew %d of %d picture(s); the others did not change", len(changed), len(pictures))

    drawers.draw(
        functools.partial(_draw_one, draw, tuple(fonts), is_text_real),
        [(pictures[name], files[name]) for name in changed],
        finish,
    )
    return len(changed)


def draw_afresh[P](pictures: Mapping[Path, P], draw: Draw[P], fonts: Sequence[str], jobs: int) -> None:
    """Draw each picture to its path, as SVG or PDF with real text, whatever is there.

    Raises
    ------
    MachineError
        The disk is full, or a process was killed.
    """
    for parent in {path.parent for path in pictures}:
        make_directory(parent)
    work = [(picture, [path]) for path, picture in pictures.items()]
    with Drawers(jobs) as drawers:
        drawers.draw(functools.partial(_draw_one, draw, tuple(fonts), True), work, lambda: None)


def _read_notes(path: Path) -> dict[str, Drawn]:
    """Read the record of drawn pictures; empty if unreadable, so everything is drawn."""
    try:
        notes = read_json(path, InputError) if path.exists() else {}
        # Names become paths that are removed, so trust only what this module writes.
        if any(".." in name or name.startswith("/") for name in notes):
            return {}
        return {name: Drawn(note["from"], tuple(note["files"])) for name, note in notes.items()}
    except (InputError, AttributeError, KeyError, TypeError):
        return {}


def _write_notes(path: Path, drawn: Mapping[str, Drawn]) -> None:
    write_json(path, {name: {"from": one.made_from, "files": one.files} for name, one in drawn.items()})


def _digest(picture: Any, draw: Draw[Any], fonts: Sequence[str], is_text_real: bool) -> str:
    import matplotlib as mpl

    names = [Path(path).name for path in fonts]
    description = [_DRAWING_VERSION, mpl.__version__, draw.__module__, draw.__name__, names, asdict(picture)]
    description += ["real text"] if is_text_real else []
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()


def _draw_one(draw: Draw[Any], fonts: tuple[str, ...], is_text_real: bool, work: tuple[Any, list[Path]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    # A matplotlibrc of this user's is for their own drawings.
    mpl.rcdefaults()
    # Without a date and with a fixed salt, the bytes are the same in every run.
    # Whether text is real is decided for each picture, whatever this process drew before.
    mpl.rcParams.update({"svg.hashsalt": "engagement", "svg.fonttype": "path"})
    use_fonts(fonts)
    picture, paths = work
    with warnings.catch_warnings():
        # Characters that no font has already led to one warning.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = draw(picture)
        _lay_out(figure)
        for path in (path for path in paths if path.suffix == ".png"):
            with open_bytes_for_writing(path) as file:
                _save_small(figure, file)
        vectors = [path for path in paths if path.suffix != ".png"]
        if vectors and is_text_real:
            keep_text(figure)
        for path in vectors:
            with open_bytes_for_writing(path) as file:
                save_vector(figure, file, path.suffix.removeprefix("."))


def _lay_out(figure: Figure) -> None:
    """Place a figure's parts, once for all files: to measure texts is most of the work of drawing."""
    from engagement.analysis.pictures.canvas import PictureCanvas

    # At the PNG's size and by the renderer that draws it, which remembers the texts that it has measured.
    figure.set_dpi(_DOTS_PER_INCH)
    PictureCanvas(figure)
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        # An engine named "none" would let matplotlib go through the figure twice for each file.
        figure.set_layout_engine(None)


def _save_small(figure: Figure, file: IO[bytes]) -> None:
    """Save a PNG with few colours: a third of the size."""
    from engagement.analysis.pictures.canvas import reduce_colours

    canvas: Any = figure.canvas
    canvas.draw()
    image = reduce_colours(canvas.buffer_rgba(), canvas.get_width_height(), _COLOURS)
    image.save(file, format="PNG", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
