"""Pictures of objects: a PNG of 16 bits for each image, whose numbers say label and object.

Four codings are known:

- ``cityscapes`` (``..._gtFine_instanceIds.png``): label × 1000 + object; a number below 1000 is that of a label;
- ``kitti`` (a folder ``instance``): label × 256 + object, object 0 is none;
- ``mapillary`` (a folder ``instances`` below a ``config.json``): label × 256 + object, from 0;
- ``two-channel`` (panopticapi, pictures in colour): red is the id of the label, green the object, 255 a crowd; `labels`
  with their ids are to be given.

Where a label's number comes without an object, its pixels are one annotation: that of a surface such as road, or of
objects that nobody told apart, which is read as crowd where the label is one of Cityscapes' with objects. Pixels of
background and void are noted. Numbers of labels are Cityscapes', or those of Mapillary's configuration, or of `labels`
in order from 0.

What is written has ``instances/`` and ``instance_masks.json``, which names the coding and the labels, from 1; there all
numbers without an object are crowds. Where masks overlap, the later annotation has the pixel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.canvas import (
    drawn_masks,
    masks_by_number,
    paint_losses,
    painted,
    read_index,
    void_labels,
    write_png,
)
from rapideval.formats.common.documents import json_of, laid, paths_of
from rapideval.formats.common.labelmap import LabelMap, mapillary_above, mapillary_config, preset_of
from rapideval.formats.common.losses import file_names
from rapideval.formats.common.names import file_stems
from rapideval.formats.common.nodes import decoded, guarded
from rapideval.formats.common.textfiles import suffixes_of
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_OWN = "instance_masks.json"
_PNG = (".png",)
_TWO = "two-channel"
_NAMED = re.compile(r"_gt(?:Fine|Coarse)_instanceIds$")
_THINGS = frozenset(
    ("person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
)  # the labels of Cityscapes that have objects


class _Coding(NamedTuple):
    """How a number says label and object: numbers below the divisor may be labels, an object may be none."""

    divisor: int
    below: bool
    none: int | None

    def parts(self, number: int) -> tuple[int, int | None]:
        """Label and object of a number; None for no object."""
        if self.below and number < self.divisor:
            return number, None
        label, thing = divmod(number, self.divisor)
        return label, None if thing == self.none else thing

    def group(self, label: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of labels without an object."""
        return label if self.below else label * self.divisor


_CODINGS = {
    "cityscapes": _Coding(1000, below=True, none=None),
    "kitti": _Coding(256, below=False, none=0),
    "mapillary": _Coding(256, below=False, none=None),
    _TWO: _Coding(256, below=False, none=255),
}
_WRITTEN = ("cityscapes", "kitti")


class _Layout(NamedTuple):
    """Pictures of a folder, the folder that their names are told from, and their coding where names tell it."""

    root: Path
    files: Sequence[Path]
    coding: str | None


def _layout(folder: Path, pattern: str | None) -> _Layout:
    if pattern is not None:
        return _Layout(folder, sorted(folder.glob(pattern)), None)
    if (folder / _OWN).is_file():
        return _Layout(folder / "instances", paths_of(folder / "instances", _PNG), None)
    found = paths_of(folder, _PNG)
    named = [path for path in found if _NAMED.search(path.stem)]
    if named:
        return _Layout(folder, named, "cityscapes")
    roots = _folders(folder)
    if len(roots) > 1:
        listed = ", ".join(str(root.relative_to(folder)) for root in roots[:5])
        raise FormatError(
            Problem("mask-folders", str(folder), f"several folders of pictures: {listed}", "one", "name one of them")
        )
    for root in roots:
        return _Layout(root, paths_of(root, _PNG), "kitti" if root.name == "instance" else "mapillary")
    return _Layout(folder, found, None)


def _folders(folder: Path) -> list[Path]:
    """Folders that KITTI and Mapillary have such pictures in: the folder itself, or three levels below it."""
    if folder.name in ("instance", "instances"):
        return [folder]
    below = [
        path for name in ("instance", "instances") for level in ("", "*/", "*/*/") for path in folder.glob(level + name)
    ]
    return sorted(path for path in below if path.is_dir())


