"""Comparing two versions of 500,000 detections each: ``python -m benchmarks.judging [--draws N] [--peer-draws N]``.

Whole processes: from two saved evaluations to a thousand paired draws of all summary and per-label metrics; the gate
without draws; the size of a saved evaluation. The peer's bootstrap is timed with fewer draws, from its own evaluations,
which it cannot save; its time is given per draw, and what a thousand would take is said to be scaled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Series, python, run

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("RAPIDEVAL_BENCH_CACHE", ROOT / "build" / "bench"))
POLICY = 'version = 1\n[[rule]]\nmetric = "AP"\nfloor = 0.1\nfloor_by = "point"\n'


def second_version(predictions: Path, path: Path) -> None:
    """The same detections with other scores, as another training run would give them."""
    import numpy as np

    rng = np.random.default_rng(7)
    rows = json.loads(predictions.read_bytes())
    for row, noise in zip(rows, rng.normal(0, 0.05, len(rows)).tolist(), strict=True):
        row["score"] = round(min(max(row["score"] + noise, 0.001), 0.999), 5)
    path.write_text(json.dumps(rows))


def prepare(folder: Path) -> list[Path]:
    """Two saved evaluations."""
    subprocess.run(python("-m", "benchmarks.inputs", folder.name, str(CACHE)), check=True, cwd=ROOT)
    other = folder / "dt2.json"
    if not other.exists():
        second_version(folder / "dt.json", other)
    saved = []
    for name in ("dt.json", "dt2.json"):
        path = folder / f"{name}.parquet"
        command = python("-m", "rapideval", "evaluate", str(folder / "gt.json"), str(folder / name), "--rows", "0")
        subprocess.run([*command, "--save", str(path)], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        saved.append(path)
    return saved


def peer(folder: Path, draws: int) -> float:
    """Seconds of hotcoco's bootstrap, its evaluations made beforehand."""
    import hotcoco

    truth = hotcoco.COCO(str(folder / "gt.json"))
    made = []
    for name in ("dt.json", "dt2.json"):
        evaluation = hotcoco.COCOeval(truth, truth.loadRes(str(folder / name)), "bbox")
        evaluation.evaluate()
        made.append(evaluation)
    began = time.perf_counter()
    hotcoco.compare(made[0], made[1], n_bootstrap=draws)
    return time.perf_counter() - began


def told(name: str, command: list[str]) -> Series:
    """Run a command three times; print its medians."""
    series = Series(name, command)
    os.chdir(ROOT)
    for _ in range(3):
        run(series)
    if series.failure:
        print(f"{name:58} {series.failure}")
    else:
        print(
            f"{name:58} {series.median():7.2f} s wall {series.median('cpu'):7.2f} s cpu "
            f"{series.median('memory'):6.0f} MB"
        )
    return series


def main() -> int:
    """Measure, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", default="boxes-5000")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--peer-draws", type=int, default=20)
    arguments = parser.parse_args()
    folder = CACHE / arguments.inputs
    saved = [str(path) for path in prepare(folder)]
    policy = folder / "gate.toml"
    policy.write_text(POLICY)
    compared = told(
        f"rapideval compare, {arguments.draws:,} paired draws and permutations",
        python("-m", "rapideval", "compare", *saved, "--draws", str(arguments.draws), "--json"),
    )
    inner = f"from benchmarks.judging import draws_alone; draws_alone({saved!r}, {arguments.draws})"
    told(f"rapideval, {arguments.draws:,} paired draws alone", python("-c", inner))
    told(
        "rapideval gate, no draws needed", python("-m", "rapideval", "gate", *saved, "--policy", str(policy), "--json")
    )
    seconds = peer(folder, arguments.peer_draws)
    each = seconds / arguments.peer_draws
    print(f"{'hotcoco compare, ' + str(arguments.peer_draws) + ' draws, in process':58} {seconds:7.2f} s wall")
    ratio = each * arguments.draws / compared.median()
    print(
        f"scaled to {arguments.draws:,} draws the peer takes {each * arguments.draws:.0f} s, {ratio:.0f} times as long"
    )
    sizes = [Path(path).stat().st_size for path in saved]
    count = len(json.loads((folder / "dt.json").read_bytes()))
    print(f"a saved evaluation takes {max(sizes) / count:.1f} bytes a detection")
    return 0


def draws_alone(saved: list[str], draws: int) -> None:
    """A thousand paired draws of all summary and per-label metrics, and no permutation test."""
    from rapideval.judge.quantities import Quantity
    from rapideval.judge.resample import measure_pair
    from rapideval.metrics import Evaluation

    baseline, candidate = (Evaluation.load(path) for path in saved)
    wanted = [Quantity(name) for name in baseline.summary]
    wanted += [Quantity("AP", label) for label in baseline.labels.names[: baseline.truth_labels]]
    measure_pair(baseline, candidate, wanted, draws=draws)


if __name__ == "__main__":
    sys.exit(main())
