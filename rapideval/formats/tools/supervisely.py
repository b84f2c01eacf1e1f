"""Supervisely: a project's folder with ``meta.json`` and a document for each image.

``meta.json`` lists ``classes`` (``title``, ``shape``, ``color``) and ``tags``; ``DATASET/ann/IMAGE.json`` has the
image's ``size``, ``tags`` and ``objects``, each with ``classTitle`` and ``geometryType``: ``rectangle`` (two corners),
``polygon`` and ``multipolygon`` (``exterior`` and ``interior``), ``bitmap`` (a PNG, packed by zlib, in base64, and its
``origin``). The tag ``confidence`` is a score, where all objects have one. Images of the dataset ``ds0`` have plain
names, those of others that of their dataset before theirs; a dataset within another lies in its ``datasets``. Other
shapes are counted as skipped; all further fields, of the project too, are kept.

Coordinates of files name pixels, counted from 0 at the top-left corner: a rectangle ends with the last pixel that
belongs to it, the points of a polygon are in the middle of theirs. The API speaks of edges instead:
``coordinates="edges"``.

Masks are written as they are, outlines of several parts as masks.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.documents import documents, first_of, json_of, laid
from rapideval.formats.common.names import clashing, renamed, safe_path
from rapideval.formats.common.nodes import Node, decoded, guarded, shown
from rapideval.formats.common.png import decoded_alpha
from rapideval.formats.common.sizes import require_sizes
from rapideval.formats.common.vectors import masks_of_parted
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS"]

Coordinates = Literal["pixels", "edges"]

_SUFFIXES = (".json",)
_META = "meta.json"
_FIRST = "ds0"
_SCORE = "confidence"
_DOCUMENT = ("size", "objects")
_OBJECT = ("id", "classTitle", "geometryType", "points", "parts", "bitmap")
_CLASS = ("color", "description", "hotkey")
_UNSET: dict[str, Any] = {  # what is written where nothing was said
    "description": "", "tags": [], "projectType": "images", "geometry_config": {}, "hotkey": "",
}  # fmt: skip
_COLOURS = ("#E6194B", "#3CB44B", "#FFE119", "#4363D8", "#F58231", "#911EB4", "#46F0F0", "#F032E6", "#BCF60C")
_LARGEST = 1 << 28  # bytes of a PNG: few packed ones can promise many


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    keys = shape.get("$", set())
    if {"size", "objects"} <= keys and {"height", "width"} <= shape.get("$.size", set()):
        inside = shape.get("$.objects[]", {"classTitle"})
        return Guess(1, "a JSON object with size and objects") if "classTitle" in inside else None
    if source.is_folder and PurePath(document.name).name == _META and "classes" in keys:
        inside = shape.get("$.classes[]", set())
        if {"title", "shape"} <= inside or (not inside and {"tags", "projectType"} <= keys):
            return Guess(1, f"a folder whose {_META} has classes of titles and shapes")
    return None


def _check(coordinates: str) -> None:
    if coordinates not in ("pixels", "edges"):
        raise UsageError(f"coordinates={coordinates!r}: pixels or edges")


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    coordinates: Coordinates = "pixels",
) -> Dataset:
    """Read a project, a dataset of one, or a document; images and labels given stand before theirs.

    Parameters
    ----------
    source, images, labels
        What to read.
    coordinates
        ``"pixels"``: numbers name pixels, as in files; ``"edges"``: they are continuous, as the API gives them.
    """
    _check(coordinates)
    found = Gathered(Report(source.name), images, labels)
    listed = documents(source, _SUFFIXES, "a Supervisely project (meta.json, DATASET/ann/IMAGE.json)")
    metas = [document for document in listed if source.is_folder and PurePath(document.name).name == _META]
    info: dict[str, Any] = {}
    for meta in metas[:1]:
        with guarded():
            info = _meta(decoded(meta, found.report.within(meta.name)), found)
    roots = []
    for document in _annotated(source, listed, metas):
        roots.append((_name_of(source, document), decoded(document, found.report.within(document.name))))
    tagged = any(_is_score(tag) for tag in info.get("tags", []))
    reading = _Reading(found, coordinates == "pixels", _scored([root for _, root in roots], tagged))
    for name, root in roots:
        with guarded():
            reading.document(root, name)
    if reading.scored:
        info["tags"] = [tag for tag in info.get("tags", []) if not _is_score(tag)]
    for kind, count in reading.skipped.items():
        found.report.note("supervisely-skipped", f"{count:,} × {kind}: not read", severity="warning", count=count)
    info = {name: value for name, value in info.items() if _UNSET.get(name) != value}
    return found.dataset(info, reading.scored)


def _annotated(source: Source, listed: Sequence[Source], metas: Sequence[Source]) -> list[Source]:
    """Documents of images: those in folders ``ann``, where there are such."""
    inside = [document for document in listed if PurePath(document.name).parent.name == "ann"]
    if not source.is_folder or inside:
        return inside or list(listed)
    if metas and any(document not in metas for document in listed):
        problem = Problem("supervisely-project", source.name, "no folder ann", "DATASET/ann/IMAGE.json")
        raise FormatError(problem)
    return [document for document in listed if document not in metas]


def _name_of(source: Source, document: Source) -> str:
    """An image's name, from where its document lies: ``a/datasets/b/ann/c.jpg.json`` is ``a/b/c.jpg``."""
    assert document.path is not None or not source.is_folder
    if document.path is None:
        return "image"
    name = document.path.name.removesuffix(".json")
    if not source.is_folder or source.path is None:
        return name
    folders = document.path.relative_to(source.path).parts[:-2][::2]
    return "/".join((*folders, name)) if folders != (_FIRST,) else name


