"""A Dataset into a YOLO folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError, Problem, UsageError
from rapideval.formats.capabilities import Loss, plural
from rapideval.formats.common.documents import laid, lay_many
from rapideval.formats.common.losses import beyond
from rapideval.formats.common.names import file_stems, renamed, safe_path
from rapideval.formats.common.sizes import require_sizes
from rapideval.formats.common.vectors import bridged, check_holes, corners, one_ring_losses, outlines_of, single_rings
from rapideval.formats.rowtext import Column, Texts, floats, integers, rows_of, texts
from rapideval.formats.training.yolo_layout import SPLITS
from rapideval.model import Dataset, Images, Polygons
from rapideval.model.columns import offsets_of

__all__ = ["losses", "picture_paths", "write"]

OUTSIDE = ("clip", "keep", "refuse")
_CORNERS = 4
_ROUNDING = 1e-6  # of a pixel


def write(dataset: Dataset, folder: Path, shape: str, outside: str, outline_iou: float | None, holes: str) -> None:
    """Write the folder; see `rapideval.formats.training.yolo`."""
    check_holes(holes)
    _check_outside(outside)
    images = dataset.images
    require_sizes(dataset, "as YOLO's coordinates are relative to them")
    stems = file_stems(images)
    splits = _splits(images)
    order = np.argsort(dataset.annotations.image, kind="stable")
    dataset = dataset.take(order)
    if outside == "refuse":
        _refuse_outside(dataset)
    lines = _lines(dataset, shape, outside == "clip", outline_iou, holes)
    ends = np.searchsorted(dataset.annotations.image, np.arange(len(images) + 1))
    text = lines.data.data
    bounds = lines.offsets[ends].tolist()
    below = [f"labels/{split}/" if split else "labels/" for split in splits]
    lay_many(
        folder,
        ((f"{below[place]}{stem}.txt", text[bounds[place] : bounds[place + 1]]) for place, stem in enumerate(stems)),
    )
    _describe(dataset, folder, stems, splits)


def _check_outside(outside: str) -> None:
    if outside not in OUTSIDE:
        raise UsageError(f"outside={outside!r}: one of {', '.join(OUTSIDE)}")


def _outside(dataset: Dataset) -> npt.NDArray[np.int64]:
    """Annotations that reach beyond their image, by their outline or box."""
    rows = dataset.annotations
    boxes = rows.box.copy()
    if rows.polygons is not None:
        boxes[rows.polygons.present] = rows.polygons.boxes[rows.polygons.present]
    ends = boxes[:, :2] + boxes[:, 2:]
    beyond = (boxes[:, :2] < -_ROUNDING) | (ends > dataset.images.sizes[rows.image][:, ::-1] + _ROUNDING)
    return np.flatnonzero(beyond.any(axis=1) & dataset.images.sizes_known[rows.image])


def _refuse_outside(dataset: Dataset) -> None:
    rows = _outside(dataset)
    if len(rows):
        first = int(rows[0])
        key = dataset.images.key(int(dataset.annotations.image[first]))
        found = f"an annotation of {key!r} that reaches beyond the image"
        where = dataset.annotations.where(first)
        raise InputError(Problem("box-outside", where, found, "coordinates inside", "", "error", len(rows)))


def _splits(images: Images) -> list[str]:
    """Split of each image; all or none have one."""
    found = [
        "" if images.extras is None else str(images.extras[place].get("split", "")) for place in range(len(images))
    ]
    for place, split in enumerate(found):
        if split and split not in SPLITS:
            raise UsageError(f"image {images.key(place)!r} is of the split {split!r}: there are {', '.join(SPLITS)}")
    if any(found) and not all(found):
        key = images.key(found.index(""))
        raise UsageError(f"image {key!r} is of no split, though others are: give it one, or none to any")
    return [SPLITS.get(split, "") for split in found]


def picture_paths(images: Images) -> list[str]:
    """Where the image files go: loaders look for them in ``images`` and find the label files by that name."""
    splits = _splits(images)
    below = [f"images/{split}" if split else "images" for split in splits]
    return [f"{folder}/{safe_path(key)}" for folder, key in zip(below, images.keys, strict=True)]


def _describe(dataset: Dataset, folder: Path, stems: list[str], splits: list[str]) -> None:
    """Write data.yaml and the lists of images: by them images keep their names, also where no image file is there."""
    import yaml

    document: dict[str, Any] = {"path": "."}
    paths = picture_paths(dataset.images)
    for split in dict.fromkeys(splits) if any(splits) else [""]:
        name = f"{split or 'images'}.txt"
        with laid(folder, name) as stream:
            for place in range(len(stems)):
                if splits[place] == split:
                    stream.write(f"./{paths[place]}\n".encode())
        if split:
            document[split] = name
        else:
            document |= {"train": name, "val": name}
    document["names"] = dict(enumerate(dataset.labels.names))
    with laid(folder, "data.yaml") as stream:
        stream.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000).encode())


# --- lines -----------------------------------------------------------------------------------------


def _lines(dataset: Dataset, shape: str, clip: bool, outline_iou: float | None, holes: str) -> Texts:
    rows = dataset.annotations
    scale = dataset.images.sizes[rows.image][:, ::-1].astype(np.float64)
    columns: list[Column] = [integers(rows.label)]
    if shape == "box":
        size, low = rows.box[:, 2:], rows.box[:, :2]
        if clip:
            beyond = np.zeros(len(rows), np.bool_)
            beyond[_outside(dataset)] = True
            high = np.where(beyond[:, None], np.clip(low + size, 0, scale), low + size)
            low = np.where(beyond[:, None], np.clip(low, 0, scale), low)
            size = np.where(beyond[:, None], high - low, size)
        centre = np.hstack([low + size / 2, size]) / np.hstack([scale, scale])
        columns += [floats(np.ascontiguousarray(column)) for column in centre.T]
    else:
        rings = _rings(dataset, shape, outline_iou, holes)
        if clip:
            rings = [np.clip(ring, 0, size) for ring, size in zip(rings, scale, strict=True)]
        columns.append(texts(_points(rings, scale)))
    if rows.score is not None:
        columns.append(floats(rows.score))
    literals = [b"", *[b" "] * (len(columns) - 1), b"\n"]
    return rows_of(literals, columns, len(rows))


def _points(rings: list[npt.NDArray[np.float64]], scale: npt.NDArray[np.float64]) -> Texts:
    lengths = [len(ring) for ring in rings]
    if not rings:
        return Texts.of([])
    points = np.concatenate(rings) / np.repeat(scale, lengths, axis=0)
    numbers = rows_of([b"", b" ", b""], [floats(np.ascontiguousarray(column)) for column in points.T], len(points))
    return numbers.joined(offsets_of(lengths), b"", b" ", b"")


def _rings(dataset: Dataset, shape: str, outline_iou: float | None, holes: str) -> list[npt.NDArray[np.float64]]:
    """One ring for each annotation."""
    rows = dataset.annotations
    polygons = outlines_of(rows, outline_iou)
    found = []
    for row, present in enumerate(polygons.present.tolist()):
        if not present:
            found.append(corners(rows.box[row]))
            continue
        rings = single_rings(polygons, row, holes)  # type: ignore[arg-type]
        joined = bridged(rings) if len(rings) > 1 else rings[0]
        found.append(_oriented(joined) if shape == "corners" and len(joined) != _CORNERS else joined)
    return found


def _oriented(ring: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Corners of the smallest rectangle around a ring."""
    import shapely

    around = shapely.minimum_rotated_rectangle(shapely.MultiPoint(ring))
    points = shapely.get_coordinates(around)
    if len(points) == _CORNERS + 1:
        return np.asarray(points[:_CORNERS], np.float64)
    x, y = ring.min(axis=0)
    width, height = ring.max(axis=0) - (x, y)  # on one line: the rectangle has no area
    return corners((x, y, width, height))


