"""CVAT for images 1.1, and CVAT for video 1.1: XML of the labelling tool CVAT.

``annotations`` with an ``image`` each (``name``, ``width``, ``height``) and its shapes: ``box`` (edges ``xtl``,
``ytl``, ``xbr``, ``ybr``), ``polygon``, ``ellipse``, ``mask`` (run lengths row by row within a rectangle, background
first), in pixels from the top-left corner. Attributes are kept as further fields, and so are ``occluded``, ``z_order``,
``group_id`` and ``source`` where they say something. Boxes that are turned become outlines of four corners, ellipses
outlines. Polylines, points, cuboids and skeletons are counted as skipped.

What is written has polygons for outlines of one part, and masks for masks and for what has holes or several parts.

A video's ``track`` has a shape for each frame; frames become the images ``frame_000000``, as CVAT names them, and the
track's number a further field ``track_id``. It is read, not written.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.canvas import cropped, placed
from rapideval.formats.common.documents import documents, first_of
from rapideval.formats.common.losses import beyond, outlines_as_masks
from rapideval.formats.common.nodes import guarded
from rapideval.formats.common.vectors import ellipse, masks_of_complex, turned
from rapideval.formats.common.words import value_of, word_of
from rapideval.formats.common.xmltree import Element, add, parsed, xml_of
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import mentions
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".xml",)
_SHAPES = ("box", "polygon", "ellipse", "mask")
_SKIPPED = ("polyline", "points", "cuboid", "skeleton", "tag")
_SOURCES = ("", "manual", "file")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None or b"<annotations" not in document.head(400):
        return None
    if mentions(document, b"<image ") or mentions(document, b"<track "):
        return Guess(1, "XML annotations with images or tracks")
    return Guess(0.9, "XML annotations of CVAT, without images") if b"<meta>" in document.head() else None


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
) -> Dataset:
    """Read a document, or all of a folder; images and labels given stand before those of the documents."""
    reading = _Reading(source, images, labels)
    for document in documents(source, _SUFFIXES, "CVAT documents (.xml)"):
        root = parsed(document, reading.found.report.within(document.name))
        reading.document(root)
    return reading.dataset()


class _Reading:
    """What is found, and what is skipped."""

    def __init__(self, source: Source, images: Images | None, labels: Labels | None) -> None:
        self.found = Gathered(Report(source.name), images, labels)
        self.skipped: dict[str, int] = {}
        self.drawn: dict[str, int] = {}
        self.between = 0

    def document(self, root: Element) -> None:
        """Read an export."""
        if root.tag != "annotations":
            root.report.refuse("cvat-root", root.path, f"<{root.tag}>", "<annotations>")
            return
        for node in root.node.iter("label"):
            name = (node.findtext("name") or "").strip()
            if name and node.findtext("type") != "skeleton":
                color = (node.findtext("color") or "").strip()
                self.found.label(name, extras={"color": color} if color else None)
        for image in root.all("image"):
            with guarded():
                self._image(image)
        size = root.node.find(".//original_size")
        shape = None
        if size is not None and (size.findtext("height") or "").isdigit() and (size.findtext("width") or "").isdigit():
            shape = (int(size.findtext("height") or 0), int(size.findtext("width") or 0))
        step = re.search(r"step\s*=\s*(\d+)", root.node.findtext(".//frame_filter") or "")
        for track in root.all("track"):
            self._track(track, shape, int(step[1]) if step else 1)

    def _image(self, image: Element) -> None:
        shape = None
        if image.has("width") or image.has("height"):
            shape = (image.attribute("height").whole(1), image.attribute("width").whole(1))
        number = image.attribute("id").whole() if image.has("id") else None
        split = {"split": image.get("subset")} if image.get("subset") else None
        place = self.found.image(image.attribute("name").value, shape, id=number, extras=split)
        for shape_node in image.all():
            with guarded():
                self._shape(shape_node, place, shape_node.get("label"), {})

    def _track(self, track: Element, shape: tuple[int, int] | None, step: int) -> None:
        before: int | None = None  # the last frame that shows the object
        for node in track.all():
            with guarded():
                frame = node.attribute("frame").whole(0)
                if before is not None:
                    self.between += max(0, (frame - before) // max(step, 1) - 1)
                before = None
                if node.get("outside") == "1":
                    continue
                before = frame
                place = self.found.image(f"frame_{frame:06d}", shape, id=frame)
                self._shape(node, place, track.get("label"), {"track_id": value_of(track.get("id"))})

    def _shape(self, node: Element, place: int, label: str, fields: dict[str, Any]) -> None:
        if node.tag not in _SHAPES:
            if node.tag in _SKIPPED:
                self.skipped[node.tag] = self.skipped.get(node.tag, 0) + 1
                return
            node.refuse("cvat-shape", f"<{node.tag}>", ", ".join((*_SHAPES, *_SKIPPED)))
        if not label:
            node.refuse("label-missing", "no label", "the label of the shape")
        geometry = getattr(self, f"_{node.tag}")(node, place)
        self.found.add(place, self.found.label(label), extras={**fields, **_fields(node)}, at=node.place, **geometry)

    def _box(self, node: Element, _: int) -> dict[str, Any]:
        x, y, right, bottom = (node.attribute(edge).number() for edge in ("xtl", "ytl", "xbr", "ybr"))
        if right < x or bottom < y:
            node.refuse("cvat-box", f"edges {x:g}, {y:g}, {right:g}, {bottom:g}", "ends behind starts")
        box = (x, y, right - x, bottom - y)
        if float(node.get("rotation") or 0):
            self._draws("turned box")
            return {"rings": [turned(box, node.attribute("rotation").number())]}
        return {"box": box}

    def _polygon(self, node: Element, _: int) -> dict[str, Any]:
        text = node.attribute("points")
        points = []
        for pair in text.value.split(";"):
            numbers = pair.split(",")
            if len(numbers) != 2:
                text.refuse("cvat-points", "points x,y;x,y;...")
            points.append([type(text)(number, text.path, text.report).number() for number in numbers])
        return {"rings": [points]}

    def _ellipse(self, node: Element, _: int) -> dict[str, Any]:
        cx, cy = node.attribute("cx").number(), node.attribute("cy").number()
        rx, ry = node.attribute("rx").number(0), node.attribute("ry").number(0)
        self._draws("ellipse")
        angle = node.attribute("rotation").number() if node.has("rotation") else 0.0
        return {"rings": [ellipse(cx, cy, rx, ry, angle)]}

    def _mask(self, node: Element, place: int) -> dict[str, Any]:
        size = self.found.size_of(place)
        if size is None:
            node.refuse("image-size", "a mask on an image of unknown size", "width and height of the image")
        left, top = node.attribute("left").whole(0), node.attribute("top").whole(0)
        width, height = node.attribute("width").whole(1), node.attribute("height").whole(1)
        if left + width > size[1] or top + height > size[0]:  # before anything of that size is made
            node.refuse("cvat-mask", f"a mask that ends at {left + width}, {top + height}",
                        f"one within {size[1]} × {size[0]} pixels")  # fmt: skip
        text = node.attribute("rle")
        runs = [type(text)(run.strip(), text.path, text.report).whole(0) for run in text.value.split(",")]
        if sum(runs) != width * height:
            text.refuse("cvat-mask", f"run lengths of {width * height:,} pixels, not {sum(runs):,}")
        part = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
        return {"mask": placed(part, left, top, size)}

    def _draws(self, kind: str) -> None:
        self.drawn[kind] = self.drawn.get(kind, 0) + 1

    def dataset(self) -> Dataset:
        """All of it."""
        report = self.found.report
        for tag, count in self.skipped.items():
            report.note("cvat-skipped", f"{count:,} × <{tag}>: neither box nor area", severity="warning", count=count)
        if self.between:
            report.note(
                "cvat-frames", f"{self.between:,} shapes between keyframes: not interpolated, so not there",
                severity="warning", count=self.between,
            )  # fmt: skip
        for kind, count in self.drawn.items():
            report.note("cvat-outline", f"{count:,} × {kind}: read as outlines", count=count)
        return self.found.dataset()


def _fields(node: Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if node.get("occluded", "0") != "0":
        fields["occluded"] = True
    if node.get("z_order", "0") != "0":
        fields["z_order"] = node.attribute("z_order").whole()
    if node.has("group_id"):
        fields["group_id"] = node.attribute("group_id").whole()
    if node.get("source") not in _SOURCES:
        fields["source"] = node.get("source")
    for attribute in node.all("attribute"):
        fields[attribute.attribute("name").value] = value_of(attribute.text.value)
    return fields


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, stream: Writable) -> None:
    """Write CVAT for images 1.1: an image each, those without annotations too."""
    from xml.etree import ElementTree

    masks = masks_of_complex(dataset)
    root = ElementTree.Element("annotations")
    add(root, "version", "1.1")
    task = add(add(root, "meta"), "task")
    add(task, "size", len(dataset.images))
    labels = add(task, "labels")
    for label in dataset.labels:
        entry = add(labels, "label")
        add(entry, "name", label.name)
        extras = {} if dataset.labels.extras is None else dataset.labels.extras[label.index]
        if isinstance(extras.get("color"), str):
            add(entry, "color", extras["color"])
        add(entry, "attributes")
    nodes = []
    for image in dataset.images:
        number = image.index if image.id is None else image.id
        sizes = {} if image.width is None or image.height is None else {"width": image.width, "height": image.height}
        node = add(root, "image", None, id=number, name=image.key, **sizes)
        extras = {} if dataset.images.extras is None else dataset.images.extras[image.index]
        if isinstance(extras.get("split"), str):
            node.set("subset", extras["split"])
        nodes.append(node)
    for row, image_place in enumerate(dataset.annotations.image.tolist()):
        _add_shape(nodes[image_place], dataset, masks, row)
    stream.write(xml_of(root))


def _add_shape(image: Any, dataset: Dataset, masks: Masks | None, row: int) -> None:
    rows = dataset.annotations
    outline = [] if rows.polygons is None else rows.polygons.rings(row)
    fields = {} if rows.extras is None else dict(rows.extras[row])
    label = dataset.labels.names[rows.label[row]]
    common: dict[str, Any] = {
        "label": label,
        "source": fields.pop("source") if _is_source(fields) else "manual",
        "occluded": 1 if fields.get("occluded") is True and fields.pop("occluded") else 0,
    }
    if len(outline) == 1:
        points = ";".join(f"{x!r},{y!r}" for x, y in outline[0].tolist())
        node = add(image, "polygon", None, **common, points=points)
    elif masks is not None and masks.present[row]:
        node = add(image, "mask", None, **common, **_mask_attributes(masks.dense(row)))
    else:
        x, y, width, height = rows.box[row].tolist()
        node = add(image, "box", None, **common, xtl=x, ytl=y, xbr=x + width, ybr=y + height)
    node.set("z_order", str(fields.pop("z_order") if _is_whole(fields.get("z_order")) else 0))
    if _is_whole(fields.get("group_id")):
        node.set("group_id", str(fields.pop("group_id")))
    for name, value in fields.items():
        add(node, "attribute", word_of(value), name=name)


def _is_source(fields: dict[str, Any]) -> bool:
    return isinstance(fields.get("source"), str) and fields["source"] not in _SOURCES


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value != 0 and abs(value) < 2**31


def _mask_attributes(dense: Any) -> dict[str, Any]:
    """Rectangle and run lengths of a mask; of an empty one, those of its first pixel."""
    part, left, top = cropped(dense)
    height, width = part.shape
    flat = part.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [len(flat)]])).tolist()
    if flat[0]:
        runs = [0, *runs]
    return {"rle": ", ".join(map(str, runs)), "left": left, "top": top, "width": width, "height": height}


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return [
        *outlines_as_masks(dataset),
        beyond(dataset.images.extras, ("split",), "image_attributes", "image"),
        beyond(dataset.labels.extras, ("color",), "label_attributes", "label"),
    ]


FORMATS = {
    "cvat": Format(
        name="cvat",
        title="CVAT for images 1.1: boxes, polygons, masks as XML; CVAT for video is read",
        suffixes=_SUFFIXES,
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            attributes=True,
            keypoints=True,
            empty_images=True,
            image_ids=True,
            image_sizes=True,
            unused_labels=True,
            label_order=True,
            convention="edges and points in pixels, origin at the top-left corner of the top-left pixel",
            specification="https://docs.cvat.ai/docs/manual/advanced/xml_format/",
        ),
    ),
}
"""Formats of this module."""
