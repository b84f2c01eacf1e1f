"""Pictures of class numbers: a PNG for each image, whose pixels are numbers or colours of labels.

The masks are in ``masks``, ``SegmentationClass``, ``labels``, ``...annot``, or are all PNGs of the folder; Cityscapes'
``_gtFine_labelIds`` and ``_labelTrainIds`` are known by name. What numbers and colours mean is said by
``dataset_meta.json`` (Datumaro), ``class_id_to_name.json``, ``labelmap.txt`` (CVAT), ``objectInfo150.txt`` (ADE20K) or
``config.json`` (Mapillary; above ``v1.2/labels`` too) beside them, by `labels` in the order of their numbers from 0, or
by `preset`. A label of an image is one annotation, with the mask of all its pixels. Background, void and 255 are none:
their pixels are noted.

What is written has ``masks/`` with palettes, numbers from 1, and ``dataset_meta.json``. Where masks overlap, the later
annotation has the pixel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.canvas import (
    drawn_masks,
    index_png,
    masks_by_number,
    paint_losses,
    painted,
    read_index,
    void_labels,
    write_png,
)
from rapideval.formats.common.documents import json_of, laid, paths_of
from rapideval.formats.common.labelmap import (
    LabelMap,
    label_map_of,
    mapillary_above,
    mapillary_config,
    palette,
    preset_of,
)
from rapideval.formats.common.losses import file_names
from rapideval.formats.common.names import file_stems
from rapideval.formats.common.textfiles import suffixes_of
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_FOLDERS = ("masks", "SegmentationClass", "labels", "semantic")
_PNG = (".png",)
_MAPS = ("dataset_meta.json", "class_id_to_name.json")


def _mask_files(folder: Path, pattern: str | None) -> tuple[Path, list[Path]]:
    """Mask pictures of a folder, and the folder that their names are told from."""
    if pattern is not None:
        return folder, sorted(folder.glob(pattern))
    for name in _FOLDERS:
        if (folder / name).is_dir():
            return folder / name, paths_of(folder / name, _PNG)
    found = paths_of(folder, _PNG)
    named = [path for path in found if re.search(r"_label(?:Train)?Ids\.png$", path.name)]
    annotated = [path for path in found if path.parent.name.endswith("annot")]
    return folder, named or annotated or found


def _sniff(source: Source) -> Guess | None:
    if not source.is_folder or source.path is None:
        return None
    folder = source.path
    if any((folder / name).is_file() for name in _MAPS) and _mask_files(folder, None)[1]:
        return Guess(1, "masks with a file that names their numbers")
    if any(re.search(r"_gtFine_label(?:Train)?Ids\.png$", path.name) for path in paths_of(source, _PNG, 400)):
        return Guess(1, "masks named as Cityscapes names them")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    preset: str | None = None,
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
        Names of the numbers, from 0, where no file of the folder says them.
    preset
        A dataset whose numbers are known: ``voc``, ``cityscapes``, ``cityscapes-train``, ``camvid``, ``coco-stuff``
        (the ids of the categories, 0 is unlabelled) or ``coco-stuff-maps`` (its pixel maps: ids less 1, 255 is
        unlabelled).
    masks
        Which files are masks, as a pattern: ``**/*_color.png``.
    """
    if not source.is_folder or source.path is None:
        raise FormatError(Problem("mask-folder", source.name, "no folder", "a folder of mask pictures"))
    report = Report(source.name)
    root, files = _mask_files(source.path, masks)
    if not files:
        raise FormatError(Problem("folder-empty", source.name, "no PNG", "pictures of masks"))
    known = label_map_of(source.path, labels, preset) or _by_names(files) or _above(root)
    if known is None:
        hint = "name them in order from 0 (labels), or a preset"
        raise FormatError(Problem("label-map", source.name, "nothing that names numbers", "a label map", hint))
    found = Gathered(report, images, labels)
    for name in known.objects:
        found.label(name)
    void = 0
    for path in files:
        void += _picture(path, root, known, found)
    if void:
        report.note("mask-void", f"{void:,} pixels of background or void: of no label", count=void)
    return found.dataset()


def _by_names(files: Sequence[Path]) -> LabelMap | None:
    names = {("cityscapes-train" if "TrainIds" in path.name else "cityscapes") for path in files if "Ids" in path.name}
    return preset_of(names.pop()) if len(names) == 1 else None


def _above(root: Path) -> LabelMap | None:
    """Mapillary's names, where the pictures are in its folders: ``v1.2/labels``."""
    path = mapillary_above(root) if root.name == "labels" and re.fullmatch(r"v\d+(\.\d+)*", root.parent.name) else None
    return None if path is None else mapillary_config(path)


def _picture(path: Path, root: Path, known: LabelMap, found: Gathered) -> int:
    """Read a picture; how many of its pixels are of no label."""
    pixels = read_index(path, colours=bool(known.colours))
    numbers = known.numbers_of(pixels) if pixels.ndim == 3 else pixels.astype(np.int64)
    height, width = (int(side) for side in numbers.shape)
    stem = path.relative_to(root).with_suffix("").as_posix()
    name = re.sub(r"_gtFine_label(?:Train)?Ids$", "", stem)
    place = found.image(name, (height, width))
    void = 0
    report = found.report.within(str(path))
    held, masks = masks_by_number(numbers)
    for row, (number, count) in enumerate(zip(held.tolist(), masks.area.tolist(), strict=True)):
        if known.is_void(number):
            void += count
        elif number not in known.names:
            what = f"{count:,} pixels of " + (f"the number {number}" if number >= 0 else "a colour")
            report.refuse("mask-number", "", what + " that no label has", "numbers of the label map")
        else:
            at = Place(str(path), "number {row}", number)
            found.add(place, found.label(known.names[number]), mask=masks.take(slice(row, row + 1)), at=at)
    return void


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path) -> None:
    """Write ``masks/`` and ``dataset_meta.json``."""
    masks = drawn_masks(dataset)
    pictures = painted(dataset, masks, dataset.annotations.label.astype(np.int64) + 1)
    for stem, picture in zip(file_stems(dataset.images), pictures, strict=True):
        write_png(folder, f"masks/{stem}.png", index_png(picture))
    names = {"0": "background"} | {str(place + 1): name for place, name in enumerate(dataset.labels.names)}
    colours = palette(256)
    document = {"label_map": names, "segmentation_colors": [colours[place % 256] for place in range(len(names))]}
    with laid(folder, "dataset_meta.json") as stream:
        stream.write(json_of(document))


def _losses(dataset: Dataset, **_: object) -> list[Loss]:
    pairs = dataset.annotations.image.astype(np.int64) * (len(dataset.labels) + 1) + dataset.annotations.label
    merged = len(pairs) - len(np.unique(pairs))
    return [
        *paint_losses(dataset),
        void_labels(dataset),
        Loss(
            "instances", merged, f"which object is which: {plural(merged, 'annotation')} joined to others of its label"
        ),
        suffixes_of(dataset.images),
        file_names(dataset.images),
    ]


FORMATS = {
    "class-masks": Format(
        name="class-masks",
        title="Pictures of class numbers: also Cityscapes, CamVid, ADE20K, Mapillary, VOC",
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
            convention="a number a pixel",
            index_base="written from 1, 0 is background; read as the label map says",
            specification="https://www.cityscapes-dataset.com/dataset-overview/",
        ),
    ),
}
"""Formats of this module."""
