"""Two versions of 500,000 detections each, compared and gated: the group ``judging`` of ``python -m benchmarks``.

Whole processes: from two saved evaluations to a thousand paired draws of all summary and per-label metrics; the gate
without draws; the size of a saved evaluation. The peer's bootstrap is timed with fewer draws, from its own evaluations,
which it cannot save, so its time is that of the draws alone, and what a thousand would take is scaled.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Series, interleave, python
from benchmarks.works import CACHE, ROOT

POLICY = 'version = 1\n[[rule]]\nmetric = "AP"\nfloor = 0.1\nfloor_by = "point"\n'
INPUTS, DRAWS, PEER_DRAWS = "boxes-5000", 1000, 20


def second_version(predictions: Path, path: Path) -> None:
    """The same detections with other scores, as another training run would give them."""
    import numpy as np

    rng = np.random.default_rng(7)
    rows = json.loads(predictions.read_bytes())
    for row, noise in zip(rows, rng.normal(0, 0.05, len(rows)).tolist(), strict=True):
        row["score"] = round(min(max(row["score"] + noise, 0.001), 0.999), 5)
    path.write_text(json.dumps(rows))


def prepare() -> tuple[list[str], int]:
    """Two evaluations, saved anew by this version, and how many detections each has."""
    folder = CACHE / INPUTS
    if not (folder / "dt2.json").exists():
        command = "from pathlib import Path; from benchmarks.judging import second_version as make; "
        command += f"make(Path({str(folder / 'dt.json')!r}), Path({str(folder / 'dt2.json')!r}))"
        subprocess.run(python("-c", command), check=True, cwd=ROOT)
    saved, count = [], 0
    for name in ("dt.json", "dt2.json"):
        path = folder / f"{name}.parquet"
        command = python("-m", "rapideval", "evaluate", str(folder / "gt.json"), str(folder / name), "--json")
        done = subprocess.run([*command, "--save", str(path)], check=True, stdout=subprocess.PIPE, cwd=ROOT)
        count = json.loads(done.stdout)["counts"]["detections"]
        saved.append(str(path))
    (folder / "gate.toml").write_text(POLICY)
    return saved, count


def measure(rounds: int, tell: Callable[[str], None]) -> tuple[str, dict[str, float]]:
    """The section's text, and the numbers that targets are held to."""
    saved, count = prepare()
    policy = str(CACHE / INPUTS / "gate.toml")
    compare = python("-m", "rapideval", "compare", *saved, "--draws", str(DRAWS), "--json")
    series = [
        Series(f"{DRAWS:,} paired draws of all metrics", python("-m", "benchmarks.judging", "draws", *saved)),
        Series("`compare`: as many draws and permutations, and changes by image", compare),
        Series("`gate`, no draws needed", python("-m", "rapideval", "gate", *saved, "--policy", policy, "--json")),
    ]
    interleave(series, rounds, tell)
    peer = Series(f"hotcoco, {PEER_DRAWS} draws", python("-m", "benchmarks.judging", "peer"))
    interleave([peer], 1, tell)
    lines = [
        "| from two saved evaluations | runs | wall, s | processor, s | peak memory, MB |",
        "|---|---:|---:|---:|---:|",
    ]
    for one in series:
        numbers = f"{one.median():.3f} | {one.median('cpu'):.3f} | {one.median('memory'):.0f}"
        lines.append(f"| {one.name} | {len(one.wall)} | {numbers if one.wall else one.failure + ' | – | –'} |")
    draws, gate = series[0], series[2]
    facts = {"draws_wall": draws.median(), "draws_memory": draws.median("memory"), "gate_wall": gate.median()}
    facts["saved_bytes"] = max(Path(path).stat().st_size for path in saved) / count
    lines += ["", f"A saved evaluation takes {facts['saved_bytes']:.1f} bytes a detection. "]
    if peer.failure:
        lines[-1] += f"The peer: {peer.failure}"
    else:
        seconds = peer.stages["bootstrap"][0]
        scaled = seconds / PEER_DRAWS * DRAWS
        facts["peer_times"] = scaled / draws.median()
        lines[-1] += (
            f"hotcoco's bootstrap takes {seconds:.1f} s for {PEER_DRAWS} draws, its evaluations made beforehand; "
            f"scaled to {DRAWS:,} draws {scaled:.0f} s, {facts['peer_times']:.0f} times as long."
        )
    return "\n".join(lines), facts


def peer() -> None:
    """The bootstrap of hotcoco in this process, its evaluations made beforehand."""
    import hotcoco

    folder = CACHE / INPUTS
    truth = hotcoco.COCO(str(folder / "gt.json"))
    made = []
    for name in ("dt.json", "dt2.json"):
        evaluation = hotcoco.COCOeval(truth, truth.loadRes(str(folder / name)), "bbox")
        evaluation.evaluate()
        made.append(evaluation)
    began = time.perf_counter()
    hotcoco.compare(made[0], made[1], n_bootstrap=PEER_DRAWS)
    print(json.dumps({"stages": {"bootstrap": time.perf_counter() - began}}))


def draws_alone(*saved: str) -> None:
    """A thousand paired draws of all summary and per-label metrics, and no permutation test."""
    from rapideval.judge.quantities import Quantity
    from rapideval.judge.resample import measure_pair
    from rapideval.metrics import Evaluation

    baseline, candidate = (Evaluation.load(path) for path in saved)
    wanted = [Quantity(name) for name in baseline.summary_names]
    wanted += [Quantity("AP", label) for label in baseline.labels.names[: baseline.truth_labels]]
    measure_pair(baseline, candidate, wanted, draws=DRAWS)


if __name__ == "__main__":
    {"draws": draws_alone, "peer": peer}[sys.argv[1]](*sys.argv[2:])
