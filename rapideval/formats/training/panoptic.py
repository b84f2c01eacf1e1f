"""COCO panoptic: a JSON document of segments, and a PNG for each image in which each segment has a number.

The number of a segment is ``red + 256 green + 65536 blue`` of its pixels; ``segments_info`` gives its label, box and
crowd flag. Pixels of number 0 are of no segment. The pictures are in a folder that has the document's name, beside the
document, or where `masks` says. ``isthing`` and ``color`` of categories are kept as further fields.

What is written is a folder with ``panoptic.json`` and ``panoptic/``. Where masks overlap, the later annotation has the
pixel; one that is covered entirely is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.canvas import drawn_masks, masks_by_number, paint_losses, painted, read_index, write_png
from rapideval.formats.common.documents import json_of, laid, paths_of
from rapideval.formats.common.names import file_stems
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape, mentions
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

SEGMENTS = b'"segments_info"'
_SUFFIXES = (".json",)
_LABEL = ("id", "name", "supercategory")


def _sniff(source: Source) -> Guess | None:
    document = _document(source)
    if document is None:
        return None
    shape = json_shape(document)
    if "segments_info" in shape.get("$.annotations[]", ()):
        return Guess(1, "a JSON object whose annotations have segments_info")
    keys = shape.get("$", set())
    if {"images", "annotations"} <= keys and mentions(document, SEGMENTS):
        return Guess(1, "a JSON object whose annotations have segments_info")
    return None


def _document(source: Source) -> Source | None:
    """The document itself, or the first of a folder that has segments."""
    if not source.is_folder:
        return source if source.suffix in ("", *_SUFFIXES) else None
    return next(_documents(source), None)


def _documents(source: Source) -> Iterator[Source]:
    """Documents of a folder that have segments."""
    assert source.path is not None
    for path in paths_of(source, _SUFFIXES, 50):
        if mentions(Source(path), SEGMENTS):
            yield Source(path)


def _refuse_several(names: list[str], folder: str) -> None:
    if len(names) > 1:
        listed = f"{len(names)} documents with segments: {', '.join(names[:5])}"
        raise FormatError(Problem("panoptic-documents", folder, listed, "one", "name one of them"))


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source, *, images: Images | None = None, labels: Labels | None = None, masks: str | None = None
) -> Dataset:
    """Read a document with its pictures.

    Parameters
    ----------
    source
        The document, or the folder that it is in.
    images, labels
        They stand before those of the document.
    masks
        The folder of the pictures, where it has not the document's name.
    """
    document = _document(source)
    if document is None or document.path is None:
        raise FormatError(
            Problem("panoptic-document", source.name, "no document with segments", "a file, or its folder")
        )
    if source.is_folder:
        _refuse_several([some.name for some in _documents(source)], source.name)
    named = document.path.with_suffix("")
    folder = Path(masks) if masks else named if named.is_dir() else document.path.parent
    found = Gathered(Report(document.name), images, labels)
    root = decoded(document, found.report)
    with guarded():
        names = _categories(root, found)
        places = _images(root, found)
        for annotation in root["annotations"]:
            with guarded():
                _picture(annotation, folder, names, places, found)
    info = root.rest("images", "annotations", "categories") if isinstance(root.value, dict) else {}
    return found.dataset(info)


def _categories(root: Node, found: Gathered) -> dict[int, int]:
    places = {}
    for entry in root["categories"]:
        number = entry["id"].whole()
        supercategory = entry["supercategory"].text() if "supercategory" in entry else None
        places[number] = found.label(
            entry["name"].text(), id=number, supercategory=supercategory, extras=entry.rest(*_LABEL)
        )
    return places


def _images(root: Node, found: Gathered) -> dict[Any, int]:
    places = {}
    for entry in root["images"]:
        size = (entry["height"].size(), entry["width"].size()) if "height" in entry and "width" in entry else None
        number = entry["id"].value
        extras = entry.rest("id", "file_name", "height", "width")
        own = entry["id"].whole() if isinstance(number, int) else None
        places[number if isinstance(number, int | str) else None] = found.image(
            entry["file_name"].text(), size, id=own, extras=extras
        )
    return places


def _picture(annotation: Node, folder: Path, names: dict[int, int], places: dict[Any, int], found: Gathered) -> None:
    key = annotation["image_id"].value
    place = places.get(key) if isinstance(key, int | str) else None
    if place is None:
        annotation["image_id"].refuse("image-unknown", repr(key), "the id of an image of the document")
    path = folder / annotation["file_name"].text()
    if folder.resolve() not in path.resolve().parents:
        annotation["file_name"].refuse("mask-missing", "a path that leads out of the folder", "a file in it")
    pixels = read_index(path, colours=True)
    if pixels.ndim != 3:
        raise FormatError(Problem("mask-image", str(path), "a PNG of one channel", "a PNG in colour"))
    colour = pixels.astype(np.int64)
    numbers = colour[..., 0] + 256 * colour[..., 1] + 65536 * colour[..., 2]
    height, width = (int(side) for side in numbers.shape)
    found.size(place, (height, width), str(path))
    held, masks = masks_by_number(numbers)
    codes = {code: row for row, code in enumerate(held.tolist())}
    taken = {0}
    for segment in annotation["segments_info"]:
        with guarded():
            number = segment["id"].whole(1)
            taken.add(number)
            if number not in codes:
                segment["id"].refuse("panoptic-segment", str(number), f"a number that pixels of {path.name} have")
            category = segment["category_id"].whole()
            if category not in names:
                segment["category_id"].refuse("label-unknown", str(category), "the id of a category of the document")
            found.add(
                place,
                names[category],
                box=segment["bbox"].numbers(4) if segment.get("bbox") and segment["bbox"].items() else None,
                mask=masks.take(slice(codes[number], codes[number] + 1)),
                crowd=segment["iscrowd"].flag() if "iscrowd" in segment else None,
                extras=segment.rest("id", "category_id", "bbox", "iscrowd", "area"),
                at=segment.place,
            )
    rest = sorted(codes.keys() - taken)
    if rest:
        expected = "a segment for each number of the picture"
        annotation.refuse("panoptic-segment", f"pixels of the number {rest[0]}, of {len(rest)} such", expected)


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path) -> None:
    """Write ``panoptic.json`` and ``panoptic/``."""
    from PIL import Image

    rows = dataset.annotations
    masks = drawn_masks(dataset)
    pictures = painted(dataset, masks, np.arange(1, len(rows) + 1))
    label_ids = _ids(dataset.labels.ids, len(dataset.labels))
    image_ids = _ids(dataset.images.ids, len(dataset.images))
    stems = file_stems(dataset.images)
    annotations = []
    for place, picture in enumerate(pictures):
        colour = np.stack([picture & 255, (picture >> 8) & 255, picture >> 16], axis=2).astype(np.uint8)
        write_png(folder, f"panoptic/{stems[place]}.png", Image.fromarray(colour))
        segments = [
            _segment(dataset, int(number) - 1, picture == number, label_ids) for number in np.unique(picture) if number
        ]
        name = str(PurePosixPath(stems[place] + ".png"))
        annotations.append({"image_id": image_ids[place], "file_name": name, "segments_info": segments})
    images = []
    for image in dataset.images:
        extras = {} if dataset.images.extras is None else dataset.images.extras[image.index]
        entry = {"id": image_ids[image.index], "file_name": image.key, "width": image.width, "height": image.height}
        images.append(extras | entry)
    categories = []
    for label in dataset.labels:
        extras = {} if dataset.labels.extras is None else dataset.labels.extras[label.index]
        named = {"id": label_ids[label.index], "name": label.name}
        if label.supercategory is not None:
            named["supercategory"] = label.supercategory
        categories.append({"isthing": 1} | extras | named)
    document = dataset.info | {"images": images, "annotations": annotations, "categories": categories}
    with laid(folder, "panoptic.json") as stream:
        stream.write(json_of(document))


def _ids(ids: npt.NDArray[np.int64] | None, count: int) -> list[int]:
    return list(range(1, count + 1)) if ids is None else ids.tolist()


def _segment(dataset: Dataset, row: int, mask: npt.NDArray[np.bool_], label_ids: list[int]) -> dict[str, Any]:
    rows = dataset.annotations
    ys, xs = np.nonzero(mask)
    box = [int(xs.min()), int(ys.min()), int(xs.max() - xs.min() + 1), int(ys.max() - ys.min() + 1)]
    extras = {} if rows.extras is None else rows.extras[row]
    return extras | {
        "id": row + 1,
        "category_id": label_ids[rows.label[row]],
        "area": int(mask.sum()),
        "bbox": box,
        "iscrowd": int(rows.crowd[row]),
    }


def _losses(dataset: Dataset, **_: object) -> list[Loss]:
    names = {"isthing", "color"}
    extras = dataset.labels.extras
    missing = 0 if extras is None else sum(1 for row in range(len(extras)) if not names & extras[row].keys())
    return [
        *paint_losses(dataset),
        Loss("isthing", missing, f"whether {plural(missing, 'label')} are things: written as things"),
    ]


FORMATS = {
    "coco-panoptic": Format(
        name="coco-panoptic",
        title="COCO panoptic: segments as JSON, their pixels as PNG",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            crowd=True,
            attributes=True,
            image_attributes=True,
            empty_images=True,
            image_ids=True,
            image_sizes=True,
            label_ids=True,
            unused_labels=True,
            label_order=True,
            supercategories=True,
            info=True,
            convention="a number a pixel; boxes x, y, width, height in pixels",
            index_base="ids as given; where they are made: from 1",
            specification="https://cocodataset.org/#format-data",
        ),
    ),
}
"""Formats of this module."""
