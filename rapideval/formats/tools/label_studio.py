"""Label Studio: tasks as JSON, with ``annotations`` by people or ``predictions`` of models.

An array of tasks. ``data`` has the image (under ``image``, or as `image_key` says); ``result`` of an annotation or
prediction has regions: ``rectanglelabels`` (also turned: then an outline), ``polygonlabels``, ``ellipselabels``,
``brushlabels`` (masks), or a shape and its ``labels`` under one id. Coordinates are per cent of the image's width and
height, which each region gives. Keypoints, choices and relations are counted as skipped. The short export (JSON-MIN)
is read too.

Boxes are written as rectangles, outlines of one part as polygons, masks and all other outlines as brush. Annotations
with scores are written as predictions: pre-labels that people correct. Further fields go to ``meta`` of a region. The
project's configuration must know the names: ``<RectangleLabels name="rectangle" toName="image">``,
``<PolygonLabels name="polygon" ...>``, ``<BrushLabels name="brush" ...>``, or those that `from_name` gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_of
from rapideval.formats.common.losses import outlines_as_masks
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.common.sizes import require_sizes
from rapideval.formats.common.vectors import ellipse, turned
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.formats.tools.brush import packed, unpacked
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".json",)
_SHAPES = ("rectangle", "polygon", "ellipse", "brush")
_LABELLED = tuple(f"{shape}labels" for shape in _SHAPES)
_KINDS = ("annotations", "predictions")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    task = "$[]" if "" in shape.get("$", ()) else "$"
    keys = shape.get(task, set())
    if "data" in keys and keys & {"annotations", "predictions", "completions"}:
        return Guess(1, "JSON tasks with data and annotations or predictions")
    if any("result" in shape.get(f"{task}.{kind}[]", ()) for kind in _KINDS):
        return Guess(1, "JSON tasks whose annotations have results")
    if task == "$[]" and any({"original_width", "original_height"} <= found for found in shape.values()):
        return Guess(0.9, "a JSON array with regions that give original_width")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    kind: str | None = None,
    image_key: str | None = None,
) -> Dataset:
    """Read tasks.

    Parameters
    ----------
    source
        A document, or a folder of them.
    images, labels
        They stand before those of the documents.
    kind
        ``"annotations"`` or ``"predictions"``; annotations where there are any, if not given.
    image_key
        Which member of ``data`` is the image; ``image``, or the only text, if not given.
    """
    if kind not in (None, *_KINDS):
        raise UsageError(f"kind={kind!r}: annotations or predictions")
    reading = _Reading(Gathered(Report(source.name), images, labels), image_key)
    tasks = []
    for document in documents(source, _SUFFIXES, "Label Studio tasks (.json)"):
        root = decoded(document, reading.found.report.within(document.name))
        tasks += [root] if isinstance(root.value, dict) else list(root)
    chosen = kind or ("annotations" if any(_has(task, "annotations") for task in tasks) else "predictions")
    for task in tasks:
        with guarded():
            reading.task(task, chosen)
    return reading.dataset(chosen == "predictions")


def _has(task: Node, kind: str) -> bool:
    return isinstance(task.value, dict) and bool(task.value.get(kind))


class _Reading:
    """What is found, and what is left out."""

    def __init__(self, found: Gathered, image_key: str | None) -> None:
        self.found, self.image_key = found, image_key
        self.skipped: dict[str, int] = {}
        self.others = 0

    def task(self, task: Node, kind: str) -> None:
        """Read one task."""
        short = not (set(_KINDS) | {"data"}) & task.members().keys()
        data = task if short else task.get("data")
        place = self.found.image(self._image(task, data))
        if data is not None and "width" in data and "height" in data:
            self.found.size(place, (data["height"].size(), data["width"].size()), data.path)
        if short:
            for _, node in task.entries():
                for region in node if _has_regions(node.value) else ():
                    with guarded():
                        self._short_region(region, place)
            return
        given = task.get(kind)
        chosen = self._chosen(given) if given is not None else None
        if chosen is not None:
            self._result(chosen["result"], place)

    def _image(self, task: Node, data: Node | None) -> str:
        if data is None:
            task.refuse("json-key", "no data", "the key 'data' with the image")
        if self.image_key is not None:
            return data[self.image_key].text()
        if "image" in data:
            return data["image"].text()
        texts = [key for key, node in data.entries() if isinstance(node.value, str)]
        if len(texts) != 1:
            found = f"the texts {', '.join(texts)}" if texts else "no text"
            data.refuse("ls-image", found, "the image under the key 'image'", "say which it is: image_key")
        return data[texts[0]].text()

    def _chosen(self, given: Node) -> Node | None:
        """The annotation of a task that counts: ground truth, else the last that was not cancelled."""
        listed = [node for node in given if not node.members().get("was_cancelled")]
        truth = [node for node in listed if node.members().get("ground_truth") is True]
        self.others += max(0, len(listed) - 1)
        return (truth or listed)[-1] if listed else None

    def _result(self, result: Node, place: int) -> None:
        regions: dict[str, list[Node]] = {}
        for number, item in enumerate(result):
            with guarded():
                members = item.members()
                regions.setdefault(str(members.get("id", f"#{number}")), []).append(item)
        for items in regions.values():
            with guarded():
                self._region(items, place)

    def _region(self, items: list[Node], place: int) -> None:
        """Read a region: a shape with its labels, in one item or in several of one id."""
        types = {item["type"].text(): item for item in items}
        shape = next((name for kind in _SHAPES for name in (f"{kind}labels", kind) if name in types), None)
        if shape is None:
            for name in [name for name in types if name != "labels"] or types:
                self._skip(name)
            return
        item = types[shape]
        kind = shape.removesuffix("labels")
        if item.members().get("image_rotation"):
            item.refuse("ls-rotation", "coordinates of the image turned", "image_rotation 0")
        size = self._size(item, place)
        names = [name for other in items for name in _labels_of(other)]
        self._add(item, item["value"], kind, size, names, place)

    def _short_region(self, region: Node, place: int) -> None:
        shape = next((kind for kind in _SHAPES if f"{kind}labels" in region), None)
        if shape is None:
            self._skip("region without shape")
            return
        size = self._size(region, place)
        names = [name.text() for name in region[f"{shape}labels"]]
        self._add(region, region, shape, size, names, place)

    def _size(self, item: Node, place: int) -> tuple[int, int]:
        """Height and width of the image: of the region, else as they are known."""
        known = self.found.size_of(place)
        if known is not None and "original_width" not in item:
            return known
        if "original_width" not in item:
            expected, hint = "original_width and original_height", "give the images with their sizes (images)"
            item.refuse("image-size", "per cent of an image of unknown size", expected, hint)
        return item["original_height"].size(), item["original_width"].size()

    def _add(self, item: Node, value: Node, kind: str, size: tuple[int, int], names: list[str], place: int) -> None:
        if not names:
            self._skip(f"{kind} without label")
            return
        self.found.size(place, size, item.path)
        geometry = getattr(self, f"_{kind}")(value, size)
        score = item["score"].score() if "score" in item else None
        meta = item.get("meta")
        for name in dict.fromkeys(names):
            self.found.add(
                place,
                self.found.label(name),
                score=score,
                id=_number_of(item.members().get("id")),
                extras=None if meta is None else meta.members(),
                at=item.place,
                **geometry,
            )

    def _rectangle(self, value: Node, size: tuple[int, int]) -> dict[str, Any]:
        height, width = size
        x, y = value["x"].number() * width / 100, value["y"].number() * height / 100
        box = (x, y, value["width"].number(0) * width / 100, value["height"].number(0) * height / 100)
        angle = value["rotation"].number() if "rotation" in value else 0.0
        return {"rings": [turned(box, angle, (x, y))]} if angle else {"box": box}

    def _polygon(self, value: Node, size: tuple[int, int]) -> dict[str, Any]:
        points = np.array(value["points"].points()).reshape(-1, 2)
        return {"rings": [points * (size[1], size[0]) / 100]}

    def _ellipse(self, value: Node, size: tuple[int, int]) -> dict[str, Any]:
        height, width = size
        numbers = [value[name].number() for name in ("x", "y", "radiusX", "radiusY")]
        cx, cy, rx, ry = (number * side / 100 for number, side in zip(numbers, (width, height) * 2, strict=True))
        return {"rings": [ellipse(cx, cy, rx, ry, value["rotation"].number() if "rotation" in value else 0.0)]}

    def _brush(self, value: Node, size: tuple[int, int]) -> dict[str, Any]:
        stream = value["rle"]
        try:
            return {"mask": Masks.from_dense(unpacked(stream.items(), *size))}
        except ValueError as error:
            stream.refuse("ls-brush", str(error), "a brush's packed run lengths")

    def _skip(self, kind: str) -> None:
        self.skipped[kind] = self.skipped.get(kind, 0) + 1

    def dataset(self, scored: bool) -> Dataset:
        """All of it."""
        report = self.found.report
        for kind, count in self.skipped.items():
            report.note("ls-skipped", f"{count:,} × {kind}: not read", severity="warning", count=count)
        if self.others:
            found = f"{self.others:,} further annotations of the same tasks: the ground truth or the last is read"
            report.note("ls-others", found, severity="warning", count=self.others)
        return self.found.dataset(scored=scored)


def _has_regions(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) and "original_width" in item for item in value)


def _number_of(text: Any) -> int | None:
    """A region's id as a number, where it is one."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else None


