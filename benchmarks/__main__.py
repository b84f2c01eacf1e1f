"""Run the benchmarks: ``python -m benchmarks [--only GROUP ...] [--rounds N] [--write]``.

Groups: boxes, masks and dense (evaluations and answers, beside the peers), start (small inputs, import), judging (two
versions compared), bandwidth (every hot loop beside memcpy), instructions (the same loops under callgrind). Results are
kept in the cache, so that groups can be run one at a time: the table of targets shows what was measured last.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import instructions, judging
from benchmarks.measure import Series, interleave, python
from benchmarks.tables import provenance, put, rows_of, work_table
from benchmarks.targets import target_table
from benchmarks.works import CACHE, ROOT, Work, groups

PAGE = ROOT / "docs" / "performance.md"
KEPT = CACHE / "results.json"
KERNELS = ("boxes-5000", "masks-5000")
SMALL_KERNELS = ("boxes-500", "masks-500")


class Telling:
    """Lines of progress on stderr, with the time since the start."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    def __call__(self, line: str) -> None:
        """Print one."""
        print(f"[{time.perf_counter() - self.began:4.0f} s] {line}", file=sys.stderr, flush=True)

    def about(self, name: str, line: str) -> None:
        """Print one about a piece of work."""
        self(f"{name}: {line}")


def inputs(name: str, tell: Telling) -> None:
    """Make inputs in a process of its own: what makes them is large, and this one must stay small."""
    if name and not (CACHE / name / "source.txt").exists():
        tell(f"making the inputs {name}")
        subprocess.run(python("-m", "benchmarks.inputs", name, str(CACHE)), check=True, cwd=ROOT)


def warm(path: Path) -> None:
    """Bring a file into the page cache, so that nobody pays for the disk."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def whole_processes(works: list[Work], rounds: int | None, tell: Telling) -> tuple[str, dict[str, Any]]:
    """Text and results of a group of works."""
    parts, results = [], {}
    for work in works:
        inputs(work.inputs, tell)
        for path in (CACHE / work.inputs).glob("*.json") if work.inputs else ():
            warm(path)
        series = [Series(tool, command) for tool, command in work.commands.items()]
        interleave(series, rounds or work.rounds, partial(tell.about, work.name))
        rows = rows_of(series)
        parts.append(work_table(work.title, rows))
        results[work.name] = [row.to_dict() for row in rows]
    return "\n".join(parts), results


def loops(module: str, names: tuple[str, str], tell: Telling) -> Any:
    """What `benchmarks.bandwidth` or `benchmarks.instructions` prints."""
    for name in (*names, "answers"):
        inputs(name, tell)
    done = subprocess.run(python("-m", module, str(CACHE), *names), stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def bandwidth(tell: Telling) -> tuple[str, dict[str, Any]]:
    """Every hot loop beside memcpy."""
    tell("bandwidth: every hot loop on one thread")
    measured = loops("benchmarks.bandwidth", KERNELS, tell)
    speed = measured["memcpy"]
    lines = [
        f"Copying memory (`memcpy`) on one thread: {speed / 1e9:.1f} GB/s. Each loop on one thread, on the inputs of",
        "the large benchmarks; bytes are what it must read and write once.",
        "",
        "| loop | MB | ms | GB/s | of memcpy |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in measured["rows"]:
        rate = row["bytes"] / row["seconds"]
        lines.append(
            f"| {row['name']} | {row['bytes'] / 1e6:.1f} | {row['seconds'] * 1e3:.1f} | {rate / 1e9:.2f} | "
            f"1/{speed / rate:.0f} |"
        )
    return "\n".join(lines), {"bandwidth": measured}


def counted(tell: Telling) -> tuple[str, dict[str, Any]]:
    """Instructions of every hot loop."""
    if not instructions.available():
        return "Not counted: valgrind is not installed.", {}
    tell("instructions: every hot loop under callgrind")
    rows = loops("benchmarks.instructions", SMALL_KERNELS, tell)
    lines = [
        "One thread, under callgrind; boxes and masks of 500 images.",
        "",
        "| loop | million instructions | for each | instructions |",
        "|---|---:|---|---:|",
    ]
    for row in rows:
        each = row["instructions"] / row["units"]
        lines.append(
            f"| {row['name']} | {row['instructions'] / 1e6:.0f} | {row['unit']} | {each:.{1 if each < 100 else 0}f} |"
        )
    return "\n".join(lines), {"instructions": rows}


def main() -> int:
    """Entry point."""
    works = groups()
    names = [*works, "judging", "bandwidth", "instructions"]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="GROUP", help=", ".join(names))
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 5; dense 3, start 15)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    CACHE.mkdir(parents=True, exist_ok=True)
    tell = Telling()
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    disagreement = False
    for name in (name for name in names if name in arguments.only):
        if name in works:
            text, results = whole_processes(works[name], arguments.rounds, tell)
            disagreement |= any(row["agrees"] is False for rows in results.values() for row in rows)
        elif name == "judging":
            inputs(judging.INPUTS, tell)
            text, facts = judging.measure(arguments.rounds or 5, partial(tell.about, name))
            results = {name: facts}
        else:
            text, results = (bandwidth if name == "bandwidth" else counted)(tell)
        text = f"{provenance()}\n\n{text}"
        print(f"\n## {name}\n\n{text}\n", flush=True)
        kept |= results
        KEPT.write_text(json.dumps(_plain(kept), indent=1))
        if arguments.write:
            put(PAGE, name, text)
    table = target_table(kept)
    print(f"\n{table}")
    if arguments.write:
        put(PAGE, "targets", f"{provenance()}\n\n{table}")
    return 1 if disagreement else 0


def _plain(value: Any) -> Any:
    """As JSON can hold it: no NaN."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


if __name__ == "__main__":
    sys.exit(main())
