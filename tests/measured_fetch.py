"""Measuring one run of the fetch, for the benchmarks."""

import argparse
import resource
import time

from engagement.stages import fetch_raw_data


def measure_fetch(what: str, rows: int, arguments: list[str], unit: str = "runs") -> tuple[float, int]:
    """Run the stage once in this process, and print how fast it was; the peak is that of the process.

    Returns the processor's seconds and the peak in MiB.
    """
    parser = argparse.ArgumentParser()
    fetch_raw_data.add_arguments(parser)
    started, cpu = time.perf_counter(), time.process_time()
    fetch_raw_data.run(parser.parse_args(arguments))
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what}: {elapsed:.2f} s, {rows / elapsed:,.0f} {unit}/s; CPU {cpu:.2f} s; peak {peak} MiB", flush=True)
    return cpu, peak
