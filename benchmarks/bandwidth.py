"""Every hot loop beside the machine's own copying of memory: ``python -m benchmarks.bandwidth CACHE BOXES MASKS``.

Prints one JSON object: memcpy's bytes a second, and for each loop of `benchmarks.kernels` its seconds on one thread,
the least of several runs: what disturbs a loop only ever makes it slower.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.kernels import kernels

SECONDS, FEWEST = 1.0, 3
"""A loop is run again until this long is over, and so often at least."""


def least(run: Callable[[], Any]) -> float:
    """Seconds of the fastest run."""
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < FEWEST or time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def memcpy() -> float:
    """Bytes a second that one thread copies from memory to memory."""
    source = np.ones(256 << 20, np.uint8)
    target = np.empty_like(source)
    return source.nbytes / least(lambda: np.copyto(target, source))


def main(cache: str, boxes: str, masks: str) -> None:
    """Measure, and print a line for each on the way."""
    speed = memcpy()
    rows = []
    for kernel in kernels(Path(cache), boxes, masks):
        seconds = least(kernel.run)
        print(f"  {kernel.name}: {kernel.bytes / seconds / 1e9:.2f} GB/s", file=sys.stderr, flush=True)
        rows.append({"name": kernel.name, "seconds": seconds, "bytes": kernel.bytes, "units": kernel.units})
    print(json.dumps({"memcpy": speed, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
