"""What the numbers or colours of mask pictures mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.common.coco_names import COCO_STUFF, COCO_THINGS
from rapideval.model import Labels

__all__ = ["PRESETS", "VOID", "LabelMap", "label_map_of", "mapillary_above", "mapillary_config", "palette", "preset_of"]

_CITYSCAPES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road", "sidewalk",
    "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole", "polegroup",
    "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus",
    "caravan", "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip
_TRAINED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
_VOC = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
_CAMVID = {
    "Void": (0, 0, 0), "Animal": (64, 128, 64), "Archway": (192, 0, 128), "Bicyclist": (0, 128, 192),
    "Bridge": (0, 128, 64), "Building": (128, 0, 0), "Car": (64, 0, 128), "CartLuggagePram": (64, 0, 192),
    "Child": (192, 128, 64), "Column_Pole": (192, 192, 128), "Fence": (64, 64, 128), "LaneMkgsDriv": (128, 0, 192),
    "LaneMkgsNonDriv": (192, 0, 64), "Misc_Text": (128, 128, 64), "MotorcycleScooter": (192, 0, 192),
    "OtherMoving": (128, 64, 64), "ParkingBlock": (64, 192, 128), "Pedestrian": (64, 64, 0), "Road": (128, 64, 128),
    "RoadShoulder": (128, 128, 192), "Sidewalk": (0, 0, 192), "SignSymbol": (192, 128, 128), "Sky": (128, 128, 128),
    "SUVPickupTruck": (64, 128, 192), "TrafficCone": (0, 0, 64), "TrafficLight": (0, 64, 64), "Train": (192, 64, 128),
    "Tree": (128, 128, 0), "Truck_Bus": (192, 128, 192), "Tunnel": (64, 0, 64), "VegetationMisc": (192, 192, 0),
    "Wall": (64, 192, 0),
}  # fmt: skip
VOID = ("void", "unlabeled", "background", "_background_")
"""Names, in lower case, of what is no label."""


PRESETS = ("voc", "cityscapes", "cityscapes-train", "camvid", "coco-stuff", "coco-stuff-maps")
"""Datasets whose numbers and colours are known here; their sources are the datasets' own pages."""

_Pixels = npt.NDArray[Any]


@dataclass
class LabelMap:
    """Names of numbers, and numbers of colours.

    Attributes
    ----------
    names
        Name of each number; one that is background or void has none of the annotations.
    colours
        Number of each colour (red, green, blue).
    border
        Number of pixels that are of no label, where it has no name; None where there is none such.
    """

    names: dict[int, str]
    colours: dict[tuple[int, int, int], int] = field(default_factory=dict)
    border: int | None = 255

    def is_void(self, number: int) -> bool:
        """Whether a number stands for no object."""
        return self.names[number].lower() in VOID if number in self.names else number == self.border

    @property
    def objects(self) -> list[str]:
        """Names of the labels that are no background or void, in the order of their numbers in the map."""
        return [name for number, name in self.names.items() if not self.is_void(number)]

    def numbers_of(self, pixels: _Pixels) -> _Pixels:
        """Numbers (H, W) of a picture of colours (H, W, 3); -1 for a colour that is none."""
        flat = pixels[..., :3].reshape(-1, 3).astype(np.int64)
        codes = (flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]
        found, places = np.unique(codes, return_inverse=True)
        known = [self.colours.get((code >> 16, (code >> 8) & 255, code & 255), -1) for code in found.tolist()]
        numbers: _Pixels = np.array(known, np.int64)[places.reshape(-1)].reshape(pixels.shape[:2])
        return numbers


def palette(count: int) -> list[tuple[int, int, int]]:
    """Colours of numbers as Pascal VOC has them: bits of the number, spread over red, green and blue from the top.

    Examples
    --------
    >>> palette(4)
    [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    """
    colours = []
    for number in range(count):
        channels = [0, 0, 0]
        left = number
        for bit in range(7, -1, -1):
            for channel in range(3):
                channels[channel] |= ((left >> channel) & 1) << bit
            left >>= 3
        colours.append((channels[0], channels[1], channels[2]))
    return colours


def preset_of(name: str) -> LabelMap:
    """Numbers and colours of a published dataset; UsageError where it is none of `PRESETS`."""
    if name == "voc":
        return LabelMap(dict(enumerate(_VOC)), {colour: n for n, colour in enumerate(palette(len(_VOC)))})
    if name == "cityscapes":
        return LabelMap(dict(enumerate(_CITYSCAPES)))
    if name == "cityscapes-train":
        return LabelMap({n: _CITYSCAPES[number] for n, number in enumerate(_TRAINED)} | {len(_TRAINED): "void"})
    if name == "camvid":
        return LabelMap(dict(enumerate(_CAMVID)), {colour: n for n, colour in enumerate(_CAMVID.values())})
    things_and_stuff = (*COCO_THINGS, *COCO_STUFF)
    if name == "coco-stuff":  # the ids of the categories; 255 would say that the numbers are those of the maps
        return LabelMap({0: "unlabeled"} | dict(enumerate(things_and_stuff, 1)), border=None)
    if name == "coco-stuff-maps":
        return LabelMap(dict(enumerate(things_and_stuff[:-1])))
    raise UsageError(f"preset={name!r}: one of {', '.join(PRESETS)}")