def _meta(root: Node, found: Gathered) -> dict[str, Any]:
    """Classes in their order; what else the project says."""
    if "projectType" in root and root["projectType"].text() != "images":
        kind = root["projectType"]
        kind.refuse("supervisely-project", shown(kind.value), '"images": others have no boxes or areas')
    for entry in root["classes"]:
        with guarded():
            members = entry.members()
            extras = {name: members[name] for name in _CLASS if members.get(name) not in (None, "")}
            number = entry["id"].whole() if "id" in entry else None
            found.label(entry["title"].text(), id=number, extras=extras)
    if "tags" in root:
        for tag in root["tags"]:
            tag.members()
    return root.rest("classes")


def _scored(roots: Sequence[Node], tagged: bool) -> bool:
    """Whether each object has a confidence; where there are no objects, whether the project has such a tag."""
    objects = [
        item
        for root in roots
        for item in (root.value.get("objects") if isinstance(root.value, dict) else None) or ()
        if isinstance(item, dict)
    ]
    if not objects:
        return tagged
    return all(any(_is_score(tag) for tag in _list(item.get("tags"))) for item in objects)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_score(tag: Any) -> bool:
    return isinstance(tag, dict) and tag.get("name") == _SCORE


class _Reading:
    """How objects are read, and what is left out."""

    def __init__(self, found: Gathered, pixels: bool, scored: bool) -> None:
        self.found, self.scored = found, scored
        self.beyond = 1.0 if pixels else 0.0  # of the last pixel of a rectangle
        self.middle = 0.5 if pixels else 0.0
        self.skipped: dict[str, int] = {}

    def document(self, root: Node, name: str) -> None:
        """An image."""
        size = root["size"]["height"].size(), root["size"]["width"].size()
        extras = {key: value for key, value in root.rest(*_DOCUMENT).items() if _UNSET.get(key) != value}
        place = self.found.image(name, size, extras=extras)
        for item in root["objects"]:
            with guarded():
                self._object(item, place, size)

    def _object(self, item: Node, place: int, size: tuple[int, int]) -> None:
        kind = item["geometryType"].text()
        geometry: dict[str, Any]
        if kind == "rectangle":
            geometry = {"box": self._box(item["points"]["exterior"])}
        elif kind == "polygon":
            geometry = self._rings([item["points"]])
        elif kind == "multipolygon":
            geometry = self._rings(list(item["parts"]))
        elif kind == "bitmap":
            geometry = {"mask": _mask(item["bitmap"], size)}
        else:
            self.skipped[kind] = self.skipped.get(kind, 0) + 1
            return
        extras = item.rest(*_OBJECT)
        score = None
        if self.scored:
            tags = _list(extras["tags"])
            place_of_score = next(number for number, tag in enumerate(tags) if _is_score(tag))
            score = list(item["tags"])[place_of_score]["value"].score()
            extras["tags"] = [tag for number, tag in enumerate(tags) if number != place_of_score]
        self.found.add(
            place,
            self.found.label(item["classTitle"].text()),
            score=score,
            id=item["id"].whole() if "id" in item else None,
            extras={key: value for key, value in extras.items() if _UNSET.get(key) != value},
            at=item.place,
            **geometry,
        )

    def _box(self, corners: Node) -> list[float]:
        points = np.array(corners.points(), np.float64).reshape(-1, 2)
        if len(points) != 2:
            corners.refuse("supervisely-points", f"{len(points)} points", "two corners")
        low, high = points.min(axis=0), points.max(axis=0)
        return [*low.tolist(), *(high + self.beyond - low).tolist()]

    def _rings(self, parts: Sequence[Node]) -> dict[str, Any]:
        rings, holes = [], []
        for part in parts:
            inner = list(part["interior"]) if "interior" in part else []
            for ring in (part["exterior"], *inner):
                rings.append(np.array(ring.points(), np.float64).reshape(-1, 2) + self.middle)
            holes += [False] + [True] * len(inner)
        return {"rings": rings, "holes": holes}


