"""Pascal VOC's pictures of masks: ``SegmentationClass`` and ``SegmentationObject``, a PNG each for each image.

In the second each object has a number of its own, in the first the number, or colour, of its label. ``labelmap.txt``
(CVAT) names numbers and colours; without it they are those of VOC's twenty labels, or of `labels` in order from 0.
Number 255 (VOC's pale border) is of no object.

Written are both pictures, in VOC's palette, ``labelmap.txt`` and ``ImageSets/Segmentation/default.txt``. Where masks
overlap, the later annotation has the pixel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.canvas import (
    drawn_masks,
    index_png,
    paint_losses,
    painted,
    read_index,
    void_labels,
    write_png,
)
from rapideval.formats.common.documents import laid, paths_of
from rapideval.formats.common.labelmap import LabelMap, label_map_of, palette, preset_of
from rapideval.formats.common.losses import file_names
from rapideval.formats.common.names import file_stems
from rapideval.formats.common.textfiles import suffixes_of
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_CLASS, _OBJECT = "SegmentationClass", "SegmentationObject"
_BORDER = 255
_MOST = 254


def _sniff(source: Source) -> Guess | None:
    if (
        source.is_folder
        and source.path is not None
        and all((source.path / name).is_dir() for name in (_CLASS, _OBJECT))
    ):
        boxes = (source.path / "Annotations").is_dir()
        return Guess(0.8 if boxes else 1, f"the folders {_CLASS} and {_OBJECT}")
    return None


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a folder; images given stand before its own, labels name numbers from 0 where no ``labelmap.txt`` does."""
    if not source.is_folder or source.path is None or not (source.path / _OBJECT).is_dir():
        raise FormatError(Problem("mask-folder", source.name, f"no {_OBJECT}", f"a folder with {_CLASS} and {_OBJECT}"))
    report = Report(source.name)
    known = label_map_of(source.path, labels, None) or preset_of("voc")
    found = Gathered(report, images, labels)
    for label in known.objects:
        found.label(label)
    for path in paths_of(source.path / _OBJECT, (".png",)):
        name = path.relative_to(source.path / _OBJECT)
        _picture(path, source.path / _CLASS / name, name.with_suffix("").as_posix(), known, found)
    return found.dataset()


def _picture(objects: Path, classes: Path, name: str, known: LabelMap, found: Gathered) -> None:
    instance = _codes(read_index(objects, colours=True))
    pixels = read_index(classes, colours=True)
    numbers = known.numbers_of(pixels) if pixels.ndim == 3 else pixels.astype(np.int64)
    report = found.report.within(str(objects))
    height, width = (int(side) for side in numbers.shape)
    if instance.shape != numbers.shape:
        report.refuse("image-size", "", f"{instance.shape[1]} × {instance.shape[0]} pixels",
                      f"{width} × {height}, as {classes} has")  # fmt: skip
        return
    place = found.image(name, (height, width))
    for row, code in enumerate(np.unique(instance).tolist()):
        if code in (0, _BORDER):
            continue
        mask = instance == code
        held, counts = np.unique(numbers[mask], return_counts=True)
        number = int(held[counts.argmax()])
        if len(held) > 1:
            expected = "the same label in all pixels of an object"
            report.refuse("mask-label", f"object {row}", f"pixels of {len(held)} labels", expected)
        elif number not in known.names or known.is_void(number):
            report.refuse("mask-number", f"object {row}", "pixels of a number that no label has", "a label's number")
        else:
            at = Place(str(objects), "object {row}", row)
            found.add(place, found.label(known.names[number]), mask=Masks.from_dense(mask), at=at)


def _codes(pixels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """A number for each object: its own, or the place of its colour in VOC's palette, or the colour as a number."""
    if pixels.ndim == 2:
        return pixels.astype(np.int64)
    colours = {colour: number for number, colour in enumerate(palette(256))}
    flat = pixels.reshape(-1, 3).astype(np.int64)
    codes, places = np.unique((flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2], return_inverse=True)
    own = [colours.get((code >> 16, (code >> 8) & 255, code & 255), 256 + code) for code in codes.tolist()]
    numbers: npt.NDArray[np.int64] = np.array(own, np.int64)[places.reshape(-1)].reshape(pixels.shape[:2])
    return numbers


def _write(dataset: Dataset, folder: Path) -> None:
    """Write the pictures, ``labelmap.txt`` and the list of images."""
    rows = dataset.annotations
    masks = drawn_masks(dataset)
    if len(dataset.labels) > _MOST:
        raise UsageError(f"{len(dataset.labels)} labels: VOC's pictures hold {_MOST}")
    numbers = np.zeros(len(rows), np.int64)
    counts = np.zeros(len(dataset.images), np.int64)
    for row, image in enumerate(rows.image.tolist()):
        counts[image] += 1
        numbers[row] = counts[image]
    if len(counts) and counts.max() > _MOST:
        key = dataset.images.key(int(counts.argmax()))
        raise UsageError(f"image {key!r} has {counts.max()} annotations: VOC's pictures hold {_MOST}")
    labels = painted(dataset, masks, rows.label.astype(np.int64) + 1)
    objects = painted(dataset, masks, numbers)
    stems = file_stems(dataset.images)
    for stem, label, instance in zip(stems, labels, objects, strict=True):
        write_png(folder, f"{_CLASS}/{stem}.png", index_png(label))
        write_png(folder, f"{_OBJECT}/{stem}.png", index_png(instance))
    colours = palette(256)
    lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    for place, name in enumerate(dataset.labels.names):
        if ":" in name or name.startswith("#") or name != name.strip() or len(name.splitlines()) != 1:
            raise UsageError(f"the label {name!r}: labelmap.txt cannot hold it; rename it")
        lines.append(f"{name}:{','.join(map(str, colours[place + 1]))}::")
    with laid(folder, "labelmap.txt") as stream:
        stream.write("".join(f"{line}\n" for line in lines).encode())
    with laid(folder, "ImageSets/Segmentation/default.txt") as stream:
        stream.write("".join(f"{stem}\n" for stem in stems).encode())


def _losses(dataset: Dataset, **_: object) -> list[Loss]:
    return [
        *paint_losses(dataset),
        void_labels(dataset),
        suffixes_of(dataset.images),
        file_names(dataset.images),
    ]


FORMATS = {
    "voc-masks": Format(
        name="voc-masks",
        title="Pascal VOC: pictures of classes and of objects",
        suffixes=(".png",),
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            empty_images=True,
            image_sizes=True,
            unused_labels=True,
            label_order=True,
            convention="a number a pixel; 255 is a border of no object",
            index_base="labels and objects from 1, 0 is background",
            specification="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/devkit_doc.pdf",
        ),
    ),
}
"""Formats of this module."""