def label_map_of(folder: Path, labels: Labels | None, preset: str | None) -> LabelMap | None:
    """What numbers mean: as given, as a file of the folder says, or None.

    Parameters
    ----------
    folder
        Looked at for ``dataset_meta.json``, ``class_id_to_name.json``, ``labelmap.txt``, ``objectInfo150.txt`` and
        Mapillary's ``config.json``.
    labels
        Names of the numbers from 0.
    preset
        One of `PRESETS`.
    """
    if preset is not None:
        return preset_of(preset)
    for name, read in _FILES.items():
        for path in sorted(folder.glob(name)):
            return read(path)
    return None if labels is None else LabelMap(dict(enumerate(labels.names)))


def _json(path: Path) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FormatError(Problem("json-syntax", str(path), str(error), "a JSON object")) from None
    if not isinstance(document, dict):
        raise FormatError(Problem("label-map", str(path), "no object", "names of numbers"))
    return document


def _meta(path: Path) -> LabelMap:
    """Read what Datumaro writes: ``label_map`` and ``segmentation_colors``."""
    document = _json(path)
    names = _numbered(document.get("label_map"), path)
    colours = document.get("segmentation_colors") or []
    try:
        return LabelMap(names, {(int(r), int(g), int(b)): n for n, (r, g, b) in zip(names, colours, strict=False)})
    except (TypeError, ValueError):
        found = "segmentation_colors that are none"
        raise FormatError(Problem("label-map", str(path), found, "red, green, blue of each label")) from None


def _numbered(names: Any, path: Path) -> dict[int, str]:
    if isinstance(names, dict) and all(re.fullmatch(r"\d{1,9}", key) for key in names):
        return {int(key): str(name) for key, name in names.items()}
    raise FormatError(Problem("label-map", str(path), "no mapping of numbers", 'names of numbers: {"0": "background"}'))


def _classes(path: Path) -> LabelMap:
    return LabelMap(_numbered(_json(path), path))


def _labelmap(path: Path) -> LabelMap:
    """Read what CVAT writes: ``name:r,g,b:parts:actions``."""
    names: dict[int, str] = {}
    colours: dict[tuple[int, int, int], int] = {}
    for number, line in enumerate(_lines(path), 1):
        words = line.split(":")
        colour = re.fullmatch(r"(\d+),(\d+),(\d+)", words[1].strip()) if len(words) > 1 else None
        if colour is None:
            raise FormatError(
                Problem("label-map", f"{path}: line {number}", repr(line), "name:red,green,blue:parts:actions")
            )
        colours[int(colour[1]), int(colour[2]), int(colour[3])] = len(names)
        names[len(names)] = words[0]
    return LabelMap(names, colours)


def _ade(path: Path) -> LabelMap:
    """Read the names of ADE20K's scene parsing: a table with ``Idx`` and ``Name``; number 0 is what has none."""
    names = {0: "void"}
    for line in _lines(path)[1:]:
        words = line.split("\t")
        if not words[0].strip().isdigit():
            raise FormatError(Problem("label-map", str(path), repr(line), "a number, and a name at the end"))
        names[int(words[0])] = words[-1].strip()
    return LabelMap(names)


def mapillary_above(root: Path) -> Path | None:
    """Mapillary's file that names labels: above its folders, one for each version."""
    version = root.parent.name if re.fullmatch(r"v\d+(\.\d+)*", root.parent.name) else None
    names = [f"config_{version}.json", "config.json"] if version else ["config.json"]
    places = [root, *root.resolve().parents[:4]]
    return next((place / name for name in names for place in places if (place / name).is_file()), None)


def mapillary_config(path: Path) -> LabelMap:
    """Read the names in Mapillary's configuration, in the order of their numbers."""
    listed = _json(path).get("labels")
    if not isinstance(listed, list) or not all(isinstance(entry, dict) and "name" in entry for entry in listed):
        raise FormatError(Problem("label-map", str(path), "no list of labels", "labels with names"))
    return LabelMap({n: str(entry["name"]) for n, entry in enumerate(listed)})


def _lines(path: Path) -> Sequence[str]:
    text = path.read_text("utf-8", "replace")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


_FILES = {
    "dataset_meta.json": _meta,
    "class_id_to_name.json": _classes,
    "labelmap.txt": _labelmap,
    "objectInfo150.txt": _ade,
    "config*.json": mapillary_config,
}