def _mask(bitmap: Node, size: tuple[int, int]) -> Masks:
    node = bitmap["data"]
    try:
        pixels = decoded_alpha(_unpacked(base64.b64decode(node.text(), validate=True)))
    except (ValueError, zlib.error) as error:  # PngError is a ValueError, so is what base64 raises
        node.refuse("supervisely-bitmap", str(error), "a PNG, packed by zlib, in base64")
    left, top = bitmap["origin"].numbers(2)
    height, width = pixels.shape
    whole = left == int(left) and top == int(top)
    if not whole or left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
        node.refuse(
            "supervisely-bitmap", f"a mask from {left:g}, {top:g} to {left + width:g}, {top + height:g}",
            f"one of whole pixels within {size[1]} × {size[0]}",
        )  # fmt: skip
    dense = np.zeros(size, np.bool_)
    dense[int(top) : int(top) + height, int(left) : int(left) + width] = pixels
    return Masks.from_dense(dense)


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x89PNG"):
        return data  # older files are not packed
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(data, _LARGEST)
    if unpacking.unconsumed_tail:
        raise ValueError(f"more than {_LARGEST:,} bytes")
    return found


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path, *, coordinates: Coordinates = "pixels") -> None:
    """Write a project: a document for each image, those without annotations too.

    Parameters
    ----------
    dataset, folder
        What to write, and where. Images need sizes.
    coordinates
        ``"pixels"``: numbers name pixels, as in files; ``"edges"``: they are continuous, as the API takes them.

    Raises
    ------
    InputError
        ``image-size`` where the size of an image is not known.
    UsageError
        Where two images would share a document.
    """
    _check(coordinates)
    require_sizes(dataset, "which each document has", annotated=False)
    places = _places(dataset.images)
    writing = _Writing(dataset, masks_of_parted(dataset), coordinates == "pixels")
    objects: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row, image in enumerate(dataset.annotations.image.tolist()):
        objects[image].append(writing.object(row))
    with laid(folder, _META) as stream:
        stream.write(json_of(writing.meta()))
    for image, place in zip(dataset.images, places, strict=True):
        extras = {} if dataset.images.extras is None else dataset.images.extras[image.index]
        document = {
            "description": "",
            "tags": [],
            **extras,
            "size": {"height": image.height, "width": image.width},
            "objects": objects[image.index],
        }
        with laid(folder, f"{place.dataset}/ann/{place.name}.json") as stream:
            stream.write(json_of(document))


class _Place(NamedTuple):
    dataset: str
    name: str


def _places(images: Images) -> list[_Place]:
    """Dataset and file name of each image."""
    places = []
    first: dict[str, str] = {}
    for key in images.keys:
        *folders, name = safe_path(key).split("/")
        place = _Place("/datasets/".join(folders or [_FIRST]), name)
        other = first.setdefault(f"{place.dataset}/{name}".lower(), key)  # some systems do not tell the cases apart
        if other != key:
            shared = f"{place.dataset}/ann/{name}.json"
            raise UsageError(f"the images {other!r} and {key!r} would share the file {shared!r}: rename one of them")
        places.append(place)
    return places


