"""What the project set itself to reach, held against what was measured last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Results = dict[str, Any]
"""What every piece of work gave: for whole processes a list of rows, else a dictionary of numbers."""


@dataclass(frozen=True)
class Target:
    """One line: a number, and what it must not be above (or below)."""

    work: str
    against: str
    aim: str
    measure: Callable[[Results], float]
    limit: float
    more_is_better: bool = False
    unit: str = ""

    def line(self, results: Results) -> str:
        """The row of the table; dashes where it was not measured."""
        try:
            value = self.measure(results)
        except (KeyError, ValueError, ZeroDivisionError):
            return f"| {self.work} | {self.against} | {self.aim} | – | not measured |"
        reached = value >= self.limit if self.more_is_better else value <= self.limit
        return (
            f"| {self.work} | {self.against} | {self.aim} | {value:.3g}{self.unit} | {'yes' if reached else '**no**'} |"
        )


def _rows(results: Results, work: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [row for row in results[work] if not row["failure"]]
    if not rows or rows[0]["tool"] != "rapideval":
        raise KeyError(work)
    return rows


def _share(work: str, what: str) -> Callable[[Results], float]:
    """Ours over the fastest peer's."""

    def measure(results: Results) -> float:
        ours, *peers = _rows(results, work)
        fastest = min(peers, key=lambda row: row["wall"])
        return float(ours[what] / fastest[what])

    return measure


def _times(work: str) -> Callable[[Results], float]:
    """How many times as fast as the peer, start-up left out of both: text to run-lengths alone."""

    def measure(results: Results) -> float:
        ours, peer = _rows(results, work)
        return float(peer["stages"]["total"] / ours["stages"]["total"])

    return measure


def _growth(results: Results) -> float:
    once, tenfold = _rows(results, "boxes")[0], _rows(results, "boxes-tenfold")[0]
    return float(tenfold["wall"] / once["wall"])


def _bytes_a_detection(results: Results) -> float:
    once, tenfold = _rows(results, "boxes")[0], _rows(results, "boxes-tenfold")[0]
    return float((tenfold["memory"] - once["memory"]) * 1024**2 / 4_500_000)


def _from(group: str, name: str) -> Callable[[Results], float]:
    return lambda results: float(results[group][name])


FASTEST = "fastest peer"
DENSE = "orjson + numpy + pycocotools.encode"

TARGETS = [
    Target("boxes, 500,000 detections", FASTEST, "≤ 0.45 of its time", _share("boxes", "wall"), 0.45),
    Target("", FASTEST, "≤ its peak memory", _share("boxes", "memory"), 1.0),
    Target("masks, 180,000 detections", FASTEST, "≤ 0.45 of its time", _share("masks", "wall"), 0.45),
    Target("", FASTEST, "≤ its peak memory", _share("masks", "memory"), 1.0),
    Target("10 times as many images", "itself", "≤ 11 times the time", _growth, 11.0),
    Target("", "itself", "≤ 100 bytes a detection more", _bytes_a_detection, 100.0, unit=" B"),
    Target("dense answer, `0,1`", DENSE, "≥ 100 times as fast", _times("dense-compact"), 100.0, True),
    Target(
        "",
        "the text's pages",
        "≤ 64 MB beside them",
        lambda r: float(_rows(r, "dense-compact")[0]["extra"]),
        64,
        unit=" MB",
    ),
    Target("dense answer, `0, 1`", DENSE, "≥ 40 times as fast", _times("dense-spaced"), 40.0, True),
    Target("dense answer, `false,true`", DENSE, "≥ 40 times as fast", _times("dense-booleans"), 40.0, True),
    Target("dense answer inside a string", DENSE, "≥ 40 times as fast", _times("dense-layered"), 40.0, True),
    Target("`rapideval evaluate`, 100 images", "hotcoco's `coco eval`", "≤ its time", _share("command", "wall"), 1.0),
    Target("`import rapideval`", "`import numpy`", "≤ 1.3 times", _share("import", "wall"), 1.3),
    Target("1,000 paired draws of all metrics", "–", "≤ 6 s", _from("judging", "draws_wall"), 6.0, unit=" s"),
    Target("", "–", "≤ 1 GB", _from("judging", "draws_memory"), 1024, unit=" MB"),
    Target("", "hotcoco's bootstrap", "(about 200 s)", _from("judging", "peer_times"), 1.0, True, " times as fast"),
    Target("gate on two saved evaluations, no draws", "–", "< 1 s", _from("judging", "gate_wall"), 1.0, unit=" s"),
    Target("a saved evaluation", "–", "≤ 40 bytes a detection", _from("judging", "saved_bytes"), 40.0, unit=" B"),
]


def target_table(results: Results) -> str:
    """All targets, with what was measured."""
    head = ["| work | against | aim | measured | reached |", "|---|---|---|---:|---|"]
    return "\n".join([*head, *(target.line(results) for target in TARGETS)])