def _labels_of(item: Node) -> list[str]:
    """Labels that an item of a region gives: of its type, where it is one of labels."""
    kind = item["type"].text()
    if not kind.endswith("labels"):
        return []
    names = item["value"].get(kind)
    return [] if names is None else [name.text() for name in names]


# --- writing -----------------------------------------------------------------------------------------


def _write(
    dataset: Dataset,
    stream: Writable,
    *,
    kind: str | None = None,
    model_version: str = "rapideval",
    image_key: str = "image",
    from_name: str | None = None,
    to_name: str = "image",
) -> None:
    """Write tasks, one for each image, those without annotations too.

    Parameters
    ----------
    dataset, stream
        What to write, and where.
    kind
        ``"annotations"`` or ``"predictions"``; predictions where there are scores, if not given.
    model_version
        What Label Studio shows for predictions.
    image_key
        Under which the configuration expects the image: ``$image``.
    from_name, to_name
        Names of the labels and of the image in the configuration; ``rectangle``, ``polygon`` or ``brush`` for labels
        if not given.
    """
    if kind not in (None, *_KINDS):
        raise UsageError(f"kind={kind!r}: annotations or predictions")
    chosen = kind or ("predictions" if dataset.scored else "annotations")
    results = _results(dataset, from_name, to_name)
    tasks = []
    for image in dataset.images:
        data: dict[str, Any] = {image_key: image.key}
        if image.height is not None and image.width is not None:
            data |= {"width": image.width, "height": image.height}
        filled: dict[str, Any] = {"result": results[image.index]}
        if chosen == "predictions":
            scores = [item["score"] for item in results[image.index] if "score" in item]
            filled = {"model_version": model_version, "score": float(np.mean(scores)) if scores else 0.0, **filled}
        tasks.append({"data": data, chosen: [filled]})
    stream.write(json_of(tasks))


