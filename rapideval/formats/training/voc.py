"""Pascal VOC: an XML document for each image, as VOC, ImageNet, labelImg, CVAT, Roboflow and V7 write it.

``annotation`` with ``filename``, ``size`` and an ``object`` each, with ``name`` and ``bndbox``: ``xmin``, ``ymin``,
``xmax``, ``ymax`` in pixels. Which pixel is the first is told nowhere: tools count from 0 with edges between pixels,
which is read unless `one_based` says that they are those of the VOC challenges, whose pixels count from 1 and whose
``xmax`` is the last pixel of the box. ``pose``, ``truncated``, ``difficult``, ``occluded`` and ``attributes`` are kept
as further fields; a ``polygon`` (``x1``, ``y1``, ``x2``, ...) is an outline. Parts of objects and actions are noted.

A folder is searched for documents; ``ImageSets/Main/train.txt`` and its like make the further field ``split`` of
images. A folder that is written has ``Annotations/`` and ``ImageSets/Main/``; images go to ``JPEGImages/``.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, laid
from rapideval.formats.common.losses import beyond, file_names
from rapideval.formats.common.names import file_stems, safe_path
from rapideval.formats.common.nodes import guarded
from rapideval.formats.common.words import value_of, word_of
from rapideval.formats.common.xmltree import Element, add, parsed, xml_of
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_SUFFIXES = (".xml",)
_FLAGS = ("truncated", "difficult", "occluded")
_KNOWN = {"name", "bndbox", "pose", "attributes", "polygon", "part", "actions", *_FLAGS}
_SPLITS = ("train", "val", "test", "trainval")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    head = document.head()
    if b"<annotation" not in head or b"<filename" not in head or b"<imagesize>" in head or b"<pt>" in head:
        return None
    if b"<bndbox>" in head or b"<bndbox " in head:
        return Guess(1, "XML annotations with bndbox")
    return Guess(0.9, "XML annotations with filename, and no objects") if b"<size>" in head else None


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    one_based: bool = False,
) -> Dataset:
    """Read a document, or all of a folder.

    Parameters
    ----------
    source
        A file or a folder.
    images, labels
        They stand before those of the documents.
    one_based
        Boxes are those of the VOC challenges: pixels from 1, both ends within the box.
    """
    found = Gathered(Report(source.name), images, labels)
    skipped: dict[str, int] = {}
    splits = _splits_of(source)
    for document in documents(source, _SUFFIXES, "VOC annotations (.xml)"):
        root = parsed(document, found.report.within(document.name))
        with guarded():
            _image(root, document, found, splits, one_based, skipped)
    for tag, count in skipped.items():
        found.report.note("voc-skipped", f"{count:,} × <{tag}> of objects: not read", count=count)
    return found.dataset()


def _image(
    root: Element, document: Source, found: Gathered, splits: dict[str, str], one_based: bool, skipped: dict[str, int]
) -> None:
    stem = PurePosixPath(document.name.replace("\\", "/")).stem
    name = root.word("filename") or stem
    size = root.find("size")
    shape = None
    if size is not None and size.word("width") not in ("", "0"):
        shape = (size.text_of("height").whole(1), size.text_of("width").whole(1))
    split = splits.get(stem) or splits.get(str(PurePosixPath(name).with_suffix("")))
    place = found.image(name, shape, extras={"split": split} if split else None)
    for item in root.all("object"):
        with guarded():
            _object(item, place, found, one_based, skipped)


def _object(item: Element, place: int, found: Gathered, one_based: bool, skipped: dict[str, int]) -> None:
    for tag in ("part", "actions"):
        count = len(item.node.findall(tag))
        if count:
            skipped[tag] = skipped.get(tag, 0) + count
    label = found.label(item.text_of("name").value)
    rings = [ring for outline in item.all("polygon") for ring in [_ring(outline)] if ring]
    box = None
    if not rings or item.find("bndbox") is not None:
        edges = item.child("bndbox")
        x, y, right, bottom = (edges.text_of(edge).number() for edge in ("xmin", "ymin", "xmax", "ymax"))
        if right < x or bottom < y:
            edges.refuse("voc-box", f"xmin {x:g}, ymin {y:g}, xmax {right:g}, ymax {bottom:g}", "ends behind starts")
        box = (x - 1, y - 1, right - x + 1, bottom - y + 1) if one_based else (x, y, right - x, bottom - y)
    found.add(place, label, box=box, rings=rings, extras=_fields(item), at=item.place)


def _ring(outline: Element) -> list[list[float]]:
    """Points of an outline: x1, y1, x2, y2, ..."""
    points = []
    number = 1
    while outline.find(f"x{number}") is not None:
        points.append([outline.text_of(f"x{number}").number(), outline.text_of(f"y{number}").number()])
        number += 1
    return points


def _fields(item: Element) -> dict[str, Any]:
    """Further fields of an object: those of VOC, and attributes."""
    fields: dict[str, Any] = {}
    if item.word("pose") not in ("", "Unspecified"):
        fields["pose"] = item.word("pose")
    for name in _FLAGS:
        node = item.find(name)
        if node is not None and node.text.value not in ("0", "", "false"):
            fields[name] = value_of(node.text.value)
    attributes = item.find("attributes")
    for attribute in attributes.all("attribute") if attributes is not None else ():
        fields[attribute.text_of("name").value] = value_of(attribute.word("value"))
    for node in item.all():
        if node.tag not in _KNOWN and not len(node.node):
            fields[node.tag] = value_of(node.text.value)
    return fields


def _splits_of(source: Source) -> dict[str, str]:
    """Split of each image that a list of ImageSets/Main names, by its name without suffix."""
    if not source.is_folder or source.path is None:
        return {}
    found: dict[str, str] = {}
    for split in _SPLITS:
        path = source.path / "ImageSets" / "Main" / f"{split}.txt"
        if path.is_file():
            for line in path.read_text("utf-8", "replace").splitlines():
                if line.strip():
                    found.setdefault(line.strip(), split)
    return found


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path, *, one_based: bool = False) -> None:
    """Write ``Annotations/`` and ``ImageSets/Main/``.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    one_based
        Write boxes as the VOC challenges have them: pixels from 1, both ends within the box.
    """
    from xml.etree import ElementTree

    stems = file_stems(dataset.images)
    by_image: list[list[int]] = [[] for _ in stems]
    for row, image in enumerate(dataset.annotations.image.tolist()):
        by_image[image].append(row)
    splits: dict[str, list[str]] = {}
    extras = dataset.images.extras
    for image, stem, rows in zip(dataset.images, stems, by_image, strict=True):
        root = ElementTree.Element("annotation")
        add(root, "filename", image.key)
        size = add(root, "size")
        for name, value in (("width", image.width), ("height", image.height), ("depth", 3)):
            add(size, name, value or 0)
        add(root, "segmented", 0)
        for row in rows:
            _add_object(root, dataset, row, one_based)
        with laid(folder, f"Annotations/{stem}.xml") as stream:
            stream.write(xml_of(root))
        split = "default" if extras is None else str(extras[image.index].get("split", "default"))
        splits.setdefault(split, []).append(stem)
    for split, names in splits.items():
        with laid(folder, f"ImageSets/Main/{split}.txt") as stream:
            stream.write("".join(f"{name}\n" for name in names).encode())


def _add_object(root: Any, dataset: Dataset, row: int, one_based: bool) -> None:
    rows = dataset.annotations
    fields = {} if rows.extras is None else rows.extras[row]
    node = add(root, "object")
    add(node, "name", dataset.labels.names[rows.label[row]])
    add(node, "pose", fields["pose"] if _is_pose(fields) else "Unspecified")
    for name in _FLAGS:
        add(node, name, 1 if fields.get(name) is True or fields.get(name) == 1 else 0)
    x, y, width, height = rows.box[row].tolist()
    edges = add(node, "bndbox")
    first = 1 if one_based else 0
    add(edges, "xmin", x + first)
    add(edges, "ymin", y + first)
    add(edges, "xmax", x + width)
    add(edges, "ymax", y + height)
    others = {name: value for name, value in fields.items() if not _is_own(name, value, fields)}
    if others:
        attributes = add(node, "attributes")
        for name, value in others.items():
            attribute = add(attributes, "attribute")
            add(attribute, "name", name)
            add(attribute, "value", word_of(value))


def _is_pose(fields: dict[str, Any]) -> bool:
    pose = fields.get("pose")
    return isinstance(pose, str) and pose == pose.strip() and pose not in ("", "Unspecified")


def _is_own(name: str, value: Any, fields: dict[str, Any]) -> bool:
    """Whether a field has an element of its own."""
    return (name == "pose" and _is_pose(fields)) or (name in _FLAGS and value == 1)


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return [beyond(dataset.images.extras, ("split",), "image_attributes", "image"), file_names(dataset.images)]


FORMATS = {
    "voc": Format(
        name="voc",
        title="Pascal VOC: boxes as XML, also labelImg's, CVAT's, Roboflow's and V7's",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        picture_paths=lambda images: [f"JPEGImages/{safe_path(key)}" for key in images.keys],
        splits=_SPLITS,
        capabilities=Capabilities(
            attributes=True,
            empty_images=True,
            image_sizes=True,
            convention="edges in pixels, from 0 unless one_based says that they are the VOC challenges' from 1",
            index_base="pixels from 0, or from 1 with one_based",
            specification="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf",
        ),
    ),
}
"""Formats of this module."""
