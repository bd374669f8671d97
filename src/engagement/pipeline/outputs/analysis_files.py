"""State/analysis/: what stage 3 leaves for the analysis, in columns, so that each table reads only what it needs.

`season.json` tells which run it is of and what became of everything that is not in the two tables; `messages.parquet` has one row a
message and `individuals.parquet` one row a participant, in the order of the hashed uid, then time. Of those who withdrew
consent there is no row: `season.json` has their number. `analysis_parts` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from pyarrow.parquet import ParquetFile

VERSION = 2
UID, TIME, DATASET, RUN_ID = "uid", "time", "dataset", "run_id"


def codes_column(coded_field: str) -> str:
    """The column with the code ids of a coded field, each row's as a JSON array."""
    return f"codes:{coded_field}"


def guesses_column(coded_field: str) -> str:
    """The column that says what a code was guessed from where nobody answered; null where an answer led to it.

    Only fields that a plan may guess have one: `pipeline.coding.guesses.find_guessed_positions`.
    """
    return f"guessed:{coded_field}"


def text_column(raw_field: str) -> str:
    """The column with what participants wrote in answer; null without an answer."""
    return f"text:{raw_field}"


def messages_path(folder: Path) -> Path:
    """The path of the messages in State/analysis/."""
    return folder / "messages.parquet"


def individuals_path(folder: Path) -> Path:
    """The path of the participants in State/analysis/."""
    return folder / "individuals.parquet"


def season_path(folder: Path) -> Path:
    """The path of everything but the two tables in State/analysis/."""
    return folder / "season.json"


def analysis_folder(data_root: Path) -> Path:
    """The folder in a data root."""
    return data_root / "State" / "analysis"


@dataclass(frozen=True)
class SourceRun:
    """The run of stage 3 that made the outputs: when it began (ISO 8601, UTC), and its --mode."""

    timestamp: str
    mode: str

    @property
    def is_coded(self) -> bool:
        """True if coders' labels were applied, so that there is something to analyse."""
        return self.mode == "all-stages"


@dataclass(frozen=True)
class Funnel:
    """Numbers of everything between the fetched runs and the analysed rows.

    `messages` were made of the runs, `kept` of them stayed, those of participants who withdrew included. `dropped` is by reason,
    `lost` (answers marked as wrong scheme whose dataset is in no plan) by the code that coders gave. `contradictions` are
    the pairs of dataset and message id that are wrong scheme by one label and not by another.
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
    """Read which run made the outputs and what it found.

    Raises
    ------
    InputError
        Stage 3 did not run yet, or left another version of the files.
    """
    path = season_path(analysis_folder(data_root))
    remedy = "Run stage 3 (generate outputs) and this again."
    if not path.exists():
        raise InputError(
            f"{path.parent}: not there, and {_say_mode(data_root)}; expected what stage 3 leaves for the analysis. {remedy}"
        )
    document = read_json(path, InputError, what="what stage 3 found")
    found = document.get("version") if isinstance(document, dict) else None
    if found != VERSION:
        raise InputError(f"{path}: 'version' is {found!r}; expected {VERSION}. {remedy}")
    funnel = document["funnel"]
    funnel["contradictions"] = tuple((dataset, message_id) for dataset, message_id in funnel["contradictions"])
    return SourceRun(**document["run"]), Funnel(**funnel)


def _say_mode(data_root: Path) -> str:
    """Tell the mode that made Outputs/, by the files that are there."""
    outputs = data_root / "Outputs"
    if (outputs / "messages.csv").exists():
        return "Outputs/ was made with --mode 'all-stages'"
    if (outputs / "production.csv").exists():
        return "Outputs/ was made with --mode 'auto-code-only'"
    return "nothing is in Outputs/"


def read_column(path: Path, name: str) -> pandas.Series:
    """Read one column of one of the tables: times as UTC instants, everything else as a categorical of texts.

    Raises
    ------
    InputError
        The table is damaged, or has no such column: the configuration changed since stage 3.
    """
    return _read(path, name, lambda table: table.column(0).to_pandas())


def has_column(path: Path, name: str) -> bool:
    """Return whether a table has a column."""
    return _open(path, lambda file: name in file.schema_arrow.names)


def count_rows(path: Path) -> int:
    """Count the rows of a table."""
    return int(_read(path, UID, lambda table: table.num_rows))


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
            f"{path}: could not be read: {type(error).__name__}; expected a table of stage 3's. Run stage 3 again."
        ) from None
