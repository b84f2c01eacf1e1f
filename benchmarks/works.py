"""The pieces of work that whole processes are timed on, and who does them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import python

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("RAPIDEVAL_BENCH_CACHE", ROOT / "build" / "bench"))
PEERS = ("ultrafast-pycocotools", "hotcoco", "vernier", "faster-coco-eval", "pycocotools")


@dataclass(frozen=True)
class Work:
    """One piece of work and the tools that do it; the first is ours."""

    name: str
    title: str
    inputs: str
    commands: dict[str, list[str]]
    rounds: int = 5


def coco(name: str, title: str, inputs: str, kind: str, tools: Sequence[str] = PEERS) -> Work:
    """An evaluation, from files to the 12 numbers."""
    files = [str(CACHE / inputs / "gt.json"), str(CACHE / inputs / "dt.json")]
    commands = {tool: python("-m", "benchmarks.jobs", tool, kind, *files) for tool in ("rapideval", *tools)}
    return Work(name, title, inputs, commands)


def dense(spelling: str, shown: str) -> Work:
    """A dense answer, from text to run-lengths and areas."""
    path = str(CACHE / "answers" / f"{spelling}.json")
    commands = {
        "rapideval": python("-m", "benchmarks.jobs", "dense-rapideval", path),
        "orjson + numpy + pycocotools": python("-m", "benchmarks.jobs", "dense-orjson", path),
    }
    return Work(f"dense-{spelling}", f"dense answer, 20 masks of 1080 × 1920, {shown}", "answers", commands, 3)


def command(name: str, title: str, files: list[str], *options: str) -> Work:
    """An evaluation on the command line, tables for people unless the options say otherwise."""
    commands = {
        "rapideval": python("-m", "rapideval", "evaluate", *files, *options),
        "hotcoco": python("-m", "hotcoco.cli", "eval", "--gt", files[0], "--dt", files[1], *options),
    }
    return Work(name, title, "boxes-100", commands, 15)


def groups() -> dict[str, list[Work]]:
    """Pieces of work by the section of the page that shows them."""
    small = [str(CACHE / "boxes-100" / name) for name in ("gt.json", "dt.json")]
    return {
        "boxes": [
            coco("boxes", "boxes: 5,000 images, 500,000 detections", "boxes-5000", "bbox"),
            coco("boxes-tenth", "boxes: 500 images, 50,000 detections", "boxes-500", "bbox"),
            coco("boxes-tenfold", "boxes: 50,000 images, 5,000,000 detections", "boxes-50000", "bbox", PEERS[:2]),
        ],
        "masks": [
            coco("masks", "masks: 5,000 images, 180,000 detections", "masks-5000", "segm"),
            coco("masks-tenth", "masks: 500 images, 18,000 detections", "masks-500", "segm"),
        ],
        "dense": [
            dense("compact", "`0,1`"),
            dense("spaced", "`0, 1`"),
            dense("booleans", "`false,true`"),
            dense("floats", "`0.0,1.0`"),
            dense("layered", "`0,1` inside a string"),
        ],
        "start": [
            command("command", "whole command, 100 images", small),
            command("command-json", "whole command, 100 images, as JSON", small, "--json"),
            Work(
                "import",
                "import",
                "",
                {"rapideval": python("-c", "import rapideval"), "numpy": python("-c", "import numpy")},
                15,
            ),
        ],
    }
