"""Results as tables of Markdown, and their places in a page of the documentation."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Series

AGREE = 1e-6
VERSIONS = ("numpy", "pycocotools", "faster-coco-eval", "hotcoco", "ultrafast-pycocotools", "vernier", "orjson")


@dataclass
class Row:
    """One line of a table: a tool on one piece of work. Seconds, MB."""

    tool: str
    runs: int
    wall: float
    cpu: float
    memory: float
    ratio: float
    agrees: bool | None
    stages: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    extra: float | None = None
    """MB at the peak beyond what was there before the work, the text's own pages left out."""

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def rows_of(series: list[Series]) -> list[Row]:
    """Medians; the first is ours, the last that has numbers is what the others are held to."""
    ours = series[0]
    reference = next((s for s in reversed(series) if s.output.get("numbers")), ours)
    return [
        Row(
            one.name,
            len(one.wall),
            one.median(),
            one.median("cpu"),
            one.median("memory"),
            one.median() / ours.median(),
            None if one is reference else agrees(one.output.get("numbers"), reference.output.get("numbers")),
            {stage: sorted(values)[len(values) // 2] for stage, values in one.stages.items()},
            one.failure,
            one.output.get("extra"),
        )
        for one in series
    ]


def agrees(mine: list[float] | None, theirs: list[float] | None) -> bool | None:
    """Whether all numbers are the same, undefined ones (NaN or -1) alike; None where there are none."""
    if not mine or not theirs:
        return None
    if len(mine) != len(theirs):
        return False

    def same(a: float, b: float) -> bool:
        undefined = (a != a or a == -1, b != b or b == -1)
        return all(undefined) or abs(a - b) <= AGREE * max(1.0, abs(b))

    return all(same(a, b) for a, b in zip(mine, theirs, strict=True))


def work_table(title: str, rows: list[Row]) -> str:
    """All tools on one piece of work."""
    lines = [f"**{title[:1].upper()}{title[1:]}**", ""]
    lines += ["| tool | runs | wall, s | processor, s | peak memory, MB | × ours | numbers agree | stages, s |"]
    lines += ["|---|---:|---:|---:|---:|---:|---|---|"]
    for row in rows:
        if row.failure:
            lines.append(f"| {row.tool} | – | – | – | – | – | – | {row.failure.replace('|', '/')} |")
            continue
        known = {True: "yes", False: "**no**", None: "reference" if any(r.agrees is not None for r in rows) else "–"}
        stages = ", ".join(f"{name} {seconds:.3f}" for name, seconds in row.stages.items())
        times = f"{row.wall:.3f} | {row.cpu:.3f} | {row.memory:.0f} | {row.ratio:.2f}"
        lines.append(f"| {row.tool} | {row.runs} | {times} | {known[row.agrees]} | {stages} |")
    return "\n".join([*lines, ""])


def provenance() -> str:
    """When, on what, with which versions."""
    from importlib.metadata import PackageNotFoundError, version

    versions = []
    for name in VERSIONS:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} absent")
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"{time.strftime('%Y-%m-%d')}, {machine}; " + ", ".join(versions)


def put(page: Path, name: str, text: str) -> None:
    """Write a text between the comments ``<!-- name: ... -->`` and ``<!-- end of name -->`` of a page."""
    before, start, rest = page.read_text().partition(f"<!-- {name}: ")
    comment, close, rest = rest.partition("-->")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not (start and close and end):
        raise SystemExit(f"{page} has no place for {name}: <!-- {name}: ... --> ... <!-- end of {name} -->")
    page.write_text(f"{before}{start}{comment}{close}\n{text.strip()}\n{end}{after}")
