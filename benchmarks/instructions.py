"""Instructions of every hot loop, by callgrind: ``python -m benchmarks.instructions CACHE BOXES MASKS``.

Instructions do not wobble with what else the machine does, so they show whether a change helped. One process runs all
loops on one thread under callgrind and calls ``getppid`` before and after each; callgrind writes what it has counted at
every such call, so a loop's count has neither start-up nor the making of its input in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.kernels import kernels
from benchmarks.measure import python

MARK = "getppid"


def available() -> bool:
    """Whether valgrind is there."""
    return shutil.which("valgrind") is not None


def run_all(cache: str, boxes: str, masks: str) -> None:
    """What runs under callgrind: each loop once, between two marks."""
    rows = []
    for kernel in kernels(Path(cache), boxes, masks):
        os.getppid()
        kernel.run()
        os.getppid()
        rows.append({"name": kernel.name, "units": kernel.units, "unit": kernel.unit})
        print(f"  {kernel.name}", file=sys.stderr, flush=True)
    print(json.dumps(rows))


def count(cache: str, boxes: str, masks: str) -> list[dict[str, object]]:
    """Name, unit, units and instructions of each loop."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={folder}/out"]
        log = f"--log-file={folder}/log"
        inner = python("-m", "benchmarks.instructions", "--inside", cache, boxes, masks)
        done = subprocess.run(["valgrind", *options, log, *inner], stdout=subprocess.PIPE, check=True)
        rows: list[dict[str, object]] = json.loads(done.stdout)
        for place, row in enumerate(rows):
            # Dumps stand in order: the first ends where the first loop begins, the second where it has ended.
            text = Path(folder, f"out.{2 * place + 2}").read_text()
            found = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
            if found is None:
                raise RuntimeError(f"callgrind wrote no total for {row['name']}")
            row["instructions"] = int(found[1])
    return rows


def main() -> int:
    """Entry point."""
    if sys.argv[1] == "--inside":
        run_all(*sys.argv[2:])
    elif not available():
        print("valgrind is not installed: no instructions are counted", file=sys.stderr)
        print("[]")
    else:
        print(json.dumps(count(*sys.argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