def _sniff(source: Source) -> Guess | None:
    if not source.is_folder or source.path is None:
        return None
    if (source.path / _OWN).is_file():
        return Guess(1, f"a folder with {_OWN}")
    if any(_NAMED.search(path.stem) for path in paths_of(source, _PNG, 400)):
        return Guess(1, "pictures named as Cityscapes names those of objects")
    for root in _folders(source.path):
        first = paths_of(root, _PNG, 1)
        if first and _is_deep(first[0]) and (root.name == "instance" or mapillary_above(root) is not None):
            return Guess(0.9, f"pictures of 16 bits in a folder {root.name}")
    return None


def _is_deep(path: Path) -> bool:
    """Whether a PNG's head says 16 bits."""
    with path.open("rb") as file:
        return file.read(25)[24:] == b"\x10"


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    coding: str | None = None,
    masks: str | None = None,
) -> Dataset:
    """Read a folder.

    Parameters
    ----------
    source
        The folder.
    images
        They stand before those of the folder.
    labels
        Names of the numbers of labels, from 0, where they are not those of the dataset; two channels have their ids.
    coding
        ``cityscapes``, ``kitti``, ``mapillary`` or ``two-channel``, where names of files and folders do not say it.
    masks
        Which files are the pictures, as a pattern: ``**/*_instances.png``.
    """
    if not source.is_folder or source.path is None:
        raise FormatError(Problem("mask-folder", source.name, "no folder", "a folder of pictures of objects"))
    layout = _layout(source.path, masks)
    if not layout.files:
        raise FormatError(Problem("folder-empty", source.name, "no PNG", "pictures of objects"))
    report = Report(source.name)
    own = source.path / _OWN
    groups: frozenset[str] | None = None
    if own.is_file():
        coding, known = _document(own, report)
    else:
        coding = coding or layout.coding
        if coding not in _CODINGS:
            found = "coding: nothing says it" if coding is None else f"coding={coding!r}"
            raise UsageError(f"{found}: one of {', '.join(_CODINGS)}")
        known = _label_map(layout.root, coding, labels)
        groups = None if coding == _TWO else _THINGS
    gathered = Gathered(report, images, labels)
    for name in known.objects:
        gathered.label(name)
    void = 0
    for path in layout.files:
        void += _picture(path, layout.root, coding, known, groups, gathered)
    if void:
        report.note("mask-void", f"{void:,} pixels of background or void: of no label", count=void)
    return gathered.dataset()


def _document(path: Path, report: Report) -> tuple[str, LabelMap]:
    """Coding and labels, as we write them."""
    inner = report.within(str(path))
    coding, names = "", {}
    with guarded():
        root = decoded(Source(path), inner)
        node = root["coding"]
        coding = node.text()
        if coding not in _WRITTEN:
            node.refuse("mask-coding", repr(coding), f"one of {', '.join(_WRITTEN)}")
        for key, name in root["label_map"].entries():
            if not re.fullmatch(r"\d{1,9}", key):
                name.refuse("label-map", repr(key), "the number of a label")
            names[int(key)] = name.text()
    report.close()
    return coding, LabelMap(names)


def _label_map(root: Path, coding: str, labels: Labels | None) -> LabelMap:
    if coding == _TWO:
        if labels is None or labels.ids is None:
            raise UsageError("two channels have ids of labels: give labels with ids (labels)")
        return LabelMap({0: "void"} | dict(zip(labels.ids.tolist(), labels.names, strict=True)))
    if labels is not None:
        return LabelMap(dict(enumerate(labels.names)))
    if coding != "mapillary":
        return preset_of("cityscapes")
    path = mapillary_above(root)
    if path is None:
        hint = "name them in order from 0 (labels)"
        raise FormatError(Problem("label-map", str(root), "no config.json above", "Mapillary's names of labels", hint))
    return mapillary_config(path)