def _results(dataset: Dataset, from_name: str | None, to_name: str) -> list[list[dict[str, Any]]]:
    from rapideval.formats.common.vectors import masks_of_complex

    rows = dataset.annotations
    require_sizes(dataset, "as Label Studio's coordinates are per cent of them")
    masks = masks_of_complex(dataset)
    found: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row, place in enumerate(rows.image.tolist()):
        height, width = (int(side) for side in dataset.images.sizes[place])
        scale = (width, height)
        value: dict[str, Any]
        rings = [] if rows.polygons is None else rows.polygons.rings(row)
        if len(rings) == 1:
            shape, value = "polygon", {"points": (rings[0] * 100 / scale).tolist(), "closed": True}
        elif masks is not None and masks.present[row]:
            shape, value = "brush", {"format": "rle", "rle": packed(masks.dense(row))}
        else:
            corner = rows.box[row] * 100 / (scale * 2)
            shape, value = "rectangle", dict(zip(("x", "y", "width", "height"), corner.tolist(), strict=True))
            value["rotation"] = 0
        value[f"{shape}labels"] = [dataset.labels.names[rows.label[row]]]
        item: dict[str, Any] = {
            "id": f"r{row}" if rows.ids is None else str(int(rows.ids[row])),
            "type": f"{shape}labels",
            "from_name": from_name or shape,
            "to_name": to_name,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": value,
        }
        if rows.score is not None:
            item["score"] = float(rows.score[row])
        if rows.extras is not None and rows.extras[row]:
            item["meta"] = rows.extras[row]
        found[place].append(item)
    return found


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return outlines_as_masks(dataset)


FORMATS = {
    "label-studio": Format(
        name="label-studio",
        title="Label Studio: tasks with annotations, or with predictions to correct",
        suffixes=_SUFFIXES,
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            scores=True,
            ids=True,
            attributes=True,
            keypoints=True,
            empty_images=True,
            image_sizes=True,
            convention="per cent of the image's width and height, origin at its top-left corner",
            specification="https://labelstud.io/guide/export.html",
        ),
    ),
}
"""Formats of this module."""
