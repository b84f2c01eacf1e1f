"""Boxes, masks, outlines and areas of COCO annotations, and what is derived where they are missing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.formats.coco_columns import Columns, missing_rows
from rapideval.formats.notes import Report
from rapideval.model import Extras, Images, Masks, Polygons

__all__ = ["Geometry", "geometry"]


class Geometry(NamedTuple):
    """Columns of `Annotations` that say where things are."""

    box: npt.NDArray[np.float64] | None
    area: npt.NDArray[np.float64] | None
    masks: Masks | None
    polygons: Polygons | None
    derived: frozenset[str]


def geometry(
    rows: Columns, extras: Extras | None, images: Images, image: npt.NDArray[np.int32], path: str, report: Report
) -> Geometry:
    """Boxes, areas, masks and outlines of annotation columns; annotations that have none of them are refused."""
    masks, polygons = _segmentations(rows["segmentation"])
    box, box_is_derived = _boxes(rows, masks, polygons, extras, path, report)
    area, area_is_derived = _areas(rows, box, masks, polygons, images, image, path, report)
    derived = {name for name, made in (("box", box_is_derived), ("area", area_is_derived)) if made}
    return Geometry(box, area, masks, polygons, frozenset(derived))


def _segmentations(columns: Any) -> tuple[Masks | None, Polygons | None]:
    if columns is None:
        return None, None
    kind = columns["kind"]
    masks = polygons = None
    if (kind >= 2).any():
        masks = Masks(columns["counts"], columns["offsets"], columns["sizes"], checked=True)
    if (kind == 1).any():
        polygons = Polygons(columns["coordinates"], columns["ring_offsets"], columns["row_offsets"])
    return masks, polygons


def _boxes(
    rows: Columns,
    masks: Masks | None,
    polygons: Polygons | None,
    extras: Extras | None,
    path: str,
    report: Report,
) -> tuple[npt.NDArray[np.float64] | None, bool]:
    """Boxes, and whether none of them was given."""
    missing = missing_rows(rows, "bbox")
    if not len(missing):
        return (np.empty((0, 4)) if rows["bbox"] is None else rows["bbox"]), False
    have = np.zeros(rows["rows"], np.bool_)
    made = np.zeros((rows["rows"], 4))
    for outlines in (polygons, masks):
        if outlines is not None:
            present = outlines.present
            made[present] = outlines.boxes[present]
            have |= present
    without = missing[~have[missing]]
    if len(without):
        without = _boxes_of_keypoints(without, extras, made, path, report)
    report.refuse_rows(
        "box-missing",
        without,
        lambda row: f"{path}[{row}]",
        lambda _: "neither bbox nor segmentation",
        "at least one of them",
        "labels of whole images are no detections",
    )
    report.close()
    if len(missing) == rows["rows"]:
        report.note("box-derived", "no bbox: derived from segmentation or keypoints", f"{path}[0]", count=len(missing))
        return made, True
    report.note(
        "box-derived",
        "no bbox in some annotations: derived from segmentation or keypoints",
        f"{path}[{missing[0]}]",
        severity="warning",
        count=len(missing),
    )
    box = rows["bbox"].copy()
    box[missing] = made[missing]
    return box, False


def _boxes_of_keypoints(
    rows: npt.NDArray[np.int64],
    extras: Extras | None,
    boxes: npt.NDArray[np.float64],
    path: str,
    report: Report,
) -> npt.NDArray[np.int64]:
    """Boxes around keypoints, as pycocotools' loadRes makes them for results of keypoints; gives the rows without."""
    without = []
    for row in rows.tolist():
        points = extras[row].get("keypoints") if extras is not None else None
        try:
            values = np.asarray(points if points else None, np.float64).reshape(-1, 3)
        except (TypeError, ValueError):
            without.append(row)
            continue
        low, high = values[:, :2].min(axis=0), values[:, :2].max(axis=0)
        boxes[row] = [*low, *(high - low)]
    if len(without) < len(rows):
        report.note(
            "keypoints-kept",
            "keypoints: kept and not scored; the box is that of all points",
            f"{path}[{rows[0]}].keypoints",
            severity="warning",
            count=len(rows) - len(without),
        )
    return np.array(without, np.int64)


def _areas(
    rows: Columns,
    box: npt.NDArray[np.float64] | None,
    masks: Masks | None,
    polygons: Polygons | None,
    images: Images,
    image: npt.NDArray[np.int32],
    path: str,
    report: Report,
) -> tuple[npt.NDArray[np.float64] | None, bool]:
    """Areas, and whether none of them was given.

    Derived: pixels of the mask; of the outline once rasterised, where the image's size is known; else of the box.
    """
    if (
        rows["present"]["area"] is False
        and box is not None
        and masks is None
        and polygons is None
        and rows["score"] is not None
    ):
        return box[:, 2] * box[:, 3], True  # results of detectors, the common case, which may be long
    missing = missing_rows(rows, "area")
    if not len(missing):
        return (np.empty(0) if rows["area"] is None else rows["area"]), False
    all_missing = len(missing) == rows["rows"]
    area = np.zeros(rows["rows"]) if all_missing else rows["area"].copy()
    assert box is not None
    area[missing] = box[missing, 2] * box[missing, 3]
    if masks is not None:
        chosen = missing[masks.present[missing]]
        area[chosen] = masks.area[chosen]
    if polygons is not None:
        sizes = images.sizes[image]
        chosen = missing[polygons.present[missing] & (sizes[missing] > 0).all(axis=1)]
        if len(chosen):
            area[chosen] = polygons.take(chosen).rasterise(sizes[chosen]).area
    if not all_missing or rows["score"] is None:
        report.note(
            "area-derived",
            "no area: derived from the mask, else from the box",
            f"{path}[{missing[0]}]",
            severity="info" if all_missing else "warning",
            count=len(missing),
        )
    return area, all_missing
