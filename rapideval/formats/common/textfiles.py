"""Folders with a text file for each image, a line for each object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Loss, plural
from rapideval.formats.common.documents import paths_of
from rapideval.formats.common.names import PICTURES
from rapideval.formats.common.pictures import picture_beside, picture_sizes
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report
from rapideval.model import Images, Labels

__all__ = ["Line", "TextFile", "first_lines", "one_word", "split_labels", "suffixes_of", "text_files"]

_TEXT = (".txt",)


class Line(NamedTuple):
    """Words of a line, and its place."""

    words: list[str]
    place: Place


class TextFile(NamedTuple):
    """A text file, and the place of its image."""

    image: int
    lines: list[Line]


def first_lines(source: Source, most: int = 50) -> list[list[str]]:
    """Words of the first lines of a text file, or of the first text files of a folder; [] where there are none."""
    if source.is_folder:
        assert source.path is not None
        paths = [path for path in paths_of(source, _TEXT, 20) if not path.name.lower().startswith("readme")]
        texts = [path.read_bytes()[:4096] for path in paths]
    else:
        texts = [source.head(4096)] if source.suffix in ("", *_TEXT) else []
    found = []
    for text in texts:
        lines = text.decode("utf-8", "replace").splitlines()
        whole = lines if len(text) < 4096 else lines[:-1]
        found += [line.split() for line in whole if line.strip()]
    return found[:most]


def text_files(
    source: Source, found: Gathered, report: Report, image_folders: Sequence[str], image_folder: str | None
) -> Iterator[TextFile]:
    """Text files of a folder, or the one that is given, with their images; sizes come from the heads of image files.

    Parameters
    ----------
    source
        A file or folder.
    found, report
        Where images go, and problems.
    image_folders
        Names of folders beside that of the labels where image files usually are.
    image_folder
        Where they are, if the user says so.
    """
    root = source.path if source.is_folder else None
    paths: list[Path | None] = list(paths_of(root, _TEXT)) if root is not None else [source.path]
    if root is not None and not paths:
        raise FormatError(Problem("folder-empty", source.name, "a folder without such files", "files .txt"))
    pictures = [_picture(path, root, image_folders, image_folder) if path is not None else None for path in paths]
    sizes = picture_sizes(pictures)
    for path, picture, size in zip(paths, pictures, sizes, strict=True):
        document = Source(path) if path is not None else source
        try:
            text = document.data().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FormatError(Problem("text-utf8", document.name, "bytes that are not UTF-8", "UTF-8")) from None
        stem = Path(document.name).with_suffix("").name if root is None or path is None else _stem(path, root)
        name = stem if picture is None else stem + picture.suffix
        lines = [
            Line(line.split(), Place(document.name, "line {row}", number))
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip()
        ]
        yield TextFile(found.image(name, size), lines)


def _stem(path: Path, root: Path) -> str:
    """Name of an image without suffix: below the folders that only say what is in them."""
    parts = path.relative_to(root).with_suffix("").parts
    while len(parts) > 1 and parts[0] in ("training", "testing", "label_2", "labels"):
        parts = parts[1:]
    return "/".join(parts)


def _picture(path: Path, root: Path | None, image_folders: Sequence[str], image_folder: str | None) -> Path | None:
    if image_folder is not None:
        stem = path.stem if root is None else _stem(path, root)
        return picture_beside(Path(image_folder) / stem, PICTURES) or picture_beside(
            Path(image_folder) / path.stem, PICTURES
        )
    beside = picture_beside(path.with_suffix(""), PICTURES)
    for name in image_folders:
        for folder in (path.parent.parent / name, path.parent / name):
            beside = beside or picture_beside(folder / path.stem, PICTURES)
        if root is not None:  # images in folders of their own, as their labels
            for folder in (root / name, root.parent / name):
                beside = beside or picture_beside(folder / _stem(path, root), PICTURES)
    return beside


def suffixes_of(images: Images) -> Loss:
    """Suffixes of image files, which a label file of the same name does not say."""
    count = sum(1 for key in images.keys if Path(key).suffix.lower() in PICTURES)
    return Loss("image_names", count, f"the suffixes of {plural(count, 'image name')}: known where images are beside")


def one_word(name: str) -> str:
    """A label's name as one word, as white space separates words."""
    return "_".join(name.split()) or "_"


def split_labels(labels: Labels) -> Loss:
    """Names of labels that are not one word."""
    count = sum(1 for name in labels.names if one_word(name) != name)
    return Loss("label_names", count, f"the names of {plural(count, 'label')}: white space in them becomes _")
