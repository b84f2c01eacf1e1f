"""Run the benchmarks: ``python -m benchmarks [--only NAME ...] [--rounds N] [--write]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.measure import Series, interleave, python

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("RAPIDEVAL_BENCH_CACHE", ROOT / "build" / "bench"))
PAGE = ROOT / "docs" / "performance.md"
PEERS = ["ultrafast-pycocotools", "hotcoco", "vernier", "faster-coco-eval", "pycocotools"]
AGREE = 1e-6


@dataclass
class Row:
    """One line of the table: a tool on one piece of work."""

    tool: str
    wall: float
    cpu: float
    memory: float
    ratio: float
    agrees: bool | None
    stages: dict[str, float] = field(default_factory=dict)
    failure: str = ""


@dataclass
class Work:
    """One piece of work and the tools that do it; the first is ours."""

    name: str
    title: str
    inputs: str
    commands: dict[str, list[str]]
    target: str = ""
    rounds: int | None = None


def coco(name: str, title: str, inputs: str, kind: str, tools: list[str], target: str = "") -> Work:
    """An evaluation, from files to the 12 numbers."""
    files = [str(CACHE / inputs / "gt.json"), str(CACHE / inputs / "dt.json")]
    commands = {tool: python("-m", "benchmarks.jobs", tool, kind, *files) for tool in ["rapideval", *tools]}
    return Work(name, title, inputs, commands, target)


def dense(spelling: str, target: str) -> Work:
    """A dense answer, from text to run lengths."""
    path = str(CACHE / "dense" / f"{spelling}.json")
    ours, theirs = "dense-rapideval", "dense-orjson"
    commands = {
        "rapideval": python("-m", "benchmarks.jobs", ours, path),
        "orjson + numpy + pycocotools": python("-m", "benchmarks.jobs", theirs, path),
    }
    return Work(f"dense-{spelling}", f"dense answer, 20 masks of 1080×1920, {spelling}", "dense", commands, target, 3)


def works() -> list[Work]:
    """All benchmarks, in the order of the table."""
    small = [str(CACHE / "boxes-100" / name) for name in ("gt.json", "dt.json")]
    return [
        coco(
            "boxes",
            "boxes: 5,000 images, 500,000 detections",
            "boxes-5000",
            "bbox",
            PEERS,
            "≤ 0.45 of the fastest peer",
        ),
        coco(
            "masks",
            "masks: 5,000 images, 180,000 detections",
            "masks-5000",
            "segm",
            PEERS,
            "≤ 0.45 of the fastest peer",
        ),
        coco("boxes-tenth", "boxes: 500 images, 50,000 detections", "boxes-500", "bbox", PEERS),
        coco("masks-tenth", "masks: 500 images, 18,000 detections", "masks-500", "segm", PEERS),
        coco(
            "boxes-tenfold",
            "boxes: 50,000 images, 5,000,000 detections",
            "boxes-50000",
            "bbox",
            PEERS[:2],
            "≤ 11 times the time of a tenth",
        ),
        dense("compact", "≥ 100 times as fast"),
        dense("layered", "≥ 40 times as fast"),
        dense("spaced", "≥ 40 times as fast"),
        dense("booleans", "≥ 40 times as fast"),
        dense("floats", ""),
        Work(
            "command",
            "whole command, 100 images",
            "boxes-100",
            {
                "rapideval": python("-m", "rapideval", "evaluate", *small, "--json"),
                "hotcoco": python("-m", "hotcoco.cli", "eval", "--gt", small[0], "--dt", small[1], "--json"),
            },
            "≤ the peer's",
            15,
        ),
        Work(
            "import",
            "import",
            "",
            {
                "rapideval": python("-c", "import rapideval"),
                "numpy": python("-c", "import numpy"),
            },
            "≤ 1.3 times numpy's",
            15,
        ),
    ]


def measure(work: Work, rounds: int) -> list[Row]:
    """Run one piece of work and compare."""
    if work.inputs:
        # In a process of its own: what makes the inputs is large, and this one must stay small.
        subprocess.run(python("-m", "benchmarks.inputs", work.inputs, str(CACHE)), check=True, cwd=ROOT)
    series = [Series(tool, command) for tool, command in work.commands.items()]
    os.chdir(ROOT)
    interleave(series, work.rounds or rounds)
    ours = series[0]
    reference = next((s for s in reversed(series) if s.output.get("numbers")), ours)
    return [
        Row(
            one.name,
            one.median(),
            one.median("cpu"),
            one.median("memory"),
            one.median() / ours.median(),
            _agrees(one, reference) if one is not reference else None,
            {stage: sorted(values)[len(values) // 2] for stage, values in one.stages.items()},
            one.failure,
        )
        for one in series
    ]


def _agrees(one: Series, reference: Series) -> bool | None:
    mine, theirs = one.output.get("numbers"), reference.output.get("numbers")
    if not mine or not theirs:
        return None
    if len(mine) != len(theirs):
        return False

    def same(a: float, b: float) -> bool:
        undefined = (a != a or a == -1, b != b or b == -1)
        return all(undefined) or abs(a - b) <= AGREE * max(1.0, abs(b))

    return all(same(a, b) for a, b in zip(mine, theirs, strict=True))


def table(work: Work, rows: list[Row]) -> str:
    """Markdown of one piece of work."""
    lines = [f"### {work.title}", ""]
    if work.target:
        lines += [f"Target: {work.target}.", ""]
    lines += ["| tool | wall s | cpu s | peak MB | × ours | agrees | stages s |", "|---|---:|---:|---:|---:|---|---|"]
    for row in rows:
        if row.failure:
            lines.append(f"| {row.tool} | – | – | – | – | – | {row.failure.replace('|', '/')} |")
            continue
        agrees = {True: "yes", False: "**no**", None: "reference" if len(rows) > 2 else "–"}[row.agrees]
        stages = ", ".join(f"{name} {seconds:.3f}" for name, seconds in row.stages.items())
        times = f"{row.wall:.3f} | {row.cpu:.3f} | {row.memory:.0f} | {row.ratio:.2f}"
        lines.append(f"| {row.tool} | {times} | {agrees} | {stages} |")
    return "\n".join([*lines, ""])


def provenance() -> str:
    """When, on what, with which versions."""
    from importlib.metadata import PackageNotFoundError, version

    names = [
        "rapideval",
        "numpy",
        "pycocotools",
        "faster-coco-eval",
        "hotcoco",
        "ultrafast-pycocotools",
        "vernier",
        "orjson",
    ]
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} (from the source tree)" if name == "rapideval" else f"{name} absent")
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"{time.strftime('%Y-%m-%d')}, {machine}; " + ", ".join(versions)


def main() -> int:
    """Entry point."""
    everything = works()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[w.name for w in everything], help="these pieces of work")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    arguments = parser.parse_args()

    chosen = [w for w in everything if not arguments.only or w.name in arguments.only]
    parts, results = [], {}
    disagreement = False
    for work in chosen:
        rows = measure(work, arguments.rounds)
        text = table(work, rows)
        print(text, flush=True)
        parts.append(text)
        results[work.name] = [asdict(row) for row in rows]
        disagreement |= any(row.agrees is False for row in rows)
    print(provenance())
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "results.json").write_text(json.dumps({"when": provenance(), "results": results}, indent=1))
    if arguments.write:
        _write_page("\n".join([f"Medians of interleaved whole-process runs. {provenance()}.", "", *parts]))
    return 1 if disagreement else 0


def _write_page(text: str) -> None:
    start, end = "<!-- table: python -m benchmarks --write -->", "<!-- end of table -->"
    page = PAGE.read_text()
    before, _, rest = page.partition(start)
    _, _, after = rest.partition(end)
    if not after and end not in page:
        raise SystemExit(f"{PAGE} has no place for the table: {start} ... {end}")
    PAGE.write_text(f"{before}{start}\n{text}\n{end}{after}")


if __name__ == "__main__":
    sys.exit(main())