# --- losses ----------------------------------------------------------------------------------------


def losses(dataset: Dataset, shape: str, **options: Any) -> list[Loss]:
    """What lines of YOLO cannot hold, beyond its capabilities."""
    rows, images = dataset.annotations, dataset.images
    holes = str(options.get("holes", "bridge"))
    found = [beyond(images.extras, ("split",), "image_attributes", "image"), renamed(images), _label_numbers(dataset)]
    outside = str(options.get("outside", "clip"))
    _check_outside(outside)
    if outside == "clip":
        count = len(_outside(dataset))
        text = f"what of {plural(count, 'annotation')} reaches beyond the image: cut off"
        found.append(Loss("outside", count, text))
    if shape == "box":
        return found
    found += one_ring_losses(dataset, holes)
    plain = np.ones(len(rows), np.bool_)
    for column in (rows.polygons, rows.masks):
        plain &= True if column is None else ~column.present
    count = int(plain.sum())
    if count:
        found.append(Loss("boxes", count, f"{plural(count, 'box').replace('boxs', 'boxes')}: written as four corners"))
    if rows.polygons is not None and shape == "corners":
        found.append(_turned(rows.polygons))
    return found


def _turned(polygons: Polygons) -> Loss:
    points = np.diff(polygons.ring_offsets[polygons.row_offsets])
    count = int((polygons.present & (points != _CORNERS)).sum())
    return Loss("polygons", count, f"{plural(count, 'outline')}: written as the smallest rectangle around it")


def _label_numbers(dataset: Dataset) -> Loss:
    ids = dataset.labels.ids
    count = 0 if ids is None else int((ids != np.arange(len(ids))).sum())
    return Loss("label_ids", count, f"the ids of {plural(count, 'label')}: classes are numbered from 0, in their order")
