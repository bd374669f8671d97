"""The tables of measured nights, and what was recorded of earlier ones."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.outputs.measuring import Measured

NIGHTS = (FIRST, QUIET, QUIET_AGAIN, NEW_PARTICIPANTS) = (
    "first",
    "nothing new",
    "nothing new again",
    "1 % new participants",
)
_RECORDED = Path(__file__).with_name("recorded.json")
_PLACE = re.compile(r"(<!-- measurements of nights -->\n).*?(<!-- end of measurements -->)", re.DOTALL)
_STAGES = range(1, 8)


@dataclass(frozen=True)
class Night:
    """What a night took. `stages` are the processor seconds of each; `loop` are those of the loop, taken just before."""

    messages: int
    name: str
    stages: list[float]
    loop: float
    seconds: float
    peak_mebibytes: float

    @classmethod
    def of(cls, messages: int, name: str, loop: float, measured: Iterable[Measured]) -> "Night":
        """Add up its stages."""
        found = list(measured)
        return cls(
            messages,
            name,
            [one.processor_seconds for one in found],
            loop,
            sum(one.seconds for one in found),
            max(one.peak_mebibytes for one in found),
        )

    @property
    def key(self) -> str:
        """What it is recorded as."""
        return f"{self.messages:,} messages, {self.name}"

    @property
    def processor_seconds(self) -> float:
        """Those of all stages."""
        return sum(self.stages)

    @property
    def ratio(self) -> float:
        """Against the loop, to compare machines."""
        return self.processor_seconds / self.loop


@dataclass(frozen=True)
class Disk:
    """What a season takes after all nights, in bytes a message; `archive` is a night's."""

    messages: int
    data_root: float
    outputs: float
    archive: float


def make_tables(nights: list[Night], disks: list[Disk], recorded: Mapping[str, Night]) -> str:
    """The tables in Markdown."""
    stages = " | ".join(map(str, _STAGES))
    lines = [
        f"| Messages | Night | {stages} | All | Of the first | In loops | Recorded | Seconds by the clock | Peak memory |",
        f"| ---: | --- |{' ---: |' * (len(_STAGES) + 6)}",
    ]
    first = {night.messages: night.processor_seconds for night in nights if night.name == FIRST}
    for night in nights:
        before = recorded.get(night.key)
        cells = [
            *(f"{seconds:.2f}" for seconds in [*night.stages, night.processor_seconds]),
            "" if night.name == FIRST else f"{night.processor_seconds / first[night.messages]:.1%}",
            f"{night.ratio:.1f}",
            f"{before.ratio:.1f}" if before else "",
            f"{night.seconds:.1f}",
            f"{night.peak_mebibytes:,.0f} MiB",
        ]
        lines.append(f"| {night.messages:,} | {night.name} | {' | '.join(cells)} |")
    lines += [*_exponents(nights), "", *_disk_lines(disks)]
    return "\n".join(lines) + "\n"


def _exponents(nights: list[Night]) -> Iterable[str]:
    """How each stage grows between two sizes, where 1 is as the messages do."""
    for name in NIGHTS:
        of_one_kind = sorted((night for night in nights if night.name == name), key=lambda night: night.messages)
        for small, large in zip(of_one_kind, of_one_kind[1:], strict=False):
            pairs = zip([*small.stages, small.processor_seconds], [*large.stages, large.processor_seconds], strict=True)
            found = " | ".join(
                f"{exponent(*pair, large.messages / small.messages):.2f}" if min(pair) > 0 else "" for pair in pairs
            )
            yield f"| {small.messages:,} to {large.messages:,} | {name}: exponent | {found} | | | | | |"


def exponent(small: float, large: float, growth: float) -> float:
    """Which power of the growth in size the growth in time is."""
    return math.log(large / small) / math.log(growth)


def _disk_lines(disks: list[Disk]) -> Iterable[str]:
    yield "| Messages | Bytes a message in the data root | Of them in `Outputs/` | In an archive |"
    yield "| ---: | ---: | ---: | ---: |"
    for disk in disks:
        yield f"| {disk.messages:,} | {disk.data_root:,.0f} | {disk.outputs:,.0f} | {disk.archive:,.0f} |"


def read_recorded() -> dict[str, Night]:
    """The nights that were recorded last."""
    documents = json.loads(_RECORDED.read_text()) if _RECORDED.exists() else []
    return {night.key: night for night in (Night(**document) for document in documents)}


def record(nights: list[Night]) -> None:
    """Keep nights, instead of those of the same size."""
    kept = {**read_recorded(), **{night.key: night for night in nights}}
    _RECORDED.write_text(json.dumps([asdict(night) for night in kept.values()], indent=2) + "\n")


def write_tables(page: Path, tables: str) -> None:
    """Renew the tables between the marks in a page."""
    text, found = _PLACE.subn(lambda place: place[1] + tables + place[2], page.read_text())
    if found != 1:
        raise SystemExit(f"{page}: {found} places for the measurements of nights; expected one")
    page.write_text(text)
