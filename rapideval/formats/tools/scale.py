"""Scale: annotations and predictions of Nucleus, and responses and hypotheses of tasks.

``scale-nucleus`` is a list of objects, as a JSON array, under ``annotations`` or ``predictions``, or as JSON lines:
``label``, ``type`` with ``geometry`` (``box``: ``x``, ``y``, ``width``, ``height``; ``polygon``: ``vertices``),
``reference_id`` (the image), ``annotation_id``, ``confidence`` and ``metadata``, which is kept as further fields;
``class_pdf``, ``embedding_vector`` and ``track_reference_id`` are kept beside it, as is an ``annotation_id`` that is no
number.

``scale-tasks`` is a list of tasks, or one: ``response.annotations``, or ``hypothesis.annotations`` for pre-labels:
``box`` (``left``, ``top``, ``width``, ``height``) and ``polygon`` (``vertices``); the image is ``attachment``.

Segmentations (``mask_url`` with ``annotations`` that name its numbers; ``annotations.combined.indexedImage`` with
``labelMapping``) are read where the picture is a file in the document's folder; addresses are never fetched.

All in pixels from the top-left corner. Lines, keypoints, cuboids, categories and segmentations by address are counted
as skipped. An outline is one ring: a hole is joined to its exterior by a line, and so are several parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rapideval.errors import FormatError
from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_of
from rapideval.formats.common.nodes import Node, decoded, decoded_lines, guarded
from rapideval.formats.common.vectors import Holes, bridged, one_ring_losses, outlines_of, single_rings
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.formats.tools.scale_masks import add_segments, mapped, segments_of
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_SUFFIXES = (".json", ".jsonl")
_READ = ("box", "polygon")
_NUCLEUS = ("label", "type", "geometry", "reference_id", "annotation_id", "confidence", "metadata")
_BESIDE = ("class_pdf", "embedding_vector", "track_reference_id")  # further fields that are not in metadata


def _sniff_nucleus(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    for path in ("$[]", "$", "$.annotations[]", "$.predictions[]"):
        for shown in ("geometry", "mask_url"):
            if {"reference_id", shown} <= shape.get(path, set()):
                return Guess(1, f"objects with reference_id and {shown}")
    return None


def _sniff_tasks(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    for task in ("$[]", "$"):
        keys = shape.get(task, set())
        if keys & {"task_id", "attachment", "params"} and keys & {"response", "hypothesis"}:
            return Guess(1, "tasks with response or hypothesis")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _objects(document: Source, report: Report, members: tuple[str, ...]) -> Iterator[Node]:
    """Objects of a document: of an array, of a member that holds one, of lines, or itself."""
    try:
        root = decoded(document, report)
    except FormatError:
        data = document.data().removeprefix(b"\xef\xbb\xbf").strip()
        if b"\n" not in data or data.startswith(b"["):
            raise
        yield from decoded_lines(document, report)
        return
    if isinstance(root.value, list):
        yield from root
        return
    held = next((name for name in members if isinstance(root.members().get(name), list)), None)
    yield from root[held] if held else [root]


def _read_nucleus(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read annotations or predictions; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    skipped: dict[str, int] = {}
    numbers: dict[int, int] = {}  # of the annotations of each image
    for document in documents(source, _SUFFIXES, "Nucleus annotations (.json)"):
        report = found.report.within(document.name)
        with guarded():
            for node in _objects(document, report, ("annotations", "predictions")):
                with guarded():
                    _nucleus(node, document, found, skipped, numbers)
    return _done(found, skipped)


def _nucleus(node: Node, document: Source, found: Gathered, skipped: dict[str, int], numbers: dict[int, int]) -> None:
    kind = node["type"].text()
    if "mask_url" in node:
        segments = segments_of(node["annotations"])
        add_segments(node["mask_url"], segments, found.image(node["reference_id"].text()), document, found, skipped)
        return
    if kind not in _READ:
        skipped[kind] = skipped.get(kind, 0) + 1
        return
    geometry = node["geometry"]
    shape: dict[str, Any]
    if kind == "box":
        corner = geometry["x"].number(), geometry["y"].number()
        shape = {"box": (*corner, geometry["width"].number(0), geometry["height"].number(0))}
    else:
        shape = {"rings": [[[point["x"].number(), point["y"].number()] for point in geometry["vertices"]]]}
    key = node["reference_id"].text()
    extras = dict(node["metadata"].members()) if "metadata" in node else {}
    extras |= {name: value for name, value in node.rest(*_NUCLEUS).items() if value is not None}
    given = node["annotation_id"].text() if "annotation_id" in node else ""
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    place = found.image(key)
    if given and number is None and given != f"{key}-{numbers.get(place, 0)}":  # as it is written below
        extras["annotation_id"] = given
    numbers[place] = numbers.get(place, 0) + 1
    found.add(
        place,
        found.label(node["label"].text()),
        score=node["confidence"].score() if "confidence" in node else None,
        id=number,
        extras=extras,
        at=node.place,
        **shape,
    )


def _read_tasks(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read responses or hypotheses; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    skipped: dict[str, int] = {}
    for document in documents(source, _SUFFIXES, "Scale tasks (.json)"):
        report = found.report.within(document.name)
        with guarded():
            for task in _objects(document, report, ("docs", "tasks")):
                with guarded():
                    _task(task, document, found, skipped)
    return _done(found, skipped)


def _task(task: Node, document: Source, found: Gathered, skipped: dict[str, int]) -> None:
    params = task.get("params") or task
    place = found.image((params if "attachment" in params else task)["attachment"].text())
    answer = task["response"] if "response" in task else (task if "hypothesis" in task else params)["hypothesis"]
    if "combined" in answer["annotations"]:
        picture = answer["annotations"]["combined"]["indexedImage"]
        add_segments(picture, mapped(answer["labelMapping"]), place, document, found, skipped)
        return
    for node in answer["annotations"]:
        with guarded():
            kind = node["type"].text() if "type" in node else "box"
            if kind not in _READ:
                skipped[kind] = skipped.get(kind, 0) + 1
                continue
            shape: dict[str, Any]
            if kind == "box":
                corner = node["left"].number(), node["top"].number()
                shape = {"box": (*corner, node["width"].number(0), node["height"].number(0))}
            else:
                shape = {"rings": [[[point["x"].number(), point["y"].number()] for point in node["vertices"]]]}
            extras = node["attributes"].members() if "attributes" in node else None
            found.add(place, found.label(node["label"].text()), extras=extras, at=node.place, **shape)


def _done(found: Gathered, skipped: dict[str, int]) -> Dataset:
    for kind, count in skipped.items():
        found.report.note("scale-skipped", f"{count:,} × {kind}: not read", severity="warning", count=count)
    return found.dataset()


# --- writing -----------------------------------------------------------------------------------------


def _rings(dataset: Dataset, outline_iou: float | None, holes: Holes) -> list[Any]:
    """One ring of each annotation, None for a plain box."""
    polygons = outlines_of(dataset.annotations, outline_iou)
    return [
        bridged(single_rings(polygons, row, holes)) if present else None
        for row, present in enumerate(polygons.present.tolist())
    ]


def _vertices(ring: Any) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in ring.tolist()]


def _write_nucleus(
    dataset: Dataset, stream: Writable, *, outline_iou: float | None = None, holes: Holes = "bridge"
) -> None:
    """Write a JSON array of annotations, or of predictions where there are scores.

    Parameters
    ----------
    dataset, stream
        What to write, and where.
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out; exact outlines without it.
    holes
        ``"bridge"`` joins a hole to its exterior by a line, ``"fill"`` leaves it out, ``"refuse"`` refuses.
    """
    rows = dataset.annotations
    listed = []
    numbers = [0] * len(dataset.images)  # of the annotations of each image
    taken: set[tuple[int, str]] = set()
    for row, ring in enumerate(_rings(dataset, outline_iou, holes)):
        image = int(rows.image[row])
        key = dataset.images.key(image)
        item: dict[str, Any] = {"label": dataset.labels.names[rows.label[row]]}
        if ring is None:
            x, y, width, height = rows.box[row].tolist()
            item |= {"type": "box", "geometry": {"x": x, "y": y, "width": width, "height": height}}
        else:
            item |= {"type": "polygon", "geometry": {"vertices": _vertices(ring)}}
        extras = {} if rows.extras is None else dict(rows.extras[row])
        given = extras.pop("annotation_id", None) if rows.ids is None else str(int(rows.ids[row]))
        # Unique within an image: Nucleus takes a repeated one for a new version of the first.
        if not isinstance(given, str) or (image, given) in taken:
            given = f"{key}-{numbers[image]}"
        taken.add((image, given))
        item |= {"reference_id": key, "annotation_id": given}
        item |= {name: extras.pop(name) for name in _BESIDE if name in extras}
        item["metadata"] = extras
        if rows.score is not None:
            item["confidence"] = float(rows.score[row])
        listed.append(item)
        numbers[image] += 1
    stream.write(json_of(listed))


def _write_tasks(
    dataset: Dataset, stream: Writable, *, outline_iou: float | None = None, holes: Holes = "bridge"
) -> None:
    """Write tasks with hypotheses, one for each image; the options are those of `_write_nucleus`."""
    rows = dataset.annotations
    listed: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row, ring in enumerate(_rings(dataset, outline_iou, holes)):
        item: dict[str, Any] = {"label": dataset.labels.names[rows.label[row]]}
        if ring is None:
            left, top, width, height = rows.box[row].tolist()
            item |= {"type": "box", "left": left, "top": top, "width": width, "height": height}
        else:
            item |= {"type": "polygon", "vertices": _vertices(ring)}
        if rows.extras is not None and rows.extras[row]:
            item["attributes"] = rows.extras[row]
        listed[rows.image[row]].append(item)
    tasks = [
        {"attachment": key, "attachment_type": "image", "hypothesis": {"annotations": annotations}}
        for key, annotations in zip(dataset.images.keys, listed, strict=True)
    ]
    stream.write(json_of(tasks))


def _losses(dataset: Dataset, *, holes: Holes = "bridge", **_: Any) -> list[Loss]:
    return one_ring_losses(dataset, holes)


_CONVENTION = "pixels, origin at the top-left corner of the top-left pixel"

FORMATS = {
    "scale-nucleus": Format(
        name="scale-nucleus",
        title="Scale Nucleus: annotations and predictions",
        suffixes=_SUFFIXES,
        sniff=_sniff_nucleus,
        reader=_read_nucleus,
        writer=_write_nucleus,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            polygons=True,
            scores=True,
            ids=True,
            attributes=True,
            keypoints=True,
            convention=_CONVENTION,
            specification="https://nucleus.scale.com/docs/",
        ),
    ),
    "scale-tasks": Format(
        name="scale-tasks",
        title="Scale: responses of tasks, and hypotheses to correct",
        suffixes=_SUFFIXES,
        sniff=_sniff_tasks,
        reader=_read_tasks,
        writer=_write_tasks,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            polygons=True,
            attributes=True,
            keypoints=True,
            empty_images=True,
            convention=_CONVENTION,
            specification="https://scale.com/docs/api-reference/general-image-annotation",
        ),
    ),
}
"""Formats of this module."""
