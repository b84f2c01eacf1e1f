"""Masks painted into one picture of numbers, where a pixel has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Loss, plural
from rapideval.formats.common.documents import laid
from rapideval.formats.common.labelmap import VOID, palette
from rapideval.formats.common.png import PngError, decoded_colours, decoded_png
from rapideval.formats.common.sizes import require_sizes
from rapideval.model import Dataset, Masks

__all__ = [
    "cropped",
    "drawn_masks",
    "index_png",
    "masks_by_number",
    "paint_losses",
    "painted",
    "placed",
    "read_index",
    "void_labels",
    "write_png",
]


def cropped(dense: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], int, int]:
    """The part of a mask that holds its pixels, and where it begins: left, top; the first pixel of an empty mask."""
    ys, xs = np.nonzero(dense)
    if not len(xs):
        return dense[:1, :1], 0, 0
    left, top = int(xs.min()), int(ys.min())
    return dense[top : int(ys.max()) + 1, left : int(xs.max()) + 1], left, top


def placed(part: npt.NDArray[np.bool_], left: int, top: int, size: tuple[int, int]) -> Masks | None:
    """A mask of an image of which a part is given; None where the part reaches beyond the image."""
    height, width = part.shape
    if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
        return None
    dense = np.zeros(size, np.bool_)
    dense[top : top + height, left : left + width] = part
    return Masks.from_dense(dense)


def drawn_masks(dataset: Dataset) -> Masks:
    """Masks of all annotations that have an outline or a mask; a plain box has none here."""
    masks = dataset.with_masks().annotations.masks
    return Masks.empty(len(dataset)) if masks is None else masks


def masks_by_number(numbers: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], Masks]:
    """Numbers that a picture (H, W) has, rising, and the mask of each; in one pass, however many there are.

    Examples
    --------
    >>> numbers, masks = masks_by_number(np.array([[7, 0, 7], [7, 0, 2]]))
    >>> numbers.tolist(), [masks.runs(row).tolist() for row in range(3)]
    ([0, 2, 7], [[2, 2, 2], [5, 1], [0, 2, 2, 1, 1]])
    """
    height, width = numbers.shape
    flat = numbers.T.reshape(-1)
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]])) if len(flat) else np.empty(0, np.intp)
    ends = np.append(starts[1:], len(flat))
    values = flat[starts].astype(np.int64)
    order = np.argsort(values, kind="stable")
    found, first = np.unique(values[order], return_index=True)
    # Of each number: where its pieces begin and end, in turn; the distances between these are its runs.
    bounds = np.stack([starts[order], ends[order]], axis=1)
    runs = []
    for pieces in np.split(bounds, first[1:]) if len(found) else []:
        edges = pieces.reshape(-1)
        last = [len(flat) - edges[-1]] if edges[-1] < len(flat) else []
        runs.append(np.concatenate([np.diff(edges, prepend=0), last]).astype(np.uint32))
    return found, Masks.from_counts(runs, np.full((len(runs), 2), (height, width)))


def painted(dataset: Dataset, masks: Masks, numbers: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """A picture (H, W) for each image: the number of each mask in its pixels, 0 elsewhere; later masks lie on top.

    Raises
    ------
    InputError
        ``image-size`` for an image whose size is not known.
    """
    require_sizes(dataset, "to paint", annotated=False)
    pictures = [np.zeros(size, np.int64) for size in dataset.images.sizes.tolist()]
    for row in np.flatnonzero(masks.present).tolist():
        pictures[dataset.annotations.image[row]][masks.dense(row)] = numbers[row]
    return pictures


def paint_losses(dataset: Dataset) -> list[Loss]:
    """What a picture of one number a pixel cannot hold: plain boxes, and masks below others."""
    masks = drawn_masks(dataset)
    boxes = int((~masks.present).sum())
    covered = 0
    if dataset.images.sizes_known.all():
        numbers = np.arange(1, len(dataset) + 1)
        seen = np.zeros(len(dataset) + 1, np.int64)
        for picture in painted(dataset, masks, numbers):
            seen += np.bincount(picture.reshape(-1), minlength=len(seen))
        covered = int((masks.present & (seen[1:] < masks.area)).sum())
    return [
        Loss("boxes", boxes, f"{plural(boxes, 'annotation')} with a box alone: left out"),
        Loss("overlap", covered, f"pixels of {plural(covered, 'mask')} that lie below those of later annotations"),
    ]


def void_labels(dataset: Dataset) -> Loss:
    """Annotations of labels whose names say that they are none: reading passes over their pixels."""
    named = np.array([name.lower() in VOID for name in dataset.labels.names], np.bool_)
    count = int(named[dataset.annotations.label].sum()) if named.any() else 0
    return Loss("void", count, f"{plural(count, 'annotation')} of a label {', '.join(VOID)}: read back as no label")


def index_png(numbers: npt.NDArray[np.int64]) -> Any:
    """A picture of numbers: of a palette up to 255, of 16 bits beyond."""
    from PIL import Image

    if int(numbers.max(initial=0)) > 255:
        return Image.fromarray(numbers.astype(np.uint16))
    picture = Image.fromarray(numbers.astype(np.uint8))
    picture.putpalette([channel for colour in palette(256) for channel in colour])
    return picture


def write_png(folder: Path, name: str, picture: Any) -> None:
    """Lay a picture into a folder that is written."""
    with laid(folder, name) as stream:
        picture.save(stream, "PNG")


def read_index(path: Path, colours: bool) -> npt.NDArray[Any]:
    """Numbers (H, W) of a PNG, or colours (H, W, 3) where `colours` may be."""
    try:
        data = path.read_bytes()
        return decoded_colours(data) if colours else decoded_png(data)
    except OSError as error:
        raise FormatError(Problem("mask-missing", str(path), error.strerror or str(error), "a PNG of masks")) from None
    except PngError as error:
        raise FormatError(
            Problem("mask-image", str(path), str(error), "a PNG of numbers, or of known colours")
        ) from None
