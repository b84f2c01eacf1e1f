"""The layouts of YOLO folders: where classes, images and labels are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from rapideval.errors import FormatError, Problem
from rapideval.formats.common.documents import paths_of
from rapideval.formats.common.names import PICTURES
from rapideval.formats.common.pictures import picture_beside
from rapideval.formats.files import Source
from rapideval.formats.registry import Guess

__all__ = ["SPLITS", "Item", "Layout", "layout_of", "sniff"]

SPLITS = {"train": "train", "val": "val", "valid": "val", "test": "test", "minival": "minival"}
"""Keys of data.yaml that are splits, and what we call them."""

_NAME_FILES = ("classes.txt", "obj.names", "predefined_classes.txt", "_darknet.labels")
_ROW = re.compile(rb"\s*\d+(?:\s+[-+.\deE]+){4,}\s*$")
_TEXT = (".txt",)


@dataclass(frozen=True, slots=True)
class Item:
    """An image: its name, its label file, its own file; one of the files may not be there."""

    name: str
    label_file: Path | None
    picture: Path | None
    split: str | None = None


@dataclass(slots=True)
class Layout:
    """What a folder says.

    Attributes
    ----------
    names
        Of the classes, in order; None where nothing says them.
    missing
        Splits that are named but not there, and where they should be.
    keypoints
        Numbers that keypoints take after a box, and how many belong to each.
    """

    items: list[Item] = field(default_factory=list)
    names: list[str] | None = None
    missing: list[tuple[str, str]] = field(default_factory=list)
    keypoints: tuple[int, int] | None = None


def sniff(source: Source, writes: str) -> Guess | None:
    """Whether a source is a YOLO folder, and whose of the YOLO formats: by the first line that tells."""
    if not source.is_folder:
        if source.suffix in (".yaml", ".yml") and re.search(rb"(?m)^names\s*:", source.head()) and writes == "yolo":
            return Guess(1, "YAML with names of classes")
        if source.suffix == ".data" and re.search(rb"(?m)^\s*names\s*=", source.head()) and writes == "yolo":
            return Guess(1, "Darknet's .data file")
        return None
    assert source.path is not None
    described = _descriptor(source.path)
    texts = paths_of(source, _TEXT, 400)
    lines = [line for path in texts if not _is_list(path) for line in path.read_bytes()[:4096].splitlines()[:50]]
    rows = [line.split() for line in lines if _ROW.match(line)]
    if not rows:
        if described is not None and writes == "yolo":
            return Guess(0.9, f"{described.name} with names of classes")
        return None
    if described is None and (len(rows) < len([line for line in lines if line.strip()]) or not _are_relative(rows)):
        return None
    if writes != _kind(rows):
        return None
    why = f"{described.name}, and " if described else ""
    return Guess(1 if described else 0.9, f"{why}lines of a class number and coordinates from 0 to 1")


def _are_relative(rows: Sequence[Sequence[bytes]]) -> bool:
    try:
        return all(-0.01 <= float(value) <= 1.01 for row in rows for value in row[1:])
    except ValueError:
        return False


def _kind(rows: Iterable[Sequence[bytes]]) -> str:
    lengths = {len(row) for row in rows}
    if lengths <= {5, 6}:
        return "yolo"
    return "yolo-obb" if lengths <= {9, 10} else "yolo-seg"


def _is_list(path: Path) -> bool:
    """Whether a text file is not one of labels: names of classes, lists of images, notes."""
    return path.name in _NAME_FILES or path.name.lower().startswith("readme")


def _descriptor(folder: Path) -> Path | None:
    """The file that describes a folder: data.yaml, obj.data, names of classes."""
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")], key=lambda path: path.name != "data.yaml"):
        if re.search(rb"(?m)^names\s*:", path.read_bytes()):
            return path
    for path in sorted(folder.glob("*.data")):
        return path
    return next((folder / name for name in _NAME_FILES if (folder / name).is_file()), None)


def layout_of(source: Source, image_folder: str | None) -> Layout:
    """Find images, labels and classes of a folder, of its data.yaml or its obj.data."""
    assert source.path is not None
    described = _descriptor(source.path) if source.is_folder else source.path
    folder = source.path if source.is_folder else source.path.parent
    pictures = Path(image_folder) if image_folder else None
    if described is not None and described.suffix in (".yaml", ".yml"):
        return _ultralytics(described, pictures)
    if described is not None and described.suffix == ".data":
        return _darknet(described, pictures)
    return Layout(list(_beside(folder, pictures)), None if described is None else _lines(described))


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise FormatError(Problem("text-utf8", str(path), "bytes that are not UTF-8", "UTF-8")) from None


# --- Ultralytics -----------------------------------------------------------------------------------


def _ultralytics(path: Path, pictures: Path | None) -> Layout:
    import yaml

    try:
        document = yaml.safe_load(path.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(Problem("yaml-syntax", str(path), " ".join(str(error).split()), "a YAML document")) from None
    if not isinstance(document, dict):
        raise FormatError(Problem("yolo-yaml", str(path), "no mapping", "names and splits"))
    root = path.parent / str(document.get("path") or "")
    if not root.is_dir():
        root = path.parent
    layout = Layout(names=_names(document, path), keypoints=_keypoints(document, path))
    splits: dict[str, list[str]] = {}  # of each entry: some datasets validate on what they train on
    for key, split in SPLITS.items():
        entries = document.get(key)
        for entry in [entries] if isinstance(entries, str) else entries if isinstance(entries, list) else []:
            splits.setdefault(str(entry), []).append(split)
    for entry, named in splits.items():
        place = _found(entry, root, path.parent)
        if place is None:
            layout.missing.append((named[0], entry))
        else:
            layout.items += _of_place(place, named[0] if len(named) == 1 else None, pictures)
    if layout.missing and not layout.items:
        split, entry = layout.missing[0]
        expected = "a folder of images, or a text file that lists them"
        raise FormatError(Problem("yolo-split", f"{path}: {split}", f"{entry!r}, which is not there", expected))
    if not layout.items and not any(document.get(key) for key in SPLITS):
        layout.items += _beside(path.parent, pictures)
    layout.items = _told_apart(layout.items)
    return layout


def _names(document: dict[str, Any], path: Path) -> list[str] | None:
    names = document.get("names")
    if names is None:
        return None
    if isinstance(names, list):
        return [str(name) for name in names]
    if isinstance(names, dict) and names.keys() == set(range(len(names))):
        return [str(names[number]) for number in range(len(names))]
    raise FormatError(
        Problem("yolo-names", f"{path}: names", str(names)[:80], "a list, or numbers from 0 without gaps to names")
    )


def _keypoints(document: dict[str, Any], path: Path) -> tuple[int, int] | None:
    shape = document.get("kpt_shape")
    if shape is None:
        return None
    if isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) and n > 0 for n in shape):
        return shape[0] * shape[1], shape[1]
    raise FormatError(Problem("yolo-keypoints", f"{path}: kpt_shape", str(shape), "[keypoints, numbers of each]"))


def _of_place(place: Path, split: str | None, pictures: Path | None) -> list[Item]:
    """Images of a split: of a folder, or of a list in a text file."""
    if place.is_file():
        listed = [(line, _label_file(place.parent / line)) for line in _lines(place)]
        found = []
        for line, label_file in listed:
            picture = place.parent / line
            inside = pictures / _name(line) if pictures is not None else picture
            found.append(Item(_name_of(line, split), _there(label_file), inside if inside.is_file() else None, split))
        return found
    return _of_folder(place, split, pictures)


def _found(entry: str, root: Path, beside: Path) -> Path | None:
    """Where an entry leads: as written, or by its last parts from where the description lies.

    Roboflow writes ``../train/images`` of what lies in ``train/images``; others leave a path of their own machine.
    """
    written = entry.replace("\\", "/")
    parts = PurePosixPath(written).parts
    tails = [written, *(str(PurePosixPath(*parts[start:])) for start in range(1, len(parts)))]
    for tail in tails:
        for folder in (root, beside):
            if (folder / tail).exists():
                return folder / tail
    plain = re.sub(r"^(?:\.\./)+", "", written)  # labels alone, without the images they are of
    labels = beside / re.sub(r"(^|/)images(/|$)", r"\1labels\2", plain)
    return beside / plain if labels.is_dir() and labels != beside / plain else None


def _label_file(picture: Path) -> Path:
    """Where the labels of an image are: ``labels`` in the place of the last ``images``, or beside it."""
    parts = list(picture.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            found = Path(*parts).with_suffix(".txt")
            if found.parent.is_dir():
                return found
            break
    return picture.with_suffix(".txt")


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _of_folder(folder: Path, split: str | None, pictures: Path | None) -> list[Item]:
    """Images of a folder, and labels without an image, in order of their names."""
    found: dict[str, Item] = {}
    for picture in paths_of(folder, PICTURES) if folder.is_dir() else []:
        name = picture.relative_to(folder).as_posix()
        found[_stem(name)] = Item(name, _there(_label_file(picture)), picture, split)
    labels = _label_file(folder / "x.jpg").parent
    for path in paths_of(labels, _TEXT) if labels.is_dir() else []:
        stem = _stem(path.relative_to(labels).as_posix())
        if stem not in found and not _is_list(path):
            picture_file = picture_beside(pictures / stem, PICTURES) if pictures is not None else None
            name = stem + picture_file.suffix if picture_file else stem
            found[stem] = Item(name, path, picture_file, split)
    return [found[stem] for stem in sorted(found)]


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in (*PICTURES, ".txt") else name


def _name(line: str) -> str:
    """Name of an image that a list gives: its path below the last folder ``images``."""
    path = line.replace("\\", "/").removeprefix("./")
    return path.rpartition("images/")[2] if "images/" in path else path


def _name_of(line: str, split: str | None) -> str:
    return _name(line).removeprefix(f"{split}/")


def _told_apart(items: list[Item]) -> list[Item]:
    """Images of several splits under one name, with the split before it."""
    seen: dict[str, set[str | None]] = {}
    for item in items:
        seen.setdefault(item.name, set()).add(item.split)
    if all(len(splits) == 1 for splits in seen.values()):
        return items
    return [Item(f"{item.split}/{item.name}", item.label_file, item.picture, item.split) for item in items]


# --- Darknet, and labels beside images -------------------------------------------------------------


def _darknet(path: Path, pictures: Path | None) -> Layout:
    parts = [line.partition("=") for line in _lines(path)]
    fields = {key.strip(): value.strip() for key, equals, value in parts if equals}
    layout = Layout()
    names = _darknet_path(fields.get("names"), path)
    layout.names = None if names is None else _lines(names)
    for key in ("train", "valid", "test"):
        listed = _darknet_path(fields.get(key), path)
        if listed is None:
            continue
        for line in _lines(listed):
            picture = _darknet_path(line, path) or path.parent / re.sub(r"^data/", "", line)
            name = re.sub(r"^(?:data/)?(?:obj_\w+_data/)?", "", line.replace("\\", "/"))
            inside = pictures / name if pictures is not None else picture
            layout.items.append(
                Item(name, _there(_label_file(picture)), inside if inside.is_file() else None, SPLITS[key])
            )
    if not layout.items:
        layout.items += _beside(path.parent, pictures)
    layout.items = _told_apart(layout.items)
    return layout


def _darknet_path(text: str | None, path: Path) -> Path | None:
    """A file that Darknet names from where it is run: often ``data/...`` where the description lies in data."""
    if not text:
        return None
    for place in (path.parent / text, path.parent / re.sub(r"^data/", "", text), path.parent.parent / text):
        if place.is_file():
            return place
    return None


def _beside(folder: Path, pictures: Path | None) -> Iterable[Item]:
    """Labels and images of a folder that nothing describes, or that only names classes."""
    for inside in ("images", "Images", "JPEGImages"):
        for labels in ("labels", "Annotations"):
            if (folder / labels).is_dir() and (folder / inside).is_dir() and inside != "images":
                return _of_folder(folder / labels, None, folder / inside)
        if (folder / inside).is_dir() and (folder / "labels").is_dir():
            return _of_folder(folder / inside, None, pictures)
    if (folder / "labels").is_dir() and pictures is None:
        return _of_folder(folder / "labels", None, None)
    return _of_folder(folder, None, pictures)
