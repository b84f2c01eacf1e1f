"""What the verdict rests on, shown by simulation: ``python -m benchmarks.statistics [--trials N] [--write]``.

Three questions, each asked of many simulated holdouts whose truth is known: how often are two answers of one model
called different (A/A), how often does the interval hold the true value (coverage), how often is a true drop found
(power). The model's true metric is measured once, on a holdout so large that its error does not matter.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "statistics.md"
SIDE = 640


@dataclass(frozen=True)
class Setting:
    """A kind of holdout."""

    name: str
    images: int
    labels: int
    per_image: float


SETTINGS = [
    Setting("100 images, 3 labels, sparse", 100, 3, 2.0),
    Setting("100 images, 3 labels, crowded", 100, 3, 12.0),
    Setting("300 images, 5 labels", 300, 5, 4.0),
    Setting("1,000 images, 5 labels, sparse", 1000, 5, 2.0),
]


def make_truth(setting: Setting, seed: int):
    """Objects of a simulated holdout."""
    from rapideval import Annotations, Dataset, Images, Labels

    rng = np.random.default_rng(seed)
    image = np.repeat(np.arange(setting.images), rng.poisson(setting.per_image, setting.images))
    box = np.hstack([rng.uniform(0, 520, (len(image), 2)), np.exp(rng.normal(4, 0.6, (len(image), 2))).clip(8, 120)])
    return Dataset(
        Images([f"{i}.jpg" for i in range(setting.images)], sizes=[[SIDE, SIDE]] * setting.images),
        Labels([f"label {k}" for k in range(setting.labels)]),
        Annotations(image, rng.integers(0, setting.labels, len(image)), box),
    )


def answer(truth, seed: int, recall: float, hardness_seed: int):
    """Answers of a detector; what makes an image hard is the image's own, the same for every version."""
    from rapideval import Annotations, Dataset

    rng = np.random.default_rng(seed)
    rows = truth.annotations
    hardness = np.random.default_rng(hardness_seed).normal(0, 0.15, len(truth.images))
    found = rng.random(len(rows)) < np.clip(recall - hardness[rows.image], 0, 1)
    box = rows.box[found] + rng.normal(0, 0.08, (int(found.sum()), 4)) * np.tile(rows.box[found][:, 2:], 2)
    box[:, 2:] = np.maximum(box[:, 2:], 2)
    image = np.repeat(np.arange(len(truth.images)), rng.poisson(1.5, len(truth.images)))
    false = np.hstack([rng.uniform(0, 520, (len(image), 2)), np.exp(rng.normal(4, 0.6, (len(image), 2))).clip(8, 120)])
    return Dataset(
        truth.images,
        truth.labels,
        Annotations(
            np.concatenate([rows.image[found], image]),
            np.concatenate([rows.label[found], rng.integers(0, len(truth.labels), len(image))]),
            np.concatenate([box, false]),
            np.concatenate([rng.beta(4, 2, len(box)), rng.beta(2, 4, len(image))]),
        ),
    )


def band(trials: int, share: float, level: float = 0.99) -> tuple[int, int]:
    """Exact central binomial band of a count."""
    log = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        + k * math.log(share) + (trials - k) * math.log1p(-share)
        for k in range(trials + 1)
    ]  # fmt: skip
    cumulative = np.cumsum(np.exp(log))
    low = int(np.searchsorted(cumulative, (1 - level) / 2))
    return low, int(np.searchsorted(cumulative, 1 - (1 - level) / 2))


def quantities(labels: int):
    """What is tested: AP, AP50, one label's AP."""
    from rapideval.judge.quantities import Quantity

    return [Quantity("AP"), Quantity("AP50"), Quantity("AP", f"label {labels - 1}")]


def same_model(trials: int) -> list[str]:
    """A/A: share of "different" at 5 %, and how often the interval of the difference holds 0."""
    from rapideval import evaluate
    from rapideval.judge.resample import measure_pair, permutation_p_values

    low, high = band(trials, 0.05)
    lines = [
        f"Two answers of one model, {trials} trials a setting; at 5 % the 99 % band of a count is {low} to {high}.",
        "",
        "| holdout | metric | permutation: p ≤ 0.05 | bootstrap: 95 % interval misses 0 | both in the band |",
        "|---|---|---:|---:|---|",
    ]
    for setting in SETTINGS:
        wanted = quantities(setting.labels)
        alarms, missed = np.zeros(3, int), np.zeros(3, int)
        for trial in range(trials):
            truth = make_truth(setting, 17 * trial + 1)
            sides = [evaluate(truth, answer(truth, 2 * trial + s, 0.8, trial)) for s in range(2)]
            alarms += permutation_p_values(*sides, wanted, draws=199, seed=trial) <= 0.05
            measured = measure_pair(*sides, wanted, draws=400, seed=trial)
            missed += [0.0 not in m.gain().interval(0.95) for m in measured]
        for name, a, m in zip(("AP", "AP50", "AP of one label"), alarms, missed, strict=True):
            inside = "yes" if low <= a <= high and low <= m <= high else "**no**"
            lines.append(f"| {setting.name} | {name} | {a / trials:.1%} | {m / trials:.1%} | {inside} |")
    return lines


