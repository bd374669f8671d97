"""State/analysis/: stage 3's data for the analysis, by column, so that each table reads only its own.

`season.json` names the run and accounts for everything that is not in the two tables; `messages.parquet` has one row a message and
`individuals.parquet` one row a participant, in the order of the hashed uid, then time. Participants who withdrew consent have no
rows: `season.json` has their number. `analysis_parts` writes the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from pyarrow.parquet import ParquetFile

VERSION = 2
UID, TIME, DATASET, RUN_ID = "uid", "time", "dataset", "run_id"


def codes_column(coded_field: str) -> str:
    """Name the column with the code ids of a coded field, each row's as a JSON array."""
    return f"codes:{coded_field}"


def guesses_column(coded_field: str) -> str:
    """Name the column with the source of a guessed code; null for a code that comes from an answer.

    Only fields that a plan may guess have one: `pipeline.coding.guesses.find_guessed_positions`.
    """
    return f"guessed:{coded_field}"


def text_column(raw_field: str) -> str:
    """Name the column with the participants' answers as written; null without an answer."""
    return f"text:{raw_field}"


def messages_path(folder: Path) -> Path:
    """Return the path of the messages in State/analysis/."""
    return folder / "messages.parquet"


def individuals_path(folder: Path) -> Path:
    """Return the path of the participants in State/analysis/."""
    return folder / "individuals.parquet"


def season_path(folder: Path) -> Path:
    """Return the path of `season.json` in State/analysis/."""
    return folder / "season.json"


def analysis_folder(data_root: Path) -> Path:
    """Return the path of State/analysis/ in a data root."""
    return data_root / "State" / "analysis"


@dataclass(frozen=True)
class SourceRun:
    """The run of stage 3 that made the outputs: its start (ISO 8601, UTC) and its --mode."""

    timestamp: str
    mode: str

    @property
    def is_coded(self) -> bool:
        """True if coders' labels were applied, so that there is something to analyse."""
        return self.mode == "all-stages"


@dataclass(frozen=True)
class Funnel:
    """Counts of everything between the fetched runs and the analysed rows.

    `messages` were made from the runs, `kept` of them stayed, including those of participants who withdrew. `dropped` is by reason,
    `lost` (answers marked as wrong scheme whose dataset is in no plan) by the code that coders gave. `contradictions` are the pairs
    of dataset and message id that one label calls wrong scheme and another does not.
    """

    runs: int
    participants: int
    messages: int
    kept: int
    withdrawn_messages: int
    withdrawn_participants: int
    dropped: Mapping[str, int]
    lost: Mapping[str, int]
    contradictions: tuple[tuple[str, str], ...]


def read_season(data_root: Path) -> tuple[SourceRun, Funnel]:
    """Read the run that made the outputs, and its findings.

    Raises
    ------
    InputError
        Stage 3 has not run yet, or left another version of the files.
    """
    path = season_path(analysis_folder(data_root))
    remedy = "Run stage 3 (generate outputs) and this again."
    if not path.exists():
        raise InputError(
            f"{path.parent}: not there, and {_say_mode(data_root)}; expected what stage 3 leaves for the analysis. {remedy}"
        )
    document = read_json(path, InputError, what="what stage 3 found", remedy=remedy)
    found = document.get("version") if isinstance(document, dict) else None
    if found != VERSION:
        raise InputError(f"{path}: 'version' is {found!r}; expected {VERSION}. {remedy}")
    funnel = document["funnel"]
    funnel["contradictions"] = tuple((dataset, message_id) for dataset, message_id in funnel["contradictions"])
    return SourceRun(**document["run"]), Funnel(**funnel)


def _say_mode(data_root: Path) -> str:
    """Tell the mode that made Outputs/ from the files in it."""
    outputs = data_root / "Outputs"
    if (outputs / "messages.csv").exists():
        return "Outputs/ was made with --mode 'all-stages'"
    if (outputs / "production.csv").exists():
        return "Outputs/ was made with --mode 'auto-code-only'"
    return "nothing is in Outputs/"


def read_column(path: Path, name: str) -> pandas.Series:
    """Read a column of one of the tables: times as UTC instants, all others as a categorical of texts.

    Raises
    ------
    InputError
        The table is damaged, or has no such column: the configuration changed since stage 3.
    """
    return _read(path, name, lambda table: table.column(0).to_pandas())


def read_distinct(path: Path, name: str) -> tuple[pyarrow.Array, Any]:
    """Read a column of texts as its distinct texts and each row's place among them, -1 without a text.

    Unlike `read_column` it makes no object of each text: for columns in which nearly every row has its own.
    The places are an array of numpy.
    """
    import numpy

    def split(table: pyarrow.Table) -> tuple[pyarrow.Array, Any]:
        column = table.unify_dictionaries().column(0).combine_chunks()
        chunks = column.chunks if hasattr(column, "chunks") else [column]
        places = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in chunks]
        return chunks[0].dictionary, numpy.concatenate(places)

    return _read(path, name, split)


def has_column(path: Path, name: str) -> bool:
    """Tell whether a table has a column."""
    return _open(path, lambda file: name in file.schema_arrow.names)


def count_rows(path: Path) -> int:
    """Count the rows of a table."""
    return _open(path, lambda file: int(file.metadata.num_rows))


def _read[R](path: Path, name: str, use: Callable[[pyarrow.Table], R]) -> R:
    try:
        return _open(path, lambda file: use(file.read([name])), None if name == TIME else [name])
    except KeyError:
        raise InputError(
            f"{path}: no column {name!r}; expected what the coding plans say. They changed since stage 3: run it again."
        ) from None


def _open[R](path: Path, use: Callable[[ParquetFile], R], read_dictionary: list[str] | None = None) -> R:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path, read_dictionary=read_dictionary) as file:
            return use(file)
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise InputError(
            f"{path}: could not be read: {type(error).__name__}; expected a table that stage 3 wrote. Run stage 3 again."
        ) from None
