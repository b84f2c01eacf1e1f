"""Two versions of a classical segmenter, made with scikit-image, that stand in for a model behind an endpoint.

Each finds bright coins on a dark table and dark words on bright paper, without any training. The first has the same
thresholds for all images. The second looks at edges and at the local background, which copes with uneven light and
makes it the better one on the whole. But it blurs more, and joins words that stand close to each other: the kind of
regression that a mean over all labels hides.

A model takes an image ((H, W) or (H, W, 3), uint8) and returns the answer for it, in the form that a hosted endpoint
sends: absolute corners, nested 0/1 lists, scores in [0, 1], labels as text. Scores rise with what an object looks like,
its contrast and its shape, and were not fitted to any ground truth.

Examples
--------
>>> import numpy as np
>>> image = np.full((80, 80), 40, np.uint8)
>>> image[20:60, 10:50] = 200
>>> answer = detect_v1(image)
>>> answer["boxes"], answer["labels"]
([[10.0, 20.0, 50.0, 60.0]], ['small coin'])
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "LABELS",
    "MODELS",
    "detect_v1",
    "detect_v2",
    "segment_semantic_v1",
    "segment_semantic_v2",
    "segment_v1",
    "segment_v2",
]

LABELS = ("small coin", "large coin", "word")

Payload: TypeAlias = dict[str, Any]
Model: TypeAlias = Callable[[npt.NDArray[np.uint8]], Payload]
_Bitmap: TypeAlias = npt.NDArray[np.bool_]
_Grey: TypeAlias = npt.NDArray[np.float64]

_BRIGHT, _DARK = 0.55, 0.45  # the first version's only thresholds: what is coin, what is ink
_LARGE_DIAMETER = 48.0
_LEAST_AREA, _LEAST_SIDE = 40, 4  # dust and rules are smaller
_FRAME = 3  # pixels around an object that count as its surroundings


class _Object(NamedTuple):
    mask: _Bitmap
    label: str
    score: float


def segment_v1(image: npt.NDArray[np.uint8]) -> Payload:
    """Masks, scores and labels by a threshold that is the same for every image."""
    return _instances(_by_threshold(_grey(image)))


def segment_v2(image: npt.NDArray[np.uint8]) -> Payload:
    """Masks, scores and labels by a watershed on the edges (Sobel), from markers relative to the local background."""
    return _instances(_by_edges(_grey(image)))


def detect_v1(image: npt.NDArray[np.uint8]) -> Payload:
    """Boxes of what :func:`segment_v1` finds."""
    return _boxes(_by_threshold(_grey(image)))


def detect_v2(image: npt.NDArray[np.uint8]) -> Payload:
    """Boxes of what :func:`segment_v2` finds."""
    return _boxes(_by_edges(_grey(image)))


def segment_semantic_v1(image: npt.NDArray[np.uint8]) -> Payload:
    """One mask of all that :func:`segment_v1` finds."""
    grey = _grey(image)
    return _semantic(_by_threshold(grey), grey.shape)


def segment_semantic_v2(image: npt.NDArray[np.uint8]) -> Payload:
    """One mask of all that :func:`segment_v2` finds."""
    grey = _grey(image)
    return _semantic(_by_edges(grey), grey.shape)


#: Model versions by task: what the demo's endpoint serves.
MODELS: dict[str, dict[str, Model]] = {
    "v1": {"detection": detect_v1, "instance": segment_v1, "semantic": segment_semantic_v1},
    "v2": {"detection": detect_v2, "instance": segment_v2, "semantic": segment_semantic_v2},
}


def _grey(image: npt.NDArray[np.uint8]) -> _Grey:
    """Grey values in [0, 1]; colours weighted as in ITU-R BT.601."""
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] in (3, 4):
        array = array[..., :3] @ np.array([0.299, 0.587, 0.114])
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"an image of shape (H, W) or (H, W, 3) is expected, found {np.shape(image)}")
    return np.asarray(array, dtype=np.float64) / 255.0


def _shows_print(grey: _Grey) -> bool:
    """Whether what stands out is dark on bright, as ink on paper: then the mean lies below the median."""
    return bool(grey.mean() < np.median(grey))


def _by_threshold(grey: _Grey) -> list[_Object]:
    if _shows_print(grey):
        return _objects(grey, _joined(grey < _DARK, 5), "word")
    return _objects(grey, grey > _BRIGHT, "coin")


def _by_edges(grey: _Grey) -> list[_Object]:
    from scipy.ndimage import maximum_filter, minimum_filter
    from skimage.filters import gaussian, sobel
    from skimage.segmentation import watershed

    smooth = gaussian(grey, 2.8)
    is_print = _shows_print(grey)
    if is_print:
        paper = gaussian(maximum_filter(smooth, size=21), 8.0)
        standing_out = 1.0 - smooth / np.maximum(paper, 1e-6)
        never, surely = 0.08, 0.22
    else:
        table = gaussian(minimum_filter(smooth, size=61), 20.0)
        standing_out = smooth - table
        never, surely = 0.17, 0.38
    markers = np.zeros(grey.shape, dtype=np.int32)
    markers[standing_out < never] = 1
    markers[standing_out > surely] = 2
    found = watershed(sobel(smooth), markers) == 2
    if is_print:
        return _objects(grey, _joined(found, 8), "word")
    return _objects(grey, found, "coin")


def _joined(mask: _Bitmap, reach: int) -> _Bitmap:
    """Letters joined into words: gaps narrower than `reach` pixels along the line are closed."""
    from skimage.morphology import closing

    padded = closing(np.pad(mask, reach), np.ones((3, reach), bool))
    return np.asarray(padded[reach:-reach, reach:-reach], dtype=bool)


def _objects(grey: _Grey, mask: _Bitmap, kind: Literal["coin", "word"]) -> list[_Object]:
    """Connected parts of a mask, without holes, dust and rules, as labelled and scored objects."""
    from scipy.ndimage import binary_fill_holes
    from skimage.measure import label, regionprops

    found = []
    for region in regionprops(label(binary_fill_holes(mask), connectivity=2)):
        top, left, bottom, right = region.bbox
        if region.area < _LEAST_AREA or min(bottom - top, right - left) < _LEAST_SIDE:
            continue
        own = np.zeros(grey.shape, dtype=bool)
        own[region.slice] = region.image
        score, name = _contrast(grey, own, region.bbox), "word"
        if score == 0.0:  # it fills the image, or nothing sets it off
            continue
        if kind == "coin":
            score *= _roundness(region)
            name = "large coin" if region.equivalent_diameter_area >= _LARGE_DIAMETER else "small coin"
        found.append(_Object(own, name, round(score, 4)))
    return sorted(found, key=lambda one: -one.score)


def _contrast(grey: _Grey, own: _Bitmap, box: tuple[int, int, int, int]) -> float:
    """How far an object differs from its surroundings, 0 to 1: half the grey scale counts as full contrast."""
    top, left, bottom, right = box
    near = np.zeros_like(own)
    near[max(top - _FRAME, 0) : bottom + _FRAME, max(left - _FRAME, 0) : right + _FRAME] = True
    near &= ~own
    if not near.any():
        return 0.0
    return min(1.0, 2.0 * abs(float(grey[own].mean()) - float(grey[near].mean())))


def _roundness(region: Any) -> float:
    """Area of a region over that of the disc as wide as its box is long, at most 1."""
    top, left, bottom, right = region.bbox
    side = float(max(bottom - top, right - left))
    return min(1.0, float(region.area) / (math.pi / 4 * side**2))


def _instances(objects: list[_Object]) -> Payload:
    return {
        "masks": [one.mask.astype(int).tolist() for one in objects],
        "scores": [one.score for one in objects],
        "labels": [one.label for one in objects],
    }


def _boxes(objects: list[_Object]) -> Payload:
    corners = []
    for one in objects:
        rows, columns = np.nonzero(one.mask)
        # the far corner is the far edge of the last pixel, so one pixel makes a box of size 1
        corners.append([float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)])
    return {
        "boxes": corners,
        "scores": [one.score for one in objects],
        "labels": [one.label for one in objects],
    }


def _semantic(objects: list[_Object], shape: tuple[int, ...]) -> Payload:
    together = np.zeros(shape, dtype=int)
    for one in objects:
        together[one.mask] = 1
    return {"semantic_segmentation_mask": together.tolist()}
