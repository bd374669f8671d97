"""What benchmarks print beside their figures: how fast the machine is just now, the bar, and how a figure grows."""

import math
import os
import time
from collections.abc import Mapping

_ADDITIONS = 30_000_000


def calibrate() -> tuple[float, float]:
    """How long this machine takes for a plain loop, by the clock and by its processor; on a quiet one both are the same."""
    clock, processor, total = time.perf_counter(), time.process_time(), 0
    for number in range(_ADDITIONS):
        total += number
    return time.perf_counter() - clock, time.process_time() - processor


def show_calibration() -> None:
    """Print how fast the machine is."""
    clock, processor = calibrate()
    print(
        f"{_ADDITIONS:,} additions: {clock:.2f} s by the clock, {processor:.2f} by the processor; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def find_exponent(processor_seconds: Mapping[int, float]) -> float:
    """How processor time grows with size, from the smallest to the largest: 1 is in proportion."""
    small, large = min(processor_seconds), max(processor_seconds)
    return math.log(processor_seconds[large] / processor_seconds[small]) / math.log(large / small)


def show_exponent(what: str, processor_seconds: Mapping[int, float]) -> None:
    """Print how processor time grows, if there is more than one size."""
    if len(processor_seconds) > 1:
        exponent = find_exponent(processor_seconds)
        print(f"{what}: processor time grows with exponent {exponent:.2f}; bar 1.05", flush=True)
