"""The hot loops one by one, each on one thread: what they work on, and how many bytes that is.

`benchmarks.bandwidth` times them beside memcpy; `benchmarks.instructions` counts their instructions, which do not
wobble. Bytes are those that a loop must read and write once, however often it looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SPELLINGS = {"compact": "`0,1`", "spaced": "`0, 1`", "floats": "`0.0,1.0`", "booleans": "`false,true`"}


@dataclass
class Kernel:
    """One hot loop with its input."""

    name: str
    run: Callable[[], Any]
    bytes: int
    units: int
    unit: str


def kernels(cache: Path, boxes: str, masks: str) -> Iterator[Kernel]:
    """All of them, one after the other: the input of each is made when it is asked for."""
    yield from _boxes(cache / boxes)
    yield from _masks(cache / masks)
    yield from _dense(cache / "answers")


def _size(*arrays: np.ndarray) -> int:
    return sum(array.nbytes for array in arrays)


def _joined(folder: Path, task: str) -> tuple[Any, Any]:
    """Ground truth and predictions, joined, and the protocol."""
    import rapideval
    from rapideval.metrics import Protocol
    from rapideval.model import align

    truth = rapideval.read(folder / "gt.json")
    found = rapideval.read(folder / "dt.json", images=truth.images, labels=truth.labels)
    return align(truth, found), Protocol(task=task)


def _boxes(folder: Path) -> Iterator[Kernel]:
    from rapideval import _core
    from rapideval.metrics import accumulate
    from rapideval.metrics.matching import match_aligned

    text = (folder / "dt.json").read_bytes()
    aligned, protocol = _joined(folder, "detection")
    truth, found = aligned.ground_truth, aligned.predictions
    rows, count = found.annotations, len(found.annotations)
    yield Kernel("read boxes", lambda: _core.read_coco_results(text, threads=1), len(text), count, "detection")
    sizes = found.images.sizes
    survey_bytes = _size(rows.box, rows.image)
    yield Kernel("survey boxes", lambda: _core.survey_boxes(rows.box, rows.image, sizes, 1), survey_bytes, count, "box")

    labels = len(truth.labels)
    matches = match_aligned(aligned, protocol, labels, 1)
    table = [
        matches.label, matches.image, matches.row, matches.score, matches.rank, matches.iou, matches.iou_row,
        matches.matched_iou, matches.matched_row, matches.matched, matches.ignored,
    ]  # fmt: skip
    read = _size(rows.image, rows.label, rows.score, rows.area, rows.box)
    yield Kernel(
        "match boxes", lambda: match_aligned(aligned, protocol, labels, 1), read + _size(*table), count, "detection"
    )
    walked = _size(matches.score, matches.rank, matches.matched, matches.ignored)
    yield Kernel("accumulate", lambda: accumulate(matches, 1), walked, count, "detection")

    from rapideval.judge.quantities import weighted

    weights = _core.bootstrap_weights(0, 0, 8, len(truth.images))
    resampled = walked + _size(matches.image)
    yield Kernel("resample, 8 draws", lambda: weighted(matches, weights, 1), resampled, 8 * count, "detection and draw")


def _masks(folder: Path) -> Iterator[Kernel]:
    from rapideval import _core
    from rapideval.metrics.matching import match_aligned

    text = (folder / "dt.json").read_bytes()
    aligned, protocol = _joined(folder, "instance")
    outlines = aligned.ground_truth.annotations.polygons
    shapes = aligned.ground_truth.images.sizes[aligned.ground_truth.annotations.image]
    masks = aligned.predictions.annotations.masks
    runs = len(masks.counts)
    yield Kernel("read compressed masks", lambda: _core.read_coco_results(text, threads=1), len(text), runs, "run")

    joined, offsets = _core.rle_to_strings(masks.counts, masks.offsets, 1)
    both = len(joined) + masks.counts.nbytes
    yield Kernel(
        "decode run-lengths", lambda: _core.rle_from_strings(joined, offsets, masks.sizes, 1), both, runs, "run"
    )
    yield Kernel("encode run-lengths", lambda: _core.rle_to_strings(masks.counts, masks.offsets, 1), both, runs, "run")

    painted = outlines.rasterise(shapes, 1)
    outline_bytes = _size(outlines.coordinates, painted.counts)
    yield Kernel("rasterise outlines", lambda: outlines.rasterise(shapes, 1), outline_bytes, len(painted.counts), "run")

    joined_masks = aligned._replace(
        ground_truth=aligned.ground_truth.with_masks(1), predictions=aligned.predictions.with_masks(1)
    )
    labels = len(aligned.ground_truth.labels)
    yield Kernel(
        "match masks",
        lambda: match_aligned(joined_masks, protocol, labels, 1),
        _size(masks.counts, painted.counts),
        len(masks.offsets) - 1,
        "detection",
    )


def _dense(folder: Path) -> Iterator[Kernel]:
    from rapideval import _core

    pixels = 20 * 1080 * 1920
    for spelling, shown in SPELLINGS.items():
        text = (folder / f"{spelling}.json").read_bytes()
        yield Kernel(
            f"dense masks, {shown}", lambda text=text: _core.scan_payload(text, threads=1), len(text), pixels, "pixel"
        )
    text = (folder / "layered.json").read_bytes()
    yield Kernel(
        "dense masks inside a string",
        lambda: _core.scan_payload(text, threads=1)["result"].scan(threads=1),
        len(text),
        pixels,
        "pixel",
    )
