"""The way back: a dataset as RESULT_PAYLOADs, for the local endpoint, recorded examples and tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError, Problem, UsageError
from rapideval.model import Dataset, Masks
from rapideval.payloads.rapid import SEMANTIC_KEY

__all__ = ["MaskStyle", "PayloadStyle", "payload_text", "to_payload"]

MaskStyle = Literal["dense", "rle"]
PayloadStyle = Literal["instance", "semantic"]


def to_payload(
    dataset: Dataset, *, style: PayloadStyle = "instance", masks: MaskStyle | None = "dense"
) -> list[dict[str, Any]]:
    """RESULT_PAYLOAD of a dataset: a dictionary for each image, in order.

    Parameters
    ----------
    dataset
        Polygons without a mask are drawn as masks, which needs the image sizes.
    style
        ``"instance"``: ``masks`` and ``boxes`` (where they are not the masks' own), ``scores`` where the dataset has
        them, and ``labels``. ``"semantic"``: ``semantic_segmentation_mask``, for a dataset of one label with at most
        one annotation an image; an image without any gets an empty mask.
    masks
        ``"dense"`` lists of 0 and 1, ``"rle"`` COCO's run lengths (compressed, as text), or None: boxes only.

    Returns
    -------
    list of dict
        What `parse` reads back as an equal dataset. Box corners x2 and y2 are sums, so widths and heights come back
        exactly where that sum is exact, else to the last bit or two.

    Raises
    ------
    InputError
        For what a payload cannot say: crowds, annotations of one image of which only some have a mask.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> to_payload(Dataset(Images(["a"]), Labels(["cat"]), Annotations([0], [0], [[1, 2, 3, 4]], [0.5])))
    [{'boxes': [[1.0, 2.0, 4.0, 6.0]], 'scores': [0.5], 'labels': ['cat']}]
    """
    payload = []
    for image in _parts(dataset, style, masks):
        plain: dict[str, Any] = {}
        for key, value in image.items():
            if isinstance(value, np.ndarray):
                plain[key] = value.tolist()
            else:
                plain[key] = value
        payload.append(plain)
    return payload


def payload_text(dataset: Dataset, *, style: PayloadStyle = "instance", masks: MaskStyle | None = "dense") -> bytes:
    """JSON text of `to_payload`, written without a Python object for each pixel.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> payload_text(Dataset(Images(["a"]), Labels(["cat"]), Annotations([0], [0], [[1, 2, 3, 4]])))
    b'[{"boxes": [[1.0, 2.0, 4.0, 6.0]], "labels": ["cat"]}]'
    """
    # Pieces, joined once at the end: a copy of a dense answer costs as much as its writing.
    pieces: list[bytes | memoryview] = [b"["]
    for number, image in enumerate(_parts(dataset, style, masks)):
        pieces.append(b", {" if number else b"{")
        for place, (key, value) in enumerate(image.items()):
            pieces.append((b", " if place else b"") + _json(key) + b": ")
            if isinstance(value, np.ndarray) and value.dtype == np.uint8:
                _add_bitmask(value, pieces)
            else:
                pieces.append(_json(value))
        pieces.append(b"}")
    pieces.append(b"]")
    return b"".join(pieces)


def _json(value: Any) -> bytes:
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def _add_bitmask(bits: npt.NDArray[np.uint8], pieces: list[bytes | memoryview]) -> None:
    """Add the JSON of 0/1 arrays (H, W) or (N, H, W)."""
    if bits.ndim == 3:
        for number, mask in enumerate(bits):
            pieces.append(b", " if number else b"[")
            _add_bitmask(mask, pieces)
        pieces.append(b"]")
        return
    # Two characters at a time, as one 16-bit number: "[d", ",d", ... and "]," at the end of the row.
    height, width = bits.shape
    pairs = np.empty((height, width + 1), "<u2")
    np.multiply(bits, 256, out=pairs[:, :width], dtype="<u2")
    pairs[:, :width] += ord(",") + 256 * ord("0")
    pairs[:, 0] += ord("[") - ord(",")
    pairs[:, width] = ord("]") + 256 * ord(",")
    pieces += [b"[", pairs.reshape(-1).view(np.uint8).data[:-1], b"]"]


def _parts(dataset: Dataset, style: PayloadStyle, masks: MaskStyle | None) -> Iterator[dict[str, Any]]:
    if style not in ("instance", "semantic") or masks not in ("dense", "rle", None):
        raise UsageError(f"style={style!r}, masks={masks!r}: instance or semantic, and dense, rle or None")
    if masks is not None:
        dataset = dataset.with_masks()
    rows = dataset.annotations
    if rows.crowd.any():
        first = int(np.flatnonzero(rows.crowd)[0])
        _refuse("crowd", rows.where(first), "a crowd", "single objects", "leave them out: dataset.where(crowd=False)")
    order = np.argsort(rows.image, kind="stable")
    bounds = np.searchsorted(rows.image[order], np.arange(len(dataset.images) + 1))
    if style == "semantic":
        _check_semantic(dataset, bounds, masks)
    for image in range(len(dataset.images)):
        numbers = order[bounds[image] : bounds[image + 1]].astype(np.int64)
        if style == "semantic":
            yield {SEMANTIC_KEY: _semantic(dataset, image, numbers, masks)}
        else:
            yield _instances(dataset, image, numbers, masks)


def _instances(dataset: Dataset, image: int, numbers: npt.NDArray[np.int64], masks: MaskStyle | None) -> dict[str, Any]:
    rows = dataset.annotations
    part: dict[str, Any] = {}
    if masks is not None and rows.masks is not None:
        chosen = rows.masks.take(numbers)
        present = chosen.present
        if not present.all():
            row = int(numbers[np.flatnonzero(~present)[0]])
            key = dataset.images.key(image)
            _refuse(
                "mask-missing",
                rows.where(row),
                f"no mask, in image {key!r}",
                "a mask of each",
                "masks=None: boxes only",
            )
        part["masks"] = _encoded(chosen, masks)
    if "masks" not in part or "box" not in rows.derived:
        corners = rows.box[numbers].copy()
        corners[:, 2:] += corners[:, :2]
        part["boxes"] = corners
    if rows.score is not None:
        part["scores"] = rows.score[numbers]
    part["labels"] = [dataset.labels.names[label] for label in rows.label[numbers].tolist()]
    return part


def _semantic(dataset: Dataset, image: int, numbers: npt.NDArray[np.int64], masks: MaskStyle | None) -> Any:
    if len(numbers):
        assert dataset.annotations.masks is not None
        one = dataset.annotations.masks.take(numbers)
    else:
        height, width = dataset.images.sizes[image].tolist()
        if not height * width:
            _refuse(
                "image-size", f"image {dataset.images.key(image)!r}", "no size", "height and width, for its empty mask"
            )
        one = Masks.from_counts([[height * width]], [[height, width]])
    return _encoded(one, masks or "dense")[0]


def _check_semantic(dataset: Dataset, bounds: npt.NDArray[np.intp], masks: MaskStyle | None) -> None:
    rows = dataset.annotations
    if masks is None or (len(rows) and (rows.masks is None or not rows.masks.present.all())):
        raise UsageError("style='semantic' needs a mask of each annotation")
    if len(np.unique(rows.label)) > 1 or (np.diff(bounds) > 1).any():
        raise UsageError("style='semantic' has one label and one mask an image: style='instance' holds the others")


def _encoded(masks: Masks, style: MaskStyle) -> Any:
    """Dense masks as an array (N, H, W) of 0 and 1, or run lengths as a list."""
    if style == "rle":
        texts = zip(masks.sizes.tolist(), masks.to_strings(), strict=True)
        return [{"size": size, "counts": text.decode("ascii")} for size, text in texts]
    return masks.to_dense().view(np.uint8) if len(masks) else []


def _refuse(rule: str, where: str, found: str, expected: str, hint: str = "") -> NoReturn:
    raise InputError(Problem(rule, where, found, expected, hint))
