"""A COCO document into a Dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import FormatError, InputError
from rapideval.formats.coco_columns import Columns, Places, extras_of, ids_of, missing_rows, other_task
from rapideval.formats.coco_geometry import geometry
from rapideval.formats.coco_images import images_of_dataset, images_of_results
from rapideval.formats.coco_labels import labels_of_dataset, labels_of_results
from rapideval.formats.files import Source
from rapideval.formats.notes import Report, core_problem
from rapideval.model import Annotations, Dataset, Images, Labels
from rapideval.model import Source as Origin

__all__ = ["read"]


def read(
    source: Source,
    images: Images | None,
    labels: Labels | None,
    *,
    extras: bool = True,
    lenient: bool = False,
    label_base: int | None = None,
) -> Dataset:
    """Read a dataset or results; see `rapideval.formats.coco`."""
    report = Report(source.name)
    text: str | bytes = source.for_core()
    if lenient:
        from rapideval.formats.coco_mend import mended

        text = mended(source.data(), report)
    is_results = source.head(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
    document = _columns(text, is_results, extras, report)
    if is_results:
        rows = document["annotations"]
        if not extras and _lacks_geometry(rows):
            rows = _columns(text, True, True, report)["annotations"]  # keypoints are among the unknown fields
        return _results(rows, images, labels, label_base, report)
    return _dataset(document, report)


def _columns(text: str | bytes, is_results: bool, extras: bool, report: Report) -> Columns:
    reader: Any = _core.read_coco_results if is_results else _core.read_coco_dataset
    try:
        document: Columns = reader(text, extras)
    except _core.CoreError as error:
        raise FormatError(core_problem(error, report.name)) from None
    report.add(document["problems"], document["problem_count"])
    report.close()
    return document


def _lacks_geometry(rows: Columns) -> bool:
    return bool(rows["rows"]) and rows["present"]["bbox"] is not True and rows["present"]["segmentation"] is not True


def _dataset(document: Columns, report: Report) -> Dataset:
    rows = document["annotations"]
    if rows is None:
        if document["images"] is None:
            report.refuse("coco-member", "$", "neither images nor annotations", "a COCO dataset")
            report.close()
        report.note("coco-member", "no annotations: every image counts as empty", "$", severity="warning")
        rows = _core.read_coco_results(b"[]")["annotations"]
    image_ids, label_ids = _references(rows, "$.annotations", report)
    images, image = images_of_dataset(document["images"], image_ids, report)
    labels, label = labels_of_dataset(document["categories"], label_ids, report, other_task(rows))
    report.close()
    import json

    info = {key: json.loads(value) for key, value in document["top"].items()}
    annotations = _annotations(rows, images, image, label, "$.annotations", report)
    return _made(images, labels, annotations, info, report)


def _results(
    rows: Columns, images: Images | None, labels: Labels | None, label_base: int | None, report: Report
) -> Dataset:
    image_ids, label_ids = _references(rows, "$", report)
    images, image = images_of_results(image_ids, images, report)
    labels, label = labels_of_results(label_ids, labels, label_base, "$", report)
    annotations = _annotations(rows, images, image, label, "$", report)
    if not len(annotations):
        annotations = Annotations.empty(scored=True)
    elif annotations.score is None:
        report.note("score-missing", "results without scores", "$[0]", severity="warning", count=len(annotations))
    return _made(images, labels, annotations, {}, report)


def _made(images: Images, labels: Labels, annotations: Annotations, info: dict[str, Any], report: Report) -> Dataset:
    try:
        return Dataset(images, labels, annotations, info, report.notes)
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


def _references(rows: Columns, path: str, report: Report) -> tuple[Any, Any]:
    """Ids of each annotation's image and label; documents of other COCO tasks lack one of them."""
    hint = other_task(rows)
    label_ids = ids_of(rows, "category_id", path, report, hint)
    return ids_of(rows, "image_id", path, report, hint), label_ids


def _annotations(rows: Columns, images: Images, image: Places, label: Places, path: str, report: Report) -> Annotations:
    count = rows["rows"]
    extras = extras_of(rows)
    place = geometry(rows, extras, images, image, path, report)
    derived = set(place.derived)
    if rows["iscrowd"] is None or rows["present"]["iscrowd"] is False:
        derived.add("crowd")
    ids, ids_are_derived = _ids(rows, path, report)
    if ids_are_derived:
        derived.add("ids")
    for key, nulls in rows["nulls"].items():
        report.note("coco-null", f"null as {key}: counts as absent", path, count=nulls)
    if extras is not None:
        ignored = extras.data.count(b'"ignore":1') + extras.data.count(b'"ignore": 1')
        if ignored:
            report.note(
                "ignore-kept",
                "ignore is 1: kept and not heeded, as by pycocotools (iscrowd decides)",
                path,
                severity="warning",
                count=ignored,
            )
    return Annotations(
        image,
        label,
        place.box,
        _scores(rows, path, report),
        place.area,
        rows["iscrowd"],
        place.masks,
        place.polygons,
        ids,
        Origin([f"{report.name}: {path}[{{row}}]"], np.arange(count, dtype=np.int64)),
        extras,
        derived,
    )


def _scores(rows: Columns, path: str, report: Report) -> npt.NDArray[np.float64] | None:
    missing = missing_rows(rows, "score")
    if rows["score"] is None or len(missing) == rows["rows"]:
        return None
    report.refuse_rows(
        "score-missing",
        missing,
        lambda row: f"{path}[{row}].score",
        lambda _: "no such key",
        "a score, as the other annotations have",
    )
    report.close()
    scores: npt.NDArray[np.float64] = rows["score"]
    return scores


def _ids(rows: Columns, path: str, report: Report) -> tuple[npt.NDArray[np.int64] | None, bool]:
    """Ids of annotations, and whether some had to be made."""
    column, missing = rows["id"], missing_rows(rows, "id")
    if column is None or len(missing) == rows["rows"]:
        return None, True
    if not len(missing):
        numbers = ids_of(rows, "id", path, report)
        if isinstance(numbers, np.ndarray):
            return numbers, False
    if not isinstance(column, np.ndarray):
        report.note(
            "id-text", "ids of annotations that are not numbers: not kept", path, severity="warning", count=rows["rows"]
        )
        return None, True
    ids = column.copy()
    ids[missing] = ids.max(initial=0) + 1 + np.arange(len(missing))
    report.note(
        "id-derived", "no id: the next free numbers", f"{path}[{missing[0]}]", severity="warning", count=len(missing)
    )
    return ids, True
