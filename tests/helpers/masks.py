"""Masks as arrays, for the tests of the kernels: made, drawn at random, handed to pycocotools."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco


def runs_of(dense):
    """Run lengths of one (H, W) array, the plain way."""
    flat = np.asarray(dense).T.ravel()
    runs, value, length = [], 0, 0
    for pixel in flat.tolist():
        if pixel != value:
            runs.append(length)
            value, length = pixel, 0
        length += 1
    return [*runs, length]


def columns(rows, sizes):
    """The three arrays of a mask set, from one list of runs and one (h, w) for each mask."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    counts = np.array([run for row in rows for run in row], np.uint32)
    return counts, offsets, np.array(sizes, np.uint32).reshape(-1, 2)


def split(counts, offsets):
    """Runs of each mask as lists."""
    return [counts[a:b].tolist() for a, b in itertools.pairwise(offsets)]


def from_dense(stack):
    """The three arrays of a stack (N, H, W)."""
    stack = np.asarray(stack)
    return columns([runs_of(m) for m in stack], [stack.shape[1:]] * len(stack))


def coco_of(stack):
    """pycocotools' objects of a stack (N, H, W)."""
    return [coco.encode(np.asfortranarray(m.astype(np.uint8))) for m in stack]


@st.composite
def stacks(draw, min_masks=1, max_masks=5, max_side=12):
    """Stacks (N, H, W) from blank over blobs and stripes to salt and pepper."""
    n = draw(st.integers(min_masks, max_masks))
    height, width = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    kind = draw(st.sampled_from(["bits", "noise", "blocks"]))
    if kind == "bits":
        return draw(hnp.arrays(np.uint8, (n, height, width), elements=st.integers(0, 1)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if kind == "noise":
        return (rng.random((n, height, width)) < draw(st.sampled_from([0.02, 0.5, 0.98]))).astype(np.uint8)
    stack = np.zeros((n, height, width), np.uint8)
    for mask in stack:
        for _ in range(rng.integers(0, 5)):
            y0, y1 = np.sort(rng.integers(0, height + 1, 2))
            x0, x1 = np.sort(rng.integers(0, width + 1, 2))
            mask[y0:y1, x0:x1] ^= 1
    return stack