def coverage(trials: int) -> list[str]:
    """How often the 95 % interval of the difference holds its true value."""
    from rapideval import evaluate
    from rapideval.judge.resample import measure_pair

    low, high = band(trials, 0.95)
    lines = [
        f"Interval of the difference of two unequal models against its true value, {trials} trials; "
        f"at 95 % the 99 % band of a count is {low} to {high}.",
        "",
        "| holdout | metric | true difference | covered | in the band |",
        "|---|---|---:|---:|---|",
    ]
    for setting in SETTINGS[:3]:
        wanted = quantities(setting.labels)[:2]
        large = make_truth(Setting("", 40000, setting.labels, setting.per_image), 5)
        whole = [evaluate(large, answer(large, s, recall, 7)) for s, recall in ((1, 0.8), (2, 0.74))]
        true = [whole[1].summary[q.metric] - whole[0].summary[q.metric] for q in wanted]
        covered = np.zeros(2, int)
        for trial in range(trials):
            truth = make_truth(setting, 31 * trial + 2)
            sides = [evaluate(truth, answer(truth, 2 * trial + s, r, trial)) for s, r in enumerate((0.8, 0.74))]
            measured = measure_pair(*sides, wanted, draws=400, seed=trial)
            covered += [t in m.gain().interval(0.95) for t, m in zip(true, measured, strict=True)]
        for q, t, c in zip(wanted, true, covered, strict=True):
            inside = "yes" if low <= c <= high else "**no**"
            lines.append(f"| {setting.name} | {q.metric} | {t:+.4f} | {c / trials:.1%} | {inside} |")
    return lines


def power(trials: int) -> list[str]:
    """How often the gate (margin 0) fails a truly worse version, by its true drop and the number of images."""
    from rapideval import evaluate
    from rapideval.judge import Policy, gate

    policy = Policy.parse('version = 1\n[gate]\ndraws = 300\n[[rule]]\nmetric = "AP"\nmargin = 0.0\n')
    lines = [
        f'Gate with margin 0 on AP, 5 labels, {trials} trials a cell: share of verdicts "fail", and the drop of AP',
        "that the gate said it would detect with 80 % power.",
        "",
        "| images | no drop | recall 0.80 → 0.77 | 0.80 → 0.74 | 0.80 → 0.68 | stated detectable drop of AP |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for images in (100, 300, 1000):
        setting = Setting("", images, 5, 4.0)
        cells, drops = [], []
        for recall in (0.8, 0.77, 0.74, 0.68):
            failed = 0
            for trial in range(trials):
                truth = make_truth(setting, 13 * trial + 3)
                sides = [evaluate(truth, answer(truth, 2 * trial + s, r, trial)) for s, r in enumerate((0.8, recall))]
                result = gate(*sides, policy)
                failed += result.verdict == "fail"
                drops.append(result.outcomes[0].detectable_drop)
            cells.append(f"{failed / trials:.0%}")
        lines.append(f"| {images:,} | {' | '.join(cells)} | {np.median(drops):.3f} |")
    return lines


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statistics", description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="simulated holdouts a cell (default 1000)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/statistics.md")
    arguments = parser.parse_args()
    parts = []
    for title, work in (("A/A: false alarms", same_model), ("Coverage", coverage), ("Power", power)):
        start = time.perf_counter()
        text = "\n".join([f"### {title}", "", *work(arguments.trials), ""])
        print(text, f"({time.perf_counter() - start:.0f} s)\n", flush=True)
        parts.append(text)
    if arguments.write:
        start, end = "<!-- tables: python -m benchmarks.statistics --write -->", "<!-- end of tables -->"
        before, _, rest = PAGE.read_text().partition(start)
        after = rest.partition(end)[2]
        date = time.strftime("%Y-%m-%d")
        PAGE.write_text(
            f"{before}{start}\n{date}, {arguments.trials} trials.\n\n" + "\n".join(parts) + f"\n{end}{after}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