def _picture(path: Path, root: Path, name: str, known: LabelMap, groups: frozenset[str] | None, found: Gathered) -> int:
    """Read a picture; how many of its pixels are of no label."""
    coding = _CODINGS[name]
    numbers = read_index(path, colours=name == _TWO)
    if name == _TWO:
        if numbers.ndim != 3:
            raise FormatError(Problem("mask-image", str(path), "a PNG of one channel", "a PNG in colour"))
        numbers = numbers[..., 0].astype(np.int64) * coding.divisor + numbers[..., 1]
    height, width = (int(side) for side in numbers.shape)
    stem = path.relative_to(root).with_suffix("").as_posix()
    place = found.image(_NAMED.sub("", stem), (height, width))
    report = found.report.within(str(path))
    held, masks = masks_by_number(numbers)
    void = 0
    segments = [(*coding.parts(number), row) for row, number in enumerate(held.tolist())]
    for label, thing, row in sorted(segments, key=lambda segment: (segment[0], segment[1] or 0, segment[2])):
        number, count = int(held[row]), int(masks.area[row])
        if known.is_void(label):
            void += count
        elif label not in known.names:
            what = f"{count:,} pixels of the number {number}, of a label {label}"
            report.refuse("mask-number", "", what + " that there is not", "numbers of the labels")
        else:
            called = known.names[label]
            crowd = thing is None and (groups is None or called in groups)
            at = Place(str(path), "number {row}", number)
            found.add(place, found.label(called), mask=masks.take(slice(row, row + 1)), crowd=crowd, at=at)
    return void


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path, *, coding: str | None = None) -> None:
    """Write a folder.

    Parameters
    ----------
    dataset, folder
        What, and where.
    coding
        ``cityscapes`` (65 labels, 999 objects of one in an image) or ``kitti`` (255 labels, 255 objects); the first
        of the two that holds all where not given.
    """
    from PIL import Image

    name, numbers = _numbers(dataset, coding)
    pictures = painted(dataset, drawn_masks(dataset), numbers)
    for stem, picture in zip(file_stems(dataset.images), pictures, strict=True):
        write_png(folder, f"instances/{stem}.png", Image.fromarray(picture.astype(np.uint16)))
    names = {"0": "background"} | {str(place + 1): label for place, label in enumerate(dataset.labels.names)}
    with laid(folder, _OWN) as stream:
        stream.write(json_of({"coding": name, "label_map": names}))


def _numbers(dataset: Dataset, coding: str | None) -> tuple[str, npt.NDArray[np.int64]]:
    """The coding, and the number of each annotation in it."""
    rows = dataset.annotations
    label = rows.label.astype(np.int64) + 1
    things = np.where(rows.crowd, 0, _ranks(_pairs(dataset), ~rows.crowd))
    wanted = _WRITTEN if coding is None else (coding,)
    for name in wanted:
        if name not in _WRITTEN:
            raise UsageError(f"coding={name!r}: {' or '.join(_WRITTEN)}")
        chosen = _CODINGS[name]
        numbers = np.where(rows.crowd, chosen.group(label), label * chosen.divisor + things)
        fits = int(things.max(initial=0)) < chosen.divisor and int(numbers.max(initial=0)) < 1 << 16
        if fits and len(dataset.labels) * chosen.divisor < 1 << 16:
            return name, numbers
    most = int(things.max(initial=0))
    raise UsageError(
        f"{len(dataset.labels)} labels, and {most} objects of one label in an image: "
        f"16 bits do not hold them ({' and '.join(wanted)})"
    )


def _pairs(dataset: Dataset) -> npt.NDArray[np.int64]:
    """A number for each image with each label."""
    pairs: npt.NDArray[np.int64] = (
        dataset.annotations.image.astype(np.int64) * len(dataset.labels) + dataset.annotations.label
    )
    return pairs


def _ranks(groups: npt.NDArray[np.int64], counted: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Place of each row among the rows of its group that are counted, from 1."""
    ranks = np.zeros(len(groups), np.int64)
    rows = np.flatnonzero(counted)
    order = rows[np.argsort(groups[rows], kind="stable")]
    _, first, lengths = np.unique(groups[order], return_index=True, return_counts=True)
    ranks[order] = np.arange(1, len(order) + 1) - np.repeat(first, lengths)
    return ranks


def _losses(dataset: Dataset, **_: object) -> list[Loss]:
    crowds = _pairs(dataset)[dataset.annotations.crowd]
    joined = len(crowds) - len(np.unique(crowds))
    return [
        *paint_losses(dataset),
        void_labels(dataset),
        Loss("instances", joined, f"which crowd is which: {plural(joined, 'crowd')} joined to others of its label"),
        suffixes_of(dataset.images),
        file_names(dataset.images),
    ]


FORMATS = {
    "instance-masks": Format(
        name="instance-masks",
        title="Pictures of labels and objects: also Cityscapes' instanceIds, KITTI, Mapillary",
        suffixes=_PNG,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            crowd=True,
            empty_images=True,
            image_sizes=True,
            unused_labels=True,
            label_order=True,
            convention="a number a pixel",
            index_base="labels written from 1, 0 is background; objects from 1; read as the coding says",
            specification="https://github.com/mcordts/cityscapesScripts",
        ),
    ),
}
"""Formats of this module."""
