"""Whole processes, interleaved: wall time, processor time and peak memory as the operating system counts them.

This module imports nothing heavy: the peak memory of a child is counted from its fork, so the parent must be small.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

LONG = 10.0
MOST_SECONDS = 25.0


@dataclass
class Series:
    """The runs of one command."""

    name: str
    command: Sequence[str]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, list[float]] = field(default_factory=dict)
    failure: str = ""

    def median(self, what: str = "wall") -> float:
        """Median of wall (s), cpu (s) or memory (MB)."""
        values: list[float] = getattr(self, what)
        return statistics.median(values) if values else float("nan")


def run(series: Series) -> None:
    """Run a command once; a failure is kept, not raised, since a peer may refuse an input."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        pid = os.posix_spawn(
            series.command[0],
            list(series.command),
            {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)],
        )
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        if status:
            lines = err.read().decode(errors="replace").strip().splitlines()
            series.failure = lines[-1][:160] if lines else f"exit status {status}"
            return
        text = out.read().decode().strip().splitlines()
    series.wall.append(wall)
    series.cpu.append(usage.ru_utime + usage.ru_stime)
    series.memory.append(usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))
    if text and text[-1].startswith("{"):
        series.output = json.loads(text[-1])
        for stage, seconds in series.output.get("stages", {}).items():
            series.stages.setdefault(stage, []).append(seconds)


def interleave(series: Sequence[Series], rounds: int, tell: Callable[[str], None] = lambda line: None) -> None:
    """Run the commands in turn, round after round, so that a slow spell of the machine hits all alike.

    A command's first run warms up and does not count, unless it took long: then it is worth keeping, and has nothing
    to warm up. No command is run again that would come to more than `MOST_SECONDS` in all.
    """
    for number in range(-1, rounds):
        for one in series:
            if one.failure or (number >= 0 and one.wall and sum(one.wall) + one.median() > MOST_SECONDS):
                continue
            run(one)
            tell(f"{one.name}: {one.failure or f'{one.wall[-1]:.2f} s'}")
            if number < 0 and one.wall and one.wall[0] < LONG:
                for values in (one.wall, one.cpu, one.memory, *one.stages.values()):
                    values.clear()


def python(*arguments: str) -> list[str]:
    """Command that runs this Python."""
    return [sys.executable, *arguments]