class _Writing:
    """How annotations are written."""

    def __init__(self, dataset: Dataset, masks: Masks | None, pixels: bool) -> None:
        self.dataset, self.masks = dataset, masks
        self.beyond = 1.0 if pixels else 0.0
        self.middle = 0.5 if pixels else 0.0
        self.shapes: list[set[str]] = [set() for _ in dataset.labels.names]

    def object(self, row: int) -> dict[str, Any]:
        """One annotation."""
        rows = self.dataset.annotations
        label = int(rows.label[row])
        extras = {} if rows.extras is None else rows.extras[row]
        item: dict[str, Any] = {} if rows.ids is None else {"id": int(rows.ids[row])}
        kind, geometry = self._geometry(row)
        self.shapes[label].add(kind)
        item |= {"description": "", "tags": []} | extras
        item |= {"classTitle": self.dataset.labels.names[label], "geometryType": kind, **geometry}
        if rows.score is not None:
            item["tags"] = [*_list(item["tags"]), {"name": _SCORE, "value": float(rows.score[row])}]
        return item

    def _geometry(self, row: int) -> tuple[str, dict[str, Any]]:
        rows = self.dataset.annotations
        if self.masks is not None and self.masks.present[row] and self.masks.area[row]:
            return "bitmap", {"bitmap": _bitmap(self.masks.dense(row))}
        if rows.polygons is not None and rows.polygons.present[row] and not (self.masks and self.masks.present[row]):
            exterior, *interior = [(ring - self.middle).tolist() for ring in rows.polygons.rings(row)]
            return "polygon", {"points": {"exterior": exterior, "interior": interior}}
        x, y, width, height = rows.box[row].tolist()
        last = [x + max(width - self.beyond, 0.0), y + max(height - self.beyond, 0.0)]
        return "rectangle", {"points": {"exterior": [[x, y], last], "interior": []}}

    def meta(self) -> dict[str, Any]:
        """What the project says: classes, tags."""
        info, classes = self.dataset.info, []
        for label, shapes in zip(self.dataset.labels, self.shapes, strict=True):
            extras = {} if self.dataset.labels.extras is None else self.dataset.labels.extras[label.index]
            entry = {
                "title": label.name,
                "shape": next(iter(shapes)) if len(shapes) == 1 else "any",
                "color": _COLOURS[label.index % len(_COLOURS)],
                "geometry_config": {},
                **({} if label.id is None else {"id": label.id}),
                **{name: extras[name] for name in _CLASS if name in extras},
            }
            classes.append(entry)
        tags = list(info.get("tags", []))
        if self.dataset.scored:
            tags.append({"name": _SCORE, "value_type": "any_number", "color": "#808080"})
        others = {name: value for name, value in info.items() if name != "classes"}
        return {"classes": classes, "projectType": "images", **others, "tags": tags}


def _bitmap(dense: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """The part of a mask that holds its pixels, as a PNG whose 0 is transparent: as Supervisely writes it."""
    from PIL import Image

    ys, xs = np.flatnonzero(dense.any(axis=1)), np.flatnonzero(dense.any(axis=0))
    part = dense[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    picture = Image.fromarray(part.astype(np.uint8))
    picture.putpalette([0, 0, 0, 255, 255, 255])
    stream = io.BytesIO()
    picture.save(stream, "PNG", transparency=0)
    data = base64.b64encode(zlib.compress(stream.getvalue())).decode()
    return {"data": data, "origin": [int(xs[0]), int(ys[0])]}


def _losses(dataset: Dataset, *, coordinates: Coordinates = "pixels", **_: Any) -> list[Loss]:
    rows, found = dataset.annotations, clashing(dataset, _OBJECT)
    drawn = np.zeros(len(rows), np.bool_)
    parts = empty = 0
    if rows.polygons is not None:
        parts = int((rows.polygons.part_counts > 1).sum())
        drawn |= rows.polygons.present
    if rows.masks is not None:
        empty = int((rows.masks.present & ~drawn & (rows.masks.area == 0)).sum())
        drawn |= rows.masks.present
    narrow = int(((rows.box[:, 2:] < 1).any(axis=1) & ~drawn).sum()) if coordinates == "pixels" else 0
    names = renamed(dataset.images)
    first = sum(1 for key in dataset.images.keys if safe_path(key).startswith(f"{_FIRST}/"))
    images, labels = dataset.images.extras, dataset.labels.extras
    taken = 0 if images is None else sum(1 for row in range(len(images)) if images[row].keys() & set(_DOCUMENT))
    fields = 0 if labels is None else sum(1 for row in range(len(labels)) if labels[row].keys() - set(_CLASS))
    return [
        *found,
        Loss("parts", parts, f"{plural(parts, 'outline')} of several parts: written as masks"),
        Loss("empty_masks", empty, f"{plural(empty, 'mask')} without a pixel: written as boxes"),
        Loss("narrow_boxes", narrow, f"the width or height of {narrow:,} boxes below a pixel: written as one pixel"),
        Loss("image_names", names.count + first, f"the names of {plural(names.count + first, 'image')}: changed"),
        Loss("image_attributes", taken, f"further fields of {plural(taken, 'image')}: {', '.join(_DOCUMENT)}"),
        Loss("label_attributes", fields, f"further fields of {plural(fields, 'label')} besides {', '.join(_CLASS)}"),
    ]


FORMATS = {
    "supervisely": Format(
        name="supervisely",
        title="Supervisely: a project of boxes, polygons and bitmaps, a JSON document an image",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        picture_paths=lambda images: [f"{place.dataset}/img/{place.name}" for place in _places(images)],
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            holes=True,
            scores=True,
            ids=True,
            attributes=True,
            image_attributes=True,
            keypoints=True,
            empty_images=True,
            image_sizes=True,
            label_ids=True,
            unused_labels=True,
            label_order=True,
            info=True,
            convention="numbers name pixels, the last one of a rectangle within; points in the middle of their pixel",
            specification="https://docs.supervisely.com/data-organization/00_ann_format_navi",
        ),
    ),
}
"""Formats of this module."""
